//! `set-var`, `set-var-fmt`, `unset-var`.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::Txn;
use bytes::Bytes;
use hawser_sample::value::Owned;
use hawser_sample::vars::{Scope, VarId};
use hawser_sample::{Error, Expr, Flavor, LogFormat};

/// Sets a variable.
#[derive(Debug)]
struct SetVar {
    var: VarId,
    conds: Conds,
    value: Source,
}

#[derive(Debug)]
enum Source {
    Expr(Expr),
    Format(LogFormat),
}

impl Action for SetVar {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let value = match &self.value {
            Source::Expr(e) => txn.sample(e, |v| Some(v.to_owned())),
            Source::Format(f) => txn.formatted(f, |_, text| Some(Owned::Str(Bytes::copy_from_slice(text)))),
        };
        let Some(value) = value else { return Step::Next };
        if self.conds.is_empty() || txn.with_var(self.var, |old| self.conds.hold(self.var.scope, &value, old))
        {
            txn.set_var(self.var, Some(value));
        }
        Step::Next
    }
}

/// Unsets a variable.
#[derive(Debug)]
struct UnsetVar(VarId);

impl Action for UnsetVar {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        txn.set_var(self.0, None);
        Step::Next
    }
}

/// Conditions on setting a variable (manual 7.3.1, `set-var`), one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Conds(u8);

const COND_NAMES: [&str; 8] =
    ["ifexists", "ifnotexists", "ifempty", "ifnotempty", "ifset", "ifnotset", "ifgt", "iflt"];

impl Conds {
    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn add(&mut self, name: &str) -> Result<(), Error> {
        let i = COND_NAMES.iter().position(|n| *n == name);
        self.0 |= 1 << i.ok_or_else(|| Error::new(format!("unknown condition \"{name}\"")))?;
        Ok(())
    }

    /// Whether a variable with the value `old` takes the value `new`. Variables of the process exist always.
    fn hold(self, scope: Scope, new: &Owned, old: Option<&Owned>) -> bool {
        let exists = old.is_some() || scope == Scope::Proc;
        COND_NAMES.iter().enumerate().filter(|(i, _)| self.0 & (1 << i) != 0).all(|(_, name)| match *name {
            "ifexists" => exists,
            "ifnotexists" => !exists,
            "ifempty" => is_empty(new),
            "ifnotempty" => !is_empty(new),
            "ifset" => old.is_some(),
            "ifnotset" => old.is_none(),
            "ifgt" => compare(new, old, i64::gt),
            _ => compare(new, old, i64::lt),
        })
    }
}

fn is_empty(v: &Owned) -> bool {
    match v {
        Owned::Str(s) | Owned::Bin(s) | Owned::Method(s) => s.is_empty(),
        Owned::Bool(_) | Owned::Int(_) | Owned::Ip4(_) | Owned::Ip6(_) => false,
    }
}

fn compare(new: &Owned, old: Option<&Owned>, is: fn(&i64, &i64) -> bool) -> bool {
    match (old, new) {
        (Some(Owned::Int(old)), Owned::Int(new)) => is(old, new),
        _ => true,
    }
}

const USAGE: &str = "Expects 'set-var(<var-name>)', 'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'";

/// The name and the conditions between the parentheses of the action.
fn target(args: &Args<'_>, name: &str) -> Result<(VarId, Conds), Error> {
    let word = args.action();
    let inner = word
        .strip_prefix(name)
        .and_then(|w| w.strip_prefix('('))
        .ok_or_else(|| Error::new(format!("invalid or incomplete action '{word}'. {USAGE}")).at(0))?;
    let inner = inner
        .strip_suffix(')')
        .ok_or_else(|| Error::new(format!("incomplete argument after action '{word}'. {USAGE}")).at(0))?;
    let mut parts = inner.split(',');
    let var = parts.next().unwrap_or_default().trim();
    if var.is_empty() {
        return Err(Error::new("Empty variable name cannot be accepted").at(0));
    }
    let mut conds = Conds::default();
    for cond in parts {
        conds.add(cond.trim()).map_err(|e| e.at(0))?;
    }
    Ok((VarId::parse(var).map_err(|e| e.at(0))?, conds))
}

pub(super) fn set_var(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let (var, conds) = target(args, "set-var")?;
    let value = Source::Expr(args.expr(cx.cx)?);
    Ok(Box::new(SetVar { var, conds, value }))
}

pub(super) fn set_var_fmt(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let (var, conds) = target(args, "set-var-fmt")?;
    let format =
        if args.peek().is_some() { args.format_as(cx.cx, "", Flavor::Value)? } else { LogFormat::default() };
    Ok(Box::new(SetVar { var, conds, value: Source::Format(format) }))
}

pub(super) fn unset_var(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let (var, conds) = target(args, "unset-var")?;
    if !conds.is_empty() {
        return Err(Error::new(
            "unset-var does not expect parameters after the variable name. Only \"set-var\" and \"set-var-fmt\" \
             manage conditions",
        )
        .at(0));
    }
    Ok(Box::new(UnsetVar(var)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_set_and_unset_in_every_scope() {
        use crate::testing::World;
        let value = |w: &World, name: &str| {
            let id = VarId::parse(name).unwrap();
            match id.scope {
                Scope::Sess => w.sess.vars.get(id.name).cloned(),
                scope => w.strm.vars.store(scope).and_then(|s| s.get(id.name)).cloned(),
            }
        };
        let text = |s: &str| Some(Owned::Str(Bytes::copy_from_slice(s.as_bytes())));
        let mut w = World::default();
        w.run(&[
            "http-request set-var(txn.a) path",
            "http-request set-var-fmt(req.a) \"<%[path]>\"",
            "http-request set-var(sess.a,ifnotexists) int(1)",
            "http-request set-var(sess.a,ifnotexists) int(2)",
            "http-request set-var(res.a) int(3)",
            "http-request unset-var(res.a)",
            "http-request set-var(txn.a.b_C.1) int(5)",
        ]);
        assert_eq!(value(&w, "txn.a.b_C.1"), Some(Owned::Int(5)));
        assert_eq!(value(&w, "txn.a"), text("/path"));
        assert_eq!(value(&w, "req.a"), text("</path>"));
        assert_eq!(value(&w, "sess.a"), Some(Owned::Int(1)));
        assert_eq!(value(&w, "res.a"), None);
        // There is no transaction yet.
        w.run(&[
            "tcp-request connection set-var(txn.b) int(1)",
            "tcp-request connection set-var(sess.b) int(2)",
        ]);
        assert_eq!((value(&w, "txn.b"), value(&w, "sess.b")), (None, Some(Owned::Int(2))));
    }

    #[test]
    fn a_variable_holds_no_more_than_a_buffer() {
        use crate::testing::World;
        let mut w = World::default();
        w.room.bufsize = 100;
        let id = VarId::parse("sess.x").unwrap();
        w.run(&["http-request set-var(sess.x) str(a)"]);
        for _ in 0..40 {
            w.run(&["http-request set-var(sess.x) var(sess.x),concat(b,sess.x,c)"]);
            w.run(&["http-request set-var-fmt(sess.x) \"%[var(sess.x)]%[var(sess.x)]\""]);
        }
        let size = w.sess.vars.get(id.name).map(Owned::size);
        assert!(size.is_some_and(|n| (40..=100).contains(&n)), "{size:?}");
    }

    #[test]
    fn arguments_are_checked() {
        for (rule, text) in [
            ("set-var", format!("invalid or incomplete action 'set-var'. {USAGE}")),
            ("set-var(", format!("incomplete argument after action 'set-var('. {USAGE}")),
            ("set-var()", "Empty variable name cannot be accepted".to_owned()),
            ("set-var(txn.a)", "missing fetch method".to_owned()),
            ("set-var(txn.a) nope", "unknown fetch method 'nope'".to_owned()),
            ("set-var(txn.a,foo) int(1)", "unknown condition \"foo\"".to_owned()),
            ("set-var(txn.a-b) int(1)", "invalid syntax at char '-'".to_owned()),
            (
                "unset-var(txn.a,ifexists)",
                "unset-var does not expect parameters after the variable name. Only \"set-var\" and \"set-var-fmt\" \
                 manage conditions"
                    .to_owned(),
            ),
        ] {
            let name = rule.split(' ').next().unwrap_or_default();
            let want = format!("!error detected in proxy 'p' while parsing 'http-request {name}' rule : {text}.");
            assert_eq!(crate::testing::message(&format!("http-request {rule}")), want);
        }
    }

    #[test]
    fn conditions_look_at_old_and_new() {
        let text = |s: &'static str| Owned::Str(Bytes::from_static(s.as_bytes()));
        let int = Owned::Int;
        #[rustfmt::skip]
        let cases: &[(&[&str], Owned, Option<Owned>, bool)] = &[
            (&["ifexists"],               int(1),     None,            false),
            (&["ifexists"],               int(1),     Some(int(0)),    true),
            (&["ifnotexists"],            int(1),     None,            true),
            (&["ifnotexists"],            int(1),     Some(int(0)),    false),
            (&["ifset"],                  int(1),     None,            false),
            (&["ifnotset"],               int(1),     None,            true),
            (&["ifempty"],                text("a"),  Some(text("")),  false),
            (&["ifempty"],                text(""),   None,            true),
            (&["ifempty"],                int(0),     None,            false),
            (&["ifnotempty"],             text(""),   Some(text("b")), false),
            (&["ifnotempty"],             text("a"),  None,            true),
            (&["ifgt"],                   int(1),     Some(int(2)),    true),
            (&["ifgt"],                   int(2),     Some(int(2)),    false),
            (&["ifgt"],                   int(2),     None,            true),
            (&["ifgt"],                   int(2),     Some(text("1")), true),
            (&["iflt"],                   int(3),     Some(int(2)),    true),
            (&["iflt"],                   int(1),     Some(int(2)),    false),
            (&["ifexists", "ifnotempty"], text("a"),  Some(int(1)),    true),
            (&["ifexists", "ifnotempty"], text(""),   Some(int(1)),    false),
        ];
        for (names, new, old, want) in cases {
            let mut conds = Conds::default();
            names.iter().for_each(|n| conds.add(n).unwrap());
            assert_eq!(conds.hold(Scope::Txn, new, old.as_ref()), *want, "{names:?} {new:?} {old:?}");
        }
        let mut exists = Conds::default();
        exists.add("ifexists").unwrap();
        assert!(exists.hold(Scope::Proc, &int(1), None));
        assert!(Conds::default().add("ifwhat").is_err());
    }
}

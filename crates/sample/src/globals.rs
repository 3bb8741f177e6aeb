//! Variables that the global section sets before anything runs (manual 3.1, `set-var` and `set-var-fmt`).

use crate::checkpoint::Checkpoint;
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::expr::Expr;
use crate::logformat::{Flavor, LogFormat};
use crate::value::Owned;
use crate::vars::{ProcVars, Scope, VarId};
use bytes::Bytes;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Config, SetVar};

/// The process variables as the configuration sets them. Errors are alerts in `diags`.
pub fn process_vars(config: &Config, diags: &mut Diags) -> ProcVars {
    let vars = ProcVars::default();
    for line in &config.global.set_vars {
        let mut cx = CompileCx::new(config, diags);
        cx.pos = line.pos;
        cx.at = Some(Checkpoint::Config);
        "set-var".clone_into(&mut cx.what);
        if let Err(e) = set(&mut cx, line, &vars) {
            diags.alert(line.pos, format!("'set-var': {}.", e.text));
        }
    }
    vars
}

/// Sets one variable while the process runs (`set var` of the runtime API).
///
/// # Errors
/// What is wrong with the expression or the format.
pub fn set_now(config: &Config, diags: &mut Diags, line: &SetVar, vars: &ProcVars) -> Result<(), Error> {
    let mut cx = CompileCx::new(config, diags);
    cx.at = Some(Checkpoint::Cli);
    "set var".clone_into(&mut cx.what);
    set(&mut cx, line, vars)
}

fn set(cx: &mut CompileCx<'_>, line: &SetVar, vars: &ProcVars) -> Result<(), Error> {
    let var = VarId::parse(&line.name)?;
    if var.scope != Scope::Proc {
        return Err(Error::new(format!("'{}': only variables of the process can be set here", &*line.name)));
    }
    let value = if line.fmt {
        let text = line.args.first().ok_or_else(|| Error::new("missing format"))?;
        let format = LogFormat::parse(cx, text, Flavor::Value)?;
        let mut out = Vec::new();
        format.eval(&Ctx { proc_vars: Some(vars), ..Ctx::EMPTY }, &mut out);
        Some(Owned::Str(Bytes::from(out)))
    } else {
        let mut at = 0;
        let expr = Expr::parse(cx, &line.args, &mut at)?;
        if let Some(extra) = line.args.get(at) {
            return Err(Error::new(format!("unexpected argument '{}'", &**extra)));
        }
        expr.eval(&Ctx { proc_vars: Some(vars), ..Ctx::EMPTY }).map(|v| v.to_owned())
    };
    if let Some(v) = value {
        vars.0.write().set(var.name, v);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_cfg::pos::{Pos, Word};

    fn line(name: &str, args: &[&str], fmt: bool) -> SetVar {
        let args = args.iter().map(|a| Word::synthetic(a)).collect();
        SetVar { pos: Pos::default(), name: Word::synthetic(name), args, fmt }
    }

    #[test]
    fn values_may_use_those_before_them() {
        let mut config = Config::default();
        config.global.set_vars = vec![
            line("proc.test_a", &["int(4)"], false),
            line("proc.test_b", &["var(proc.test_a),add(1)"], false),
            line("proc.test_c", &["<%[var(proc.test_b)]>"], true),
            line("sess.x", &["int(1)"], false),
            line("proc.test_d", &["no_such_fetch"], false),
        ];
        let mut diags = Diags::default();
        let vars = process_vars(&config, &mut diags);
        let get = |n: &str| vars.0.read().get(crate::vars::intern(n)).cloned();
        assert_eq!(get("test_b"), Some(Owned::Int(5)));
        assert_eq!(get("test_c"), Some(Owned::Str(Bytes::from_static(b"<5>"))));
        assert_eq!(get("test_d"), None);
        assert_eq!(diags.list.len(), 2, "{:?}", diags.list);
    }
}

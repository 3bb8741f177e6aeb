//! Parsing of ACL lines and conditions.

use super::predefined::PREDEFINED;
use super::{Acl, AclExpr, Acls, Cond, Term};
use crate::checkpoint::Checkpoint;
use crate::compile::{CompileCx, Error};
use crate::expr::Expr;
use crate::pattern::{Builder, Method};
use hawser_cfg::diag::Severity;
use hawser_cfg::model::RuleLine;
use hawser_cfg::pos::Word;
use std::sync::Arc;

impl Acls {
    /// Compiles `acl` lines (name, criterion, flags, patterns) into `cx.acls`; errors go to `cx.diags`.
    pub fn compile(cx: &mut CompileCx<'_>, lines: &[RuleLine]) {
        for line in lines {
            cx.pos = line.pos;
            if let Err(e) = Self::declare(cx, &line.words) {
                let d = cx.diags.alert(cx.pos, format!("{e}."));
                d.suggestion = e.suggestion;
            }
        }
    }

    /// Adds one `acl` line to `cx.acls`.
    ///
    /// # Errors
    /// HAProxy's text.
    pub fn declare(cx: &mut CompileCx<'_>, words: &[Word]) -> Result<(), Error> {
        let name = words.first().map_or("", |w| w.as_str());
        if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_.:".contains(*c)) {
            return Err(Error::new(format!("character '{c}' is not permitted in acl name '{name}'")).at(0));
        }
        if name.eq_ignore_ascii_case("or") {
            return Err(Error::new(format!("acl name '{name}' will never match"))); // refined below
        }
        let expr = acl_expr(cx, words.get(1..).unwrap_or_default())
            .map_err(|e| e.prefix(format_args!("error detected while parsing ACL '{name}' : ")))?;
        let pos = cx.pos;
        cx.acls.add(name, pos, expr);
        Ok(())
    }
}

impl Cond {
    /// Compiles a condition that starts with `if` or `unless` and goes on to the last word.
    ///
    /// # Errors
    /// HAProxy's text, to follow "error detected while parsing … condition : ".
    pub fn parse(cx: &mut CompileCx<'_>, words: &[Word]) -> Result<Self, Error> {
        let unless = match words.first().map(Word::as_str) {
            Some("if") => false,
            Some("unless") => true,
            _ => return Err(Error::new("conditions must start with either 'if' or 'unless'")),
        };
        let mut suites = Vec::new();
        let mut terms: Vec<Term> = Vec::new();
        let mut negated = false;
        let mut i = 1;
        while let Some(w) = words.get(i) {
            let mut text = w.as_str();
            while let Some(rest) = text.strip_prefix('!') {
                negated = !negated;
                text = rest;
            }
            i += 1;
            match text {
                "" => {}
                "||" | "or" | "OR" | "Or" | "oR" => {
                    suites.push(std::mem::take(&mut terms).into_boxed_slice());
                    negated = false;
                }
                "{" => {
                    let end = words[i..].iter().position(|w| w.as_str() == "}").map(|n| n + i);
                    let end = end.ok_or_else(|| Error::new("missing closing '}' in condition").at(i - 1))?;
                    let expr = acl_expr(cx, &words[i..end])?;
                    let acl = Arc::new(Acl { name: "".into(), pos: cx.pos, exprs: vec![Arc::new(expr)] });
                    warn_never(cx, &acl);
                    terms.push(Term { negated: std::mem::take(&mut negated), acl });
                    i = end + 1;
                }
                name => {
                    let acl = named(cx, name).map_err(|e| e.at(i - 1))?;
                    warn_never(cx, &acl);
                    terms.push(Term { negated: std::mem::take(&mut negated), acl });
                }
            }
        }
        suites.push(terms.into_boxed_slice());
        Ok(Self { unless, suites: suites.into(), pos: cx.pos })
    }
}

/// A declared or pre-defined ACL.
fn named(cx: &mut CompileCx<'_>, name: &str) -> Result<Arc<Acl>, Error> {
    if let Some(a) = cx.acls.get(name) {
        return Ok(a.clone());
    }
    let Some((_, def)) = PREDEFINED.iter().find(|p| p.0 == name) else {
        return Err(Error::new(format!("no such ACL : '{name}'")));
    };
    let words: Vec<Word> = def.split(' ').map(Word::synthetic).collect();
    let expr = acl_expr(cx, &words)?;
    Ok(Arc::new(Acl { name: name.into(), pos: cx.pos, exprs: vec![Arc::new(expr)] }))
}

/// Warns about an ACL none of whose alternatives can work where the condition stands.
fn warn_never(cx: &mut CompileCx<'_>, acl: &Acl) {
    let Some(at) = cx.at else { return };
    let Some(bad) = acl.exprs.iter().find(|e| !e.expr.needs().validity().at(at)) else { return };
    if acl.exprs.iter().any(|e| e.expr.needs().validity().at(at)) {
        return;
    }
    let text = never_text(acl, bad, &cx.what, at);
    cx.diags.push(Severity::Warning, Some(cx.pos), text);
}

/// HAProxy's words for an ACL that cannot match.
fn never_text(acl: &Acl, bad: &AclExpr, what: &str, at: Checkpoint) -> String {
    if acl.name.is_empty() {
        format!(
            "anonymous acl will never match in '{what}' because it uses keyword '{}' which is incompatible with '{}'",
            bad.keyword,
            at.name()
        )
    } else {
        format!(
            "acl '{}' will never match in '{what}' because it only involves keywords that are incompatible with '{}'",
            acl.name,
            at.name()
        )
    }
}

/// A criterion, flags and patterns.
fn acl_expr(cx: &mut CompileCx<'_>, words: &[Word]) -> Result<AclExpr, Error> {
    let Some(first) = words.first() else {
        return Err(Error::new("missing fetch method in ACL expression ''"));
    };
    let keyword: String = first.split(['(', ',']).next().unwrap_or_default().to_owned();
    let alias = cx.registry.acl(&keyword);
    let text = match alias {
        Some(a) => format!("{}{}", a.fetch, &first[keyword.len()..]),
        None => first.text.to_string(),
    };
    if cx.registry.fetch(alias.map_or(&keyword, |a| a.fetch)).is_none() {
        return Err(Error::new(format!(
            "unknown fetch method '{keyword}' in ACL expression '{}'",
            first.text
        )));
    }
    let expr =
        Expr::parse_str(cx, &text).map_err(|e| e.prefix(format_args!("ACL keyword '{keyword}' : ")))?;
    let implied = alias.filter(|_| !expr.has_converters()).and_then(|a| Method::of(a.method));
    let (method, patterns) = patterns(cx, &expr, implied, &words[1..])?;
    Ok(AclExpr { keyword, expr, method, patterns })
}

/// Flags and patterns behind the criterion.
fn patterns(
    cx: &mut CompileCx<'_>,
    expr: &Expr,
    implied: Option<Method>,
    words: &[Word],
) -> Result<(Method, crate::pattern::Patterns), Error> {
    let _ = &cx;
    let mut method = implied.or_else(|| Method::default_for(expr.out()));
    let (mut i, mut icase) = (0, false);
    let mut builder: Option<Builder> = None;
    while let Some(w) = words.get(i) {
        match w.as_str() {
            "-i" => icase = true,
            "-n" => {}
            "-m" => {
                i += 1;
                let name = words.get(i).map_or("", |w| w.as_str());
                method = Some(Method::of(name).ok_or_else(|| {
                    Error::new(format!("unknown matching method '{name}' when parsing ACL expression"))
                })?);
            }
            "--" => {
                i += 1;
                break;
            }
            _ => break,
        }
        i += 1;
    }
    let method = method.ok_or_else(|| {
        Error::new(format!(
            "matching method must be specified first (using '-m') when using a sample fetch of this type ('{}')",
            expr.out().name()
        ))
    })?;
    let b = builder.get_or_insert_with(|| Builder::new(method));
    let mut op = "";
    for w in &words[i..] {
        match (method, w.as_str()) {
            (Method::Int | Method::Len, o @ ("eq" | "ge" | "gt" | "le" | "lt")) => op = o,
            (Method::Int | Method::Len, t) => b.add_range(crate::pattern::with_operator(op, t)?),
            (_, t) => b.add(t, icase)?,
        }
    }
    let built = builder.map(Builder::build).unwrap_or_default();
    Ok((method, built))
}

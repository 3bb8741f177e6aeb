//! Parsing of ACL lines and conditions.

use super::predefined::PREDEFINED;
use super::{Acl, AclExpr, Acls, Cond, Term};
use crate::checkpoint::Checkpoint;
use crate::compile::{CompileCx, Error};
use crate::expr::Expr;
use crate::pattern::{self, Builder, Method, Notation, Patterns};
use crate::types::Type;
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
            return Err(Error::new(format!(
                "acl name '{name}' will never match. 'or' is used to express a logical disjunction within a condition"
            )));
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

/// A declared or pre-defined ACL. One that is declared further down does not exist yet.
pub(crate) fn named(cx: &mut CompileCx<'_>, name: &str) -> Result<Arc<Acl>, Error> {
    let visible = |a: &Acl| cx.pos.line == 0 || a.pos.file != cx.pos.file || a.pos.line <= cx.pos.line;
    if let Some(a) = cx.acls.get(name).filter(|a| visible(a)) {
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

/// HAProxy's words for an ACL that cannot match: TCP rule sets name themselves, the others have another frame.
fn never_text(acl: &Acl, bad: &AclExpr, what: &str, at: Checkpoint) -> String {
    let tcp = what.starts_with("tcp-");
    let place = if tcp { format!(" in '{what}'") } else { String::new() };
    let text = if acl.name.is_empty() {
        format!(
            "anonymous acl will never match{place} because it uses keyword '{}' which is incompatible with '{}'",
            bad.keyword,
            at.name()
        )
    } else {
        format!(
            "acl '{}' will never match{place} because it only involves keywords that are incompatible with '{}'",
            acl.name,
            at.name()
        )
    };
    if tcp { text } else { format!("'{text}.") }
}

/// A criterion, flags and patterns.
fn acl_expr(cx: &mut CompileCx<'_>, words: &[Word]) -> Result<AclExpr, Error> {
    let was = std::mem::replace(&mut cx.in_acl, true);
    let e = criterion(cx, words);
    cx.in_acl = was;
    e
}

/// See [`acl_expr`].
fn criterion(cx: &mut CompileCx<'_>, words: &[Word]) -> Result<AclExpr, Error> {
    let Some(first) = words.first() else {
        return Err(Error::new("missing fetch method in ACL expression ''"));
    };
    let keyword: String = first.split(['(', ',']).next().unwrap_or_default().to_owned();
    let alias = cx.registry.acl(&keyword);
    let fetch = alias.map_or(keyword.as_str(), |a| a.fetch);
    if cx.registry.fetch(fetch).is_none() {
        let near = cx.registry.near_acl(&keyword);
        let text = format!("unknown fetch method '{keyword}' in ACL expression '{}'", first.text);
        return Err(Error::new(text).suggest(near));
    }
    let text = format!("{fetch}{}", &first[keyword.len()..]);
    let expr = Expr::parse_str(cx, &text).map_err(|e| {
        // What is wrong with the fetch itself ends with the expression, what is wrong with converters starts with it.
        if e.text.contains("converter") {
            e.prefix(format_args!("ACL keyword '{keyword}' : "))
        } else {
            let complete = e.complete;
            let text =
                if complete { e.text } else { format!("{} in ACL expression '{}'", e.text, first.text) };
            Error { text, ..e }
        }
    })?;
    let own = alias.and_then(|a| Method::of(a.method));
    let implied = own.filter(|_| !expr.has_converters());
    let (method, patterns) = patterns(cx, &expr, &keyword, implied, &words[1..])?;
    // Only a method that the keyword is named after is missed. Methods of requests compare in their own way.
    let special = !matches!(own, None | Some(Method::Str | Method::Bin | Method::Int));
    if (special && own != Some(method))
        || (keyword == "method" && (words_choose(words) || expr.has_converters()))
    {
        overwritten(cx, &keyword);
    }
    let slices = expr.slices().filter(|_| method.wants() == Type::Str);
    Ok(AclExpr { keyword, expr, method, patterns, slices })
}

/// Whether the flags choose a method.
fn words_choose(words: &[Word]) -> bool {
    words.iter().skip(1).take_while(|w| w.starts_with('-')).any(|w| w.as_str() == "-m")
}

/// Warns that the method of an ACL keyword does not count.
fn overwritten(cx: &mut CompileCx<'_>, keyword: &str) {
    let text =
        format!("original matching method '{keyword}' was overwritten and will not be applied as expected.");
    cx.diags.warning(cx.pos, text);
}

/// Flags in front of patterns.
struct Flags {
    method: Option<Method>,
    explicit: bool,
    icase: bool,
    map: bool,
    resolve: bool,
    files: Vec<(String, bool)>,
    /// Words used.
    used: usize,
    /// `--` was there.
    ended: bool,
}

/// Parses flags; `-f` may stand between them, and `-i` counts for what follows it.
fn flags(words: &[Word], implied: Option<Method>) -> Result<Flags, Error> {
    let mut f = Flags {
        method: implied,
        explicit: false,
        icase: false,
        map: false,
        resolve: true,
        files: Vec::new(),
        used: 0,
        ended: false,
    };
    while let Some(w) = words.get(f.used).map(Word::as_str) {
        let value = |i: usize| words.get(i).map_or("", |w| w.as_str());
        match w {
            "-i" => f.icase = true,
            "-n" => f.resolve = false,
            "-M" => f.map = true,
            "-u" => {
                f.used += 1;
                if value(f.used).parse::<u32>().is_err() {
                    return Err(Error::new("the argument of -u must be an integer"));
                }
            }
            "-f" => {
                f.used += 1;
                f.files.push((value(f.used).to_owned(), f.icase));
            }
            "-m" => {
                f.used += 1;
                let name = value(f.used);
                if !f.files.is_empty() {
                    let t = "'-m' must only be specified before patterns and files in parsing ACL expression";
                    return Err(Error::new(t));
                }
                if f.explicit {
                    return Err(Error::new(
                        "only one explicit matching method can be defined with '-m' parameter. if migrating from an \
                         old version, just keep the last one",
                    ));
                }
                let unknown =
                    || Error::new(format!("unknown matching method '{name}' when parsing ACL expression"));
                f.method = Some(Method::of(name).ok_or_else(unknown)?);
                f.explicit = true;
            }
            "--" => {
                f.used += 1;
                f.ended = true;
                break;
            }
            w if w.starts_with('-') => {
                return Err(Error::new(format!(
                    "'{w}' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'"
                )));
            }
            _ => break,
        }
        f.used += 1;
    }
    Ok(f)
}

/// Flags and patterns behind the criterion.
fn patterns(
    cx: &mut CompileCx<'_>,
    expr: &Expr,
    keyword: &str,
    implied: Option<Method>,
    words: &[Word],
) -> Result<(Method, Patterns), Error> {
    let f = flags(words, implied.or_else(|| Method::default_for(expr.out())))?;
    let method = f.method.ok_or_else(|| {
        Error::new(format!(
            "matching method must be specified first (using '-m') when using a sample fetch of this type ('{keyword}')"
        ))
    })?;
    if !expr.out().casts_to(method.wants()) {
        return Err(Error::new(format!(
            "matching method '{}' cannot be used with fetch keyword '{keyword}'",
            method.name()
        )));
    }
    let mut b = Builder::new(method);
    b.resolve(f.resolve);
    if expr.fetch_name().ends_with("ssl_ver") && !expr.has_converters() {
        b.notation(Notation::Dotted);
    }
    for (name, icase) in &f.files {
        let file = pattern::Source::of(name).name();
        for e in pattern::load(name, f.map)? {
            b.add(&e.key, *icase)
                .map_err(|x| Error::new(format!("{} at line {} of file '{file}'", x.text, e.line)))?;
        }
    }
    let mut op = "";
    for w in &words[f.used..] {
        match (method, w.as_str()) {
            (Method::Int | Method::Len, o @ ("eq" | "ge" | "gt" | "le" | "lt")) => op = o,
            // Configurations say `eq -- 0`; HAProxy takes it and then matches nothing.
            (Method::Int | Method::Len, "--") => {}
            (Method::Int | Method::Len, t) => b.add_with_operator(op, t)?,
            (_, t) => b.add(t, f.icase)?,
        }
    }
    if b.count() == 0 && f.files.is_empty() && !f.ended && !matches!(method, Method::Found | Method::Bool) {
        no_pattern(cx, keyword);
    }
    Ok((method, b.build()))
}

/// Warns about an ACL that nothing can match.
fn no_pattern(cx: &mut CompileCx<'_>, keyword: &str) {
    let text = format!(
        "parsing acl keyword '{keyword}' :\n  no pattern to match against were provided, so this ACL will never match.\n  \
         If this is what you intended, please add '--' to get rid of this warning.\n  If you intended to match only for \
         existence, please use '-m found'.\n  If you wanted to force an int to match as a bool, please use '-m bool'.\n"
    );
    cx.diags.push(Severity::Warning, None, text);
}

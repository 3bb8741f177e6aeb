//! Runs one keyword row on one line: prefix, status, place, number of arguments, then what the row sets.

use super::ctx::{Ctx, SectKind};
use super::kw::{Kind, Kw, MANY, Scope, Set};
use super::line::{Line, Prefix};
use crate::diag::Layout;
use crate::keyword::{Index, Meta, Row, Status};

/// Runs the keyword of `line` from `index` on `target`. `section` is its name in `unknown keyword` messages.
/// `hash` is that of the keyword.
pub(crate) fn keyword<T>(
    cx: &mut Ctx<'_>,
    index: &Index<Kw<T>>,
    hash: usize,
    section: &str,
    target: &mut T,
    line: &Line<'_>,
) {
    let Some(row) = index.get_hashed(line.word(), hash) else {
        if line.prefix == Prefix::None {
            unknown(cx, index, section, line);
        } else {
            negation(cx, line);
        }
        return;
    };
    if line.prefix != Prefix::None && !row.x.scope.has(Scope::NEG) {
        negation(cx, line);
        return;
    }
    run(cx, row, target, line);
}

/// Alerts that nothing has this name, with the nearest that has.
pub(crate) fn unknown<T>(cx: &mut Ctx<'_>, index: &Index<Kw<T>>, section: &str, line: &Line<'_>) {
    let text = format!("unknown keyword '{}' in '{section}' section", line.word());
    cx.alert(line, text);
    cx.suggest(line.word(), index.names());
}

/// Alerts that `no` or `default` cannot stand before this keyword.
pub(crate) fn negation(cx: &mut Ctx<'_>, line: &Line<'_>) {
    let text = "negation/default currently supported only for options, log, busy-polling, set-dumpable, \
                strict-limits, insecure-fork-wanted and numa-cpu-mapping.";
    cx.alert(line, text).layout = Layout::Tight;
}

/// Whether a keyword may be used at all: alerts when it was removed, is not there yet, or is experimental.
pub(crate) fn available(cx: &mut Ctx<'_>, meta: &Meta, line: &Line<'_>) -> bool {
    match meta.status {
        Status::Removed { since, instead } => {
            let hint = if instead.is_empty() { String::new() } else { format!(" Use {instead} instead.") };
            let since = if since.is_empty() { String::new() } else { format!(" since HAProxy {since}") };
            let text = format!("The '{}' directive is not supported anymore{since}.{hint}", line.keyword());
            cx.alert(line, text);
            false
        }
        Status::NotYet(area) => {
            not_yet(cx, line, area);
            false
        }
        Status::Implemented | Status::NoEffect(_) if !meta.experimental => true,
        Status::Implemented | Status::NoEffect(_) if line.is_option() => cx.experimental_option(line),
        Status::Implemented | Status::NoEffect(_) => cx.experimental(line),
    }
}

/// The refusal of everything that HAProxy has and Hawser does not have yet.
pub(crate) fn not_yet(cx: &mut Ctx<'_>, line: &Line<'_>, area: &str) {
    let text = format!("'{}' is not supported by Hawser yet (area: {area}).", line.keyword());
    cx.alert(line, text);
}

/// Runs a row whose keyword was found.
pub(crate) fn run<T>(cx: &mut Ctx<'_>, row: &Row<Kw<T>>, target: &mut T, line: &Line<'_>) {
    let kw = &row.x;
    let side = placed(cx, kw.scope, line);
    if side == Side::Refused || !available(cx, &row.meta, line) {
        return;
    }
    let before = cx.diags.list.len();
    if line.len() < usize::from(kw.min) {
        let text = missing(&line.keyword(), kw.expects);
        cx.alert(line, text);
    } else if kw.max == MANY || cx.at_most(line, kw.max.into()) {
        set(cx, &kw.set, target, line);
    }
    if let Side::Useless(lacks) = side
        && cx.diags.list.len() == before
    {
        let text = format!(
            "{} will be ignored because {} has no {lacks} capability",
            line.keyword(),
            cx.proxy_name()
        );
        cx.warn(line, text);
    }
}

/// HAProxy's words for a keyword without its arguments; some texts have a colon in front.
pub(crate) fn missing(keyword: &str, expects: &str) -> String {
    match expects.strip_prefix(": ") {
        Some(what) => format!("'{keyword}' : {what}"),
        None => format!("'{keyword}' expects {expects}"),
    }
}

/// How a keyword fits its section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// It does, or a warning said that it does not.
    Fits,
    /// It is refused here.
    Refused,
    /// It is parsed, and a warning follows if nothing else is wrong: the proxy lacks this side.
    Useless(&'static str),
}

/// Whether the keyword may be in this section; warns when it is only useless here.
fn placed(cx: &mut Ctx<'_>, scope: Scope, line: &Line<'_>) -> Side {
    let sided = scope.has(Scope::FE) || scope.has(Scope::BE);
    if !sided {
        return Side::Fits;
    }
    let kind = cx.st.kind;
    if let SectKind::Defaults(named) = kind {
        let anonymous = match (scope.has(Scope::DEF), scope.has(Scope::NAMED), named) {
            (true, ..) | (_, true, true) => return Side::Fits,
            (_, true, false) => "anonymous ",
            _ => "",
        };
        let text = format!("'{}' not allowed in {anonymous}'defaults' section.", line.keyword());
        cx.alert(line, text);
        return Side::Refused;
    }
    match (scope.has(Scope::FE), scope.has(Scope::BE)) {
        (true, false) if !kind.is_fe() => wrong_side(cx, scope, "frontend", line),
        (false, true) if !kind.is_be() => wrong_side(cx, scope, "backend", line),
        _ => Side::Fits,
    }
}

/// The keyword acts on the side of a proxy that this one does not have.
fn wrong_side(cx: &mut Ctx<'_>, scope: Scope, lacks: &'static str, line: &Line<'_>) -> Side {
    let keyword = line.keyword();
    if scope.has(Scope::STRICT) {
        cx.alert(line, format!("'{keyword}' only available in {lacks} or listen section"));
        return Side::Refused;
    }
    if scope.has(Scope::WILL) {
        return Side::Useless(lacks);
    }
    let hint = match keyword.as_str() {
        "maxconn" => " Maybe you want 'fullconn' instead ?",
        "fullconn" => " Maybe you want 'maxconn' instead ?",
        _ => "",
    };
    let text = format!("'{keyword}' ignored because {} has no {lacks} capability.{hint}", cx.proxy_name());
    cx.warn(line, text);
    Side::Fits
}

fn set<T>(cx: &mut Ctx<'_>, set: &Set<T>, target: &mut T, line: &Line<'_>) {
    match *set {
        Set::Run(f) => f(cx, target, line),
        Set::Flag(slot) => *slot(target) = line.prefix != Prefix::No,
        Set::Int(lo, hi, slot) => {
            if let Some(n) = cx.u32(line, 0, lo, hi) {
                *slot(target) = Some(n);
            }
        }
        Set::Size(slot) => {
            if let Some(n) = cx.size(line, 0) {
                *slot(target) = Some(n);
            }
        }
        Set::Time(slot) => {
            if let Some(n) = cx.time(line, 0) {
                *slot(target) = Some(n);
            }
        }
        Set::Text(slot) => *slot(target) = Some(line.arg(0).to_owned()),
        Set::Check(kind) => check(cx, kind, line),
        Set::Nothing => {}
    }
}

fn check(cx: &mut Ctx<'_>, kind: Kind, line: &Line<'_>) {
    match kind {
        Kind::Any => {}
        Kind::Int(lo, hi) => {
            cx.int(line, 0, lo, hi);
        }
        Kind::Exact(lo, hi) => {
            cx.exact_int(line, 0, lo, hi);
        }
        Kind::Size => {
            cx.size(line, 0);
        }
        Kind::Bytes(lo, hi) => {
            if let Some(n) = cx.size(line, 0) {
                within(cx, line, n, (lo, hi), "");
            }
        }
        Kind::Plain => {
            if line.arg(0).ends_with(|c: char| c.is_ascii_alphabetic()) {
                let text = format!("{}: '{}' is an invalid size", line.keyword(), line.arg(0));
                cx.alert_arg(line, 0, text);
            } else {
                cx.size(line, 0);
            }
        }
        Kind::Time => {
            cx.time(line, 0);
        }
        Kind::Within(lo, hi) => {
            if let Some(n) = cx.time(line, 0) {
                within(cx, line, n, (lo, hi), " ms");
            }
        }
        Kind::OnOff => {
            cx.on_off(line, 0);
        }
        Kind::OneOf(words) => {
            if line.len() > 0 && !words.contains(&line.arg(0)) {
                let list = one_of(words);
                let text = format!("'{}' expects {list} but got '{}'.", line.keyword(), line.arg(0));
                cx.alert_arg(line, 0, text);
            }
        }
        Kind::SomeOf(words) => {
            if let Some(bad) = line.arg(0).split(',').find(|w| !words.contains(w)) {
                let list = one_of(words);
                let text = format!("'{}' expects a list of {list} but got '{bad}'.", line.keyword());
                cx.alert_arg(line, 0, text);
            }
        }
    }
}

fn within(cx: &mut Ctx<'_>, line: &Line<'_>, n: u32, (lo, hi): (u32, u32), unit: &str) {
    if !(lo..=hi).contains(&n) {
        let text =
            format!("'{}' value must be between {lo} and {hi}{unit} (was {})", line.keyword(), line.arg(0));
        cx.alert_arg(line, 0, text);
    }
}

/// `'a', 'b' or 'c'`.
pub(crate) fn one_of(words: &[&str]) -> String {
    let mut out = String::new();
    for (i, w) in words.iter().enumerate() {
        let sep = match i {
            0 => "",
            _ if i + 1 == words.len() => " or ",
            _ => ", ",
        };
        out.push_str(sep);
        out.push('\'');
        out.push_str(w);
        out.push('\'');
    }
    out
}

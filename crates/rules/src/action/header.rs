//! `set-header`, `add-header`, `del-header`, `replace-header`, `replace-value`, `early-hint`.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::expand;
use crate::txn::Txn;
use bytes::Bytes;
use hawser_cfg::octets;
use hawser_http::chars::is_safe_value;
use hawser_http::list;
use hawser_sample::{Error, LogFormat, pattern};
use regex::bytes::Regex;

type Parsed = Result<Box<dyn Action>, Error>;

/// `set-header` and `add-header`.
#[derive(Debug)]
struct SetHeader {
    name: Box<[u8]>,
    value: LogFormat,
    add: bool,
}

impl Action for SetHeader {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        txn.header_value(&self.value, |txn, value| match self.add {
            true => txn.add_field(&self.name, value),
            false => txn.set_field(&self.name, value),
        })
    }
}

fn name_and_value(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<(Box<[u8]>, LogFormat), Error> {
    const USAGE: &str = "expects exactly 2 arguments";
    if args.rest().len() < 2 {
        return Err(Error::new(USAGE));
    }
    let [name] = args.take(USAGE)?;
    let name = field_name(cx, name)?;
    Ok((name, args.format(cx.cx, USAGE)?))
}

/// A field name to write: what would end the line is refused, what is no token gets HAProxy's warning. The head does
/// not take the latter, so that the rule does nothing.
pub(super) fn field_name(cx: &mut RuleCx<'_, '_>, name: &str) -> Result<Box<[u8]>, Error> {
    use hawser_http::chars::is_token;
    if !is_safe_value(name.as_bytes()) || name.is_empty() {
        return Err(Error::new(format!("invalid header name '{}'", name.escape_debug())));
    }
    if let Some(c) =
        name.chars().find(|c| !c.is_ascii() || !is_token(*c as u8)).filter(|_| !name.starts_with(':'))
    {
        cx.warn(format!("header name '{name}' contains forbidden character '{c}'."));
    }
    Ok(octets::decode(name).into())
}

pub(super) fn set_header(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let (name, value) = name_and_value(cx, args)?;
    Ok(Box::new(SetHeader { name, value, add: false }))
}

pub(super) fn add_header(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let (name, value) = name_and_value(cx, args)?;
    Ok(Box::new(SetHeader { name, value, add: true }))
}

/// `early-hint`.
#[derive(Debug)]
struct EarlyHint {
    name: Bytes,
    value: LogFormat,
}

impl Action for EarlyHint {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        txn.header_value(&self.value, |txn, value| {
            txn.asks.early_hints.push((self.name.clone(), Bytes::copy_from_slice(value)));
        });
        Step::Next
    }
}

pub(super) fn early_hint(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let (name, value) = name_and_value(cx, args)?;
    Ok(Box::new(EarlyHint { name: Bytes::from(name.into_vec()), value }))
}

/// How a field name is matched; names have no case.
#[derive(Debug)]
pub(super) enum NameMatch {
    Str,
    Beg,
    End,
    Sub,
}

impl NameMatch {
    /// The method of that name.
    pub(super) fn of(method: &str) -> Option<Self> {
        Some(match method {
            "str" => Self::Str,
            "beg" => Self::Beg,
            "end" => Self::End,
            "sub" => Self::Sub,
            _ => return None,
        })
    }

    /// Whether a field's name matches.
    pub(super) fn test(&self, name: &[u8], pattern: &[u8]) -> bool {
        let n = pattern.len();
        match self {
            Self::Str => name.eq_ignore_ascii_case(pattern),
            Self::Beg => name.get(..n).is_some_and(|s| s.eq_ignore_ascii_case(pattern)),
            Self::End => name.len() >= n && name[name.len() - n..].eq_ignore_ascii_case(pattern),
            Self::Sub => n == 0 || name.windows(n).any(|w| w.eq_ignore_ascii_case(pattern)),
        }
    }
}

/// `del-header`.
#[derive(Debug)]
enum DelHeader {
    Name(NameMatch, Box<[u8]>),
    Regex(Regex),
}

impl Action for DelHeader {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Some(head) = txn.message() else { return Step::Next };
        for i in 0..head.fields.len() {
            let name = head.get(head.fields[i].name);
            let hit = !name.is_empty()
                && match self {
                    Self::Name(how, pattern) => how.test(name, pattern),
                    Self::Regex(r) => r.is_match(name),
                };
            if hit {
                head.delete_at(i);
            }
        }
        Step::Next
    }
}

pub(super) fn del_header(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let [name] = args.take("expects at least 1 argument")?;
    let method = method(args)?;
    Ok(Box::new(match NameMatch::of(method) {
        Some(how) => DelHeader::Name(how, octets::decode(name).into()),
        None if method == "reg" => DelHeader::Regex(pattern::regex(name, true)?),
        None => return Err(Error::new(format!("-m with unsupported matching method '{method}'"))),
    }))
}

/// `-m METHOD`; `str` without it.
pub(super) fn method<'a>(args: &mut Args<'a>) -> Result<&'a str, Error> {
    if !args.eat("-m") {
        return Ok("str");
    }
    let [method] = args.take("-m flag expects exactly 1 argument")?;
    Ok(method)
}

/// `replace-header` and `replace-value`.
#[derive(Debug)]
struct ReplaceHeader {
    name: Box<[u8]>,
    regex: Regex,
    by: LogFormat,
    /// Each comma-separated value by itself.
    each: bool,
}

impl Action for ReplaceHeader {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        txn.tidy();
        txn.header_value(&self.by, |txn, by| {
            let count = txn.message().map_or(0, |h| h.fields.len());
            for i in 0..count {
                let Some(head) = txn.message() else { break };
                let f = head.fields[i];
                if f.name.len == 0 || !head.get(f.name).eq_ignore_ascii_case(&self.name) {
                    continue;
                }
                let Some(new) = self.replaced(head.get(f.value), by) else { continue };
                if let Step::Failed = txn.replace_value(i, &new) {
                    return Step::Failed;
                }
            }
            Step::Next
        })
    }
}

impl ReplaceHeader {
    /// The new value of a field; `None` if nothing matches.
    fn replaced(&self, value: &[u8], by: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        if !self.each {
            expand::expand(by, &self.regex.captures(value)?, &mut out);
            return Some(out);
        }
        let mut any = false;
        for (i, part) in list::values(value).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            match self.regex.captures(part) {
                Some(c) => {
                    expand::expand(by, &c, &mut out);
                    any = true;
                }
                None => out.extend_from_slice(part),
            }
        }
        any.then_some(out)
    }
}

fn replace(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, each: bool) -> Parsed {
    const USAGE: &str = "expects exactly 3 arguments";
    if args.rest().len() < 3 {
        return Err(Error::new(USAGE));
    }
    let [name, regex] = args.take(USAGE)?;
    let regex = pattern::regex(regex, false).map_err(|e| e.at(args.at() - 1))?;
    let by = args.format(cx.cx, USAGE)?;
    Ok(Box::new(ReplaceHeader { name: octets::decode(name).into(), regex, by, each }))
}

pub(super) fn replace_header(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    replace(cx, args, false)
}

pub(super) fn replace_value(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    replace(cx, args, true)
}

#[cfg(test)]
mod tests;

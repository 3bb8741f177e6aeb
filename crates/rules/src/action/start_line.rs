//! Actions on the start line: `set-method`, `set-path`, `set-query`, `set-uri`, `replace-path`, `set-status`…

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::expand;
use crate::rewrite::target_changed;
use crate::txn::Txn;
use hawser_cfg::octets;
use hawser_http::Head;
use hawser_http::chars::is_safe_value;
use hawser_http::status::reason;
use hawser_http::uri::Unsafe;
use hawser_sample::{Error, LogFormat, pattern};
use regex::bytes::Regex;

type Parsed = Result<Box<dyn Action>, Error>;

/// The part of a request line that an action changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Method,
    Path,
    Pathq,
    Query,
    Uri,
}

impl Part {
    fn set(self, head: &mut Head, value: &[u8]) -> Result<(), Unsafe> {
        match self {
            Self::Method => head.rewrite_method(value),
            // A target without a path (`*`) is replaced as a whole.
            Self::Path if head.path().is_none() => head.set_uri(value),
            Self::Path => head.set_path(value),
            Self::Pathq if head.path().is_none() => head.set_uri(value),
            Self::Pathq => head.set_pathq(value),
            Self::Query => head.set_query(value),
            Self::Uri => head.set_uri(value).map(|()| target_changed(head)),
        }
    }

    fn get(self, head: &Head) -> Option<&[u8]> {
        match self {
            Self::Method => Some(head.method()),
            Self::Path => head.path(),
            Self::Pathq => head.pathq(),
            Self::Query => head.query(),
            Self::Uri => Some(head.target()),
        }
    }
}

impl Part {
    fn len(self, head: &Head) -> usize {
        self.get(head).map_or(0, <[u8]>::len)
    }
}

/// `set-method`, `set-path`, `set-pathq`, `set-query`, `set-uri`.
#[derive(Debug)]
struct SetPart {
    part: Part,
    value: LogFormat,
}

impl Action for SetPart {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let set = |txn: &mut Txn<'_>, value: &[u8]| {
            txn.rewrite_request(value.len() + 1, |h| self.part.len(h), |h| self.part.set(h, value))
        };
        match self.part {
            Part::Method => txn.formatted(&self.value, set),
            _ => txn.target_value(&self.value, set),
        }
    }
}

fn set_part(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, part: Part) -> Parsed {
    const USAGE: &str = "expects exactly 1 argument <format>";
    let value = args.format(cx.cx, USAGE)?;
    // These actions check what follows by themselves, with words of their own.
    if args.is_done() { Ok(Box::new(SetPart { part, value })) } else { Err(Error::new(USAGE)) }
}

pub(super) fn set_method(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    set_part(cx, args, Part::Method)
}

pub(super) fn set_path(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    set_part(cx, args, Part::Path)
}

pub(super) fn set_pathq(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    set_part(cx, args, Part::Pathq)
}

pub(super) fn set_query(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    set_part(cx, args, Part::Query)
}

pub(super) fn set_uri(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    set_part(cx, args, Part::Uri)
}

/// `replace-path`, `replace-pathq`, `replace-uri`.
#[derive(Debug)]
struct ReplacePart {
    part: Part,
    regex: Regex,
    by: LogFormat,
}

impl Action for ReplacePart {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        txn.target_value(&self.by, |txn, by| {
            let Some(old) = txn.message().and_then(|h| self.part.get(h)) else { return Step::Next };
            let Some(groups) = self.regex.captures(old) else { return Step::Next };
            let mut new = Vec::with_capacity(old.len() + by.len());
            expand::expand(by, &groups, &mut new);
            txn.rewrite_request(new.len() + 1, |h| self.part.len(h), |h| self.part.set(h, &new))
        })
    }
}

fn replace_part(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, part: Part) -> Parsed {
    const USAGE: &str = "expects exactly 2 arguments <match-regex> and <replace-format>";
    if args.rest().len() < 2 {
        return Err(Error::new(USAGE));
    }
    let [regex] = args.take(USAGE)?;
    let regex = pattern::regex(regex, false).map_err(|e| e.prefix("failed to parse the regex : "))?;
    let by = args.format(cx.cx, USAGE)?;
    if args.is_done() { Ok(Box::new(ReplacePart { part, regex, by })) } else { Err(Error::new(USAGE)) }
}

pub(super) fn replace_path(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    replace_part(cx, args, Part::Path)
}

pub(super) fn replace_pathq(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    replace_part(cx, args, Part::Pathq)
}

pub(super) fn replace_uri(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    replace_part(cx, args, Part::Uri)
}

/// `set-status`.
#[derive(Debug)]
struct SetStatus {
    status: u16,
    reason: Box<[u8]>,
}

impl Action for SetStatus {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        match txn.message() {
            Some(head) => {
                head.set_status(self.status, &self.reason);
                Step::Next
            }
            None => Step::Failed,
        }
    }
}

pub(super) fn set_status(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    const USAGE: &str = "expects 1 argument: <status>; or 3 arguments: <status> reason <fmt>";
    let [status] = args.take(USAGE)?;
    let status: u16 = status
        .parse()
        .ok()
        .filter(|s| (100..=999).contains(s))
        .ok_or_else(|| Error::new("expects an integer status code between 100 and 999"))?;
    let phrase = match args.rest() {
        [word, text, ..] if word.as_str() == "reason" => {
            let _: Result<[&str; 2], Error> = args.take("");
            text.as_str()
        }
        _ => reason(status),
    };
    let phrase = octets::decode(phrase);
    if !is_safe_value(&phrase) {
        return Err(Error::new("invalid character in the reason"));
    }
    Ok(Box::new(SetStatus { status, reason: phrase.into() }))
}

#[cfg(test)]
mod tests;

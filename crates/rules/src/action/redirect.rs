//! `redirect`, as an action and as a keyword of its own.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::rewrite::escape;
use crate::txn::{RuleSet, Txn, Verdict};
use bytes::Bytes;
use hawser_http::chars::is_value;
use hawser_http::status::reason;
use hawser_http::{Head, KnownName, Reply, Version};
use hawser_sample::{Ctx, Error, Flavor, LogFormat};
use std::sync::Arc;

/// Where to.
#[derive(Debug)]
enum To {
    Location(LogFormat),
    Prefix(LogFormat),
    Scheme(LogFormat),
}

#[derive(Debug)]
struct Redirect {
    to: To,
    code: u16,
    drop_query: bool,
    keep_query: bool,
    append_slash: bool,
    ignore_empty: bool,
    cookie: Option<LogFormat>,
}

impl Action for Redirect {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let mut location = std::mem::take(&mut txn.asks.scratch);
        location.clear();
        self.location(&txn.ctx(), &mut location);
        txn.apply_writes();
        let step = match location.is_empty() && self.ignore_empty {
            true => Step::Next,
            false => Step::End(Verdict::Redirect(Arc::new(self.reply(txn, &location)))),
        };
        txn.asks.scratch = location;
        step
    }
}

impl Redirect {
    fn location(&self, ctx: &Ctx<'_>, out: &mut Vec<u8>) {
        match &self.to {
            To::Location(f) => {
                f.eval(ctx, out);
                if self.keep_query {
                    keep_query(ctx, out);
                }
            }
            To::Prefix(f) => {
                f.eval(ctx, out);
                // A lone slash would double the one that the path begins with.
                if out == b"/" {
                    out.clear();
                }
                self.path(ctx, out);
            }
            To::Scheme(f) => {
                f.eval(ctx, out);
                out.extend_from_slice(b"://");
                out.extend_from_slice(ctx.req.and_then(authority).unwrap_or_default());
                self.path(ctx, out);
            }
        }
    }

    /// The request's own path, with or without its query.
    fn path(&self, ctx: &Ctx<'_>, out: &mut Vec<u8>) {
        let path = ctx.req.and_then(|r| if self.drop_query { r.path() } else { r.pathq() }).unwrap_or(b"/");
        out.extend_from_slice(path);
        if self.append_slash && !path.ends_with(b"/") {
            out.push(b'/');
        }
    }

    fn reply(&self, txn: &mut Txn<'_>, location: &[u8]) -> Reply {
        let mut head = Head::response(Version::H11, self.code, reason(self.code).as_bytes());
        head.add(b"content-length", b"0");
        head.add(b"location", &escape(location, is_value));
        if matches!(self.code, 302 | 303 | 307) {
            head.add(b"cache-control", b"no-cache");
        }
        if let Some(f) = &self.cookie {
            let mut value = Vec::new();
            f.eval(&txn.ctx(), &mut value);
            txn.apply_writes();
            head.add(b"set-cookie", &escape(&value, is_value));
        }
        Reply { head, body: Bytes::new(), close: false }
    }
}

/// Appends the query of the request to a location that may have one already.
fn keep_query(ctx: &Ctx<'_>, out: &mut Vec<u8>) {
    if let Some(q) = ctx.req.and_then(Head::query).filter(|q| !q.is_empty()) {
        out.push(if out.contains(&b'?') { b'&' } else { b'?' });
        out.extend_from_slice(q);
    }
}

/// Host and port as the client named them.
fn authority(req: &Head) -> Option<&[u8]> {
    let in_target = || req.target_parts().map(|p| &req.target()[p.authority]).filter(|a| !a.is_empty());
    req.first(KnownName::Host).or_else(in_target)
}

const OPTIONS: &str = "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', \
                       'drop-query', 'keep-query', 'ignore-empty' or 'append-slash'";

pub(super) fn parse(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let mut to = None;
    let mut r = Redirect {
        to: To::Location(LogFormat::default()),
        code: 302,
        drop_query: false,
        keep_query: false,
        append_slash: false,
        ignore_empty: false,
        cookie: None,
    };
    while let Some(word) = args.peek_arg() {
        args.advance();
        match word {
            "location" => to = Some(To::Location(value(cx, args, word)?)),
            "prefix" => to = Some(To::Prefix(value(cx, args, word)?)),
            "scheme" => to = Some(To::Scheme(value(cx, args, word)?)),
            "code" => r.code = code(argument(args, word)?)?,
            "set-cookie" => {
                let fixed = format!("{}; path=/;", argument(args, word)?).replace('%', "%%");
                r.cookie = Some(LogFormat::parse(cx.cx, &fixed, Flavor::Header)?);
            }
            "set-cookie-fmt" => {
                let format = format!("{}; path=/;", argument(args, word)?);
                r.cookie = Some(LogFormat::parse(cx.cx, &format, Flavor::Header)?);
            }
            "clear-cookie" => {
                let fixed = format!("{}; path=/; Max-Age=0;", argument(args, word)?).replace('%', "%%");
                r.cookie = Some(LogFormat::parse(cx.cx, &fixed, Flavor::Header)?);
            }
            "drop-query" => r.drop_query = true,
            "keep-query" => r.keep_query = true,
            "append-slash" => r.append_slash = true,
            "ignore-empty" => r.ignore_empty = true,
            other => return Err(Error::new(format!("{OPTIONS} (was '{other}')")).at(args.at() - 1)),
        }
    }
    r.to = to.ok_or_else(|| Error::new("redirection type expected ('prefix', 'location', or 'scheme')"))?;
    if cx.set != RuleSet::HttpReq && !matches!(r.to, To::Location(_)) {
        return Err(Error::new("response only supports redirect type 'location'"));
    }
    Ok(Box::new(r))
}

fn argument<'a>(args: &mut Args<'a>, word: &str) -> Result<&'a str, Error> {
    args.advance().ok_or_else(|| Error::new(format!("missing argument for '{word}'")))
}

fn value(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, word: &str) -> Result<LogFormat, Error> {
    let text = argument(args, word)?;
    LogFormat::parse(cx.cx, text, Flavor::Header).map_err(|e| e.at(args.at() - 1))
}

fn code(text: &str) -> Result<u16, Error> {
    text.parse().ok().filter(|c| matches!(c, 301 | 302 | 303 | 307 | 308)).ok_or_else(|| {
        Error::new(format!(
            "'code': unsupported HTTP code '{text}' (must be one of 301, 302, 303, 307 or 308)"
        ))
    })
}

#[cfg(test)]
mod tests;

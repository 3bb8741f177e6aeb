//! `normalize-uri` (RFC 3986 section 6.2.2).

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{Txn, Verdict};
use hawser_sample::Error;

/// One normalizer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Normalizer {
    FragmentEncode,
    FragmentStrip,
    MergeSlashes,
    StripDot,
    StripDotdot { full: bool },
    DecodeUnreserved { strict: bool },
    ToUppercase { strict: bool },
    SortQuery,
}

impl Action for Normalizer {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Some(head) = txn.req.as_deref() else { return Step::Next };
        // Targets without a path (`*`, `host:port`) have nothing to normalize.
        let Some(pathq) = head.pathq() else { return Step::Next };
        match self.apply(pathq) {
            Err(Broken) => Step::End(Verdict::BadRequest),
            Ok(new) if new == pathq => Step::Next,
            Ok(new) => {
                let old = pathq.len();
                txn.rewrite_request(new.len(), |_| old, |head| head.set_pathq(&new))
            }
        }
    }
}

/// A percent sign without two digits, where that is an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Broken;

impl Normalizer {
    /// The normal form of a path with its query.
    fn apply(self, pathq: &[u8]) -> Result<Vec<u8>, Broken> {
        let at = memchr::memchr(b'?', pathq).unwrap_or(pathq.len());
        let (path, query) = pathq.split_at(at);
        Ok(match self {
            Self::FragmentEncode => {
                let parts: Vec<_> = pathq.split(|b| *b == b'#').collect();
                parts.join(&b"%23"[..])
            }
            Self::FragmentStrip => pathq.split(|b| *b == b'#').next().unwrap_or_default().to_vec(),
            Self::MergeSlashes => {
                let mut new = path.to_vec();
                new.dedup_by(|a, b| *a == b'/' && *b == b'/');
                [&new, query].concat()
            }
            Self::StripDot => [&strip_dot(path), query].concat(),
            Self::StripDotdot { full } => [&strip_dotdot(path, full), query].concat(),
            Self::DecodeUnreserved { strict } => percents(pathq, strict, |digits, code, out| {
                if code.is_ascii_alphanumeric() || b"-._~".contains(&code) {
                    out.push(code);
                } else {
                    out.push(b'%');
                    out.extend_from_slice(&digits);
                }
            })?,
            Self::ToUppercase { strict } => percents(pathq, strict, |digits, _, out| {
                out.push(b'%');
                out.extend_from_slice(&digits.map(|d| d.to_ascii_uppercase()));
            })?,
            Self::SortQuery => sort_query(path, query),
        })
    }
}

/// Drops segments that are a single dot.
fn strip_dot(path: &[u8]) -> Vec<u8> {
    let segments: Vec<_> = path.split(|b| *b == b'/').collect();
    let last = segments.len() - 1;
    let mut kept: Vec<&[u8]> = Vec::with_capacity(segments.len());
    for (i, s) in segments.into_iter().enumerate() {
        match s {
            // The slash before a final dot stays.
            b"." if i == last => kept.push(b""),
            b"." => {}
            _ => kept.push(s),
        }
    }
    kept.join(&b'/')
}

/// Merges segments of two dots with the one before them; `full` drops those that have none before them.
fn strip_dotdot(path: &[u8], full: bool) -> Vec<u8> {
    let segments: Vec<_> = path.split(|b| *b == b'/').collect();
    let last = segments.len() - 1;
    // What stands before the first slash is nothing, and stays.
    let mut kept: Vec<&[u8]> = Vec::with_capacity(segments.len());
    for (i, s) in segments.into_iter().enumerate() {
        if s != b".." {
            kept.push(s);
            continue;
        }
        let parent = kept.len() > 1 && kept.last() != Some(&&b".."[..]);
        if parent {
            kept.pop();
        } else if !full {
            kept.push(s);
        }
        if i == last {
            kept.push(b"");
        }
    }
    kept.join(&b'/')
}

/// Copies, handing each `%XX` to `each` with its digits and its value.
fn percents(
    text: &[u8],
    strict: bool,
    mut each: impl FnMut([u8; 2], u8, &mut Vec<u8>),
) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let digit = |i: usize| rest.get(i).and_then(|d| char::from(*d).to_digit(16));
        match (digit(0), digit(1)) {
            (Some(hi), Some(lo)) => {
                each([rest[0], rest[1]], (hi * 16 + lo) as u8, &mut out);
                rest = &rest[2..];
            }
            _ if strict => return Err(Broken),
            _ => out.push(b'%'),
        }
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// Sorts parameters by name; those of one name stay in order.
fn sort_query(path: &[u8], query: &[u8]) -> Vec<u8> {
    let Some(params) = query.strip_prefix(b"?") else { return path.to_vec() };
    let mut params: Vec<_> = params.split(|b| *b == b'&').collect();
    // Nothing comes behind the last separator, not even a parameter without a name.
    params.pop_if(|p| p.is_empty());
    params.sort_by_key(|p| p.split(|b| *b == b'=').next().unwrap_or_default());
    [path, b"?", &params.join(&b'&')].concat()
}

pub(super) fn parse(_: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    if args.is_done() {
        return Err(Error::new("missing argument <normalizer>"));
    }
    let [name] = args.take("missing argument <normalizer>")?;
    let mut option = |word: &str| match args.peek_arg() {
        None => Ok(false),
        Some(w) if w == word => {
            args.advance();
            Ok(true)
        }
        Some(other) => Err(Error::new(format!("unknown argument '{other}' for '{name}' normalizer"))),
    };
    Ok(Box::new(match name {
        "fragment-encode" => Normalizer::FragmentEncode,
        "fragment-strip" => Normalizer::FragmentStrip,
        "path-merge-slashes" => Normalizer::MergeSlashes,
        "path-strip-dot" => Normalizer::StripDot,
        "path-strip-dotdot" => Normalizer::StripDotdot { full: option("full")? },
        "percent-decode-unreserved" => Normalizer::DecodeUnreserved { strict: option("strict")? },
        "percent-to-uppercase" => Normalizer::ToUppercase { strict: option("strict")? },
        "query-sort-by-name" => Normalizer::SortQuery,
        _ => return Err(Error::new(format!("unknown normalizer '{name}'"))),
    }))
}

#[cfg(test)]
mod tests;

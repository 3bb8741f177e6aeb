//! `set-headers-bin`, `add-headers-bin`, `del-headers-bin`: fields packed in one binary sample.
//!
//! The sample is what `req.hdrs_bin` returns: names and values by turns, each behind its length as a varint, ended by
//! an empty name with an empty value. Names to delete come without values.

use super::header::{NameMatch, method};
use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::Txn;
use hawser_cfg::octets;
use hawser_http::chars::is_name;
use hawser_sample::{Error, Expr};

/// Adds or sets fields.
#[derive(Debug)]
struct SetHeaders {
    fields: Expr,
    /// Only names that start with this.
    prefix: Box<[u8]>,
    add: bool,
}

impl Action for SetHeaders {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Some(packed) = txn.sample(&self.fields, |v| Some(v.into_bin().into_owned())) else {
            return Step::Next;
        };
        let mut rest = &packed[..];
        while let Some(name) = text(&mut rest) {
            let Some(value) = text(&mut rest) else { return Step::Failed };
            if name.is_empty() {
                return Step::Next;
            }
            if !name.get(..self.prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(&self.prefix)) {
                continue;
            }
            // What comes from a message is checked like a message.
            if !is_name(name) {
                return Step::Failed;
            }
            let step = if self.add { txn.add_field(name, value) } else { txn.set_field(name, value) };
            if let Step::Failed = step {
                return step;
            }
        }
        Step::Next
    }
}

/// Deletes fields.
#[derive(Debug)]
struct DelHeaders {
    names: Expr,
    how: NameMatch,
}

impl Action for DelHeaders {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Some(packed) = txn.sample(&self.names, |v| Some(v.into_bin().into_owned())) else {
            return Step::Next;
        };
        let Some(head) = txn.message() else { return Step::Next };
        let mut rest = &packed[..];
        while let Some(pattern) = text(&mut rest).filter(|p| !p.is_empty()) {
            for i in 0..head.fields.len() {
                let name = head.get(head.fields[i].name);
                if !name.is_empty() && self.how.test(name, pattern) {
                    head.delete_at(i);
                }
            }
        }
        Step::Next
    }
}

/// Takes a string behind its length.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(text)
}

/// Takes a number below 240 in one byte; larger ones go on four, then seven bits at a time.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let (first, mut after) = rest.split_first()?;
    let mut n = u64::from(*first);
    if n >= 240 {
        let mut shift = 4;
        loop {
            let (b, more) = after.split_first()?;
            after = more;
            n = n.checked_add(u64::from(*b).checked_shl(shift)?)?;
            shift += 7;
            if *b < 128 {
                break;
            }
        }
    }
    *rest = after;
    Some(n)
}

fn parse(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>, add: bool) -> Result<Box<dyn Action>, Error> {
    if args.is_done() {
        return Err(Error::new("expects exactly one argument or three arguments <headers> prefix <pfx>"));
    }
    let fields = args.expr(cx.cx)?;
    let prefix = if args.eat("prefix") {
        let [p] = args.take("expects 1 argument: <headers>; or 3 arguments: <headers> prefix <pfx>")?;
        p
    } else {
        ""
    };
    Ok(Box::new(SetHeaders { fields, prefix: octets::decode(prefix).into(), add }))
}

pub(super) fn add(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    parse(cx, args, true)
}

pub(super) fn set(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    parse(cx, args, false)
}

pub(super) fn del(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    if args.is_done() {
        return Err(Error::new("expects at least 1 argument"));
    }
    let names = args.expr(cx.cx)?;
    let method = method(args)?;
    let how = NameMatch::of(method).ok_or_else(|| {
        Error::new(match method {
            "reg" => "-m reg is unsupported with del-headers-bin due to performance reasons".to_owned(),
            other => format!("-m with unsupported matching method '{other}'"),
        })
    })?;
    Ok(Box::new(DelHeaders { names, how }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_one_or_more_bytes() {
        for (bytes, want) in [
            (&[0u8][..], Some(0)),
            (&[239], Some(239)),
            (&[240, 0], Some(240)),
            (&[241, 0], Some(241)),
            (&[255, 127], Some(255 + (127 << 4))),
            (&[240, 128, 1], Some(240 + (128 << 4) + (1 << 11))),
            (&[240], None),
            (&[], None),
            (&[255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], None),
        ] {
            let mut rest = bytes;
            assert_eq!(varint(&mut rest), want, "{bytes:?}");
        }
    }

    #[test]
    fn strings_stay_inside_the_sample() {
        let mut rest = &b"\x03abc\x00\x09x"[..];
        assert_eq!(text(&mut rest), Some(&b"abc"[..]));
        assert_eq!(text(&mut rest), Some(&b""[..]));
        assert_eq!(text(&mut rest), None);
    }
}

//! TLS hello messages in the buffers of TCP streams (manual 7.3.5), parsed without decrypting anything.

use super::payload::{raw, req, res};
use crate::args::{Arg, NONE};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, FetchFn, MayChange, fetch};
use crate::types::Type;
use crate::value::Value;
use std::borrow::Cow;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    res("rep_ssl_hello_type", NONE, Type::Sint, res_type, "Type of the server's TLS hello."),
    req("req.ssl_alpn", NONE, Type::Str, alpn, "Protocols that the client offers."),
    list("req.ssl_cipherlist", |_, c| bin(hello(c)?.ciphers), "Ciphers that the client offers."),
    req("req.ssl_ec_ext", NONE, Type::Bool, |_, c| Some(Value::Bool(hello(c)?.extension(10).is_some())), "Whether the client names elliptic curves."),
    req("req.ssl_hello_type", NONE, Type::Sint, req_type, "Type of the client's TLS hello."),
    list("req.ssl_keyshare_groups", keyshares, "Groups for which the client sends key shares."),
    list("req.ssl_sigalgs", |_, c| bin(vector(hello(c)?.extension(13)?)?), "Signature algorithms that the client offers."),
    req("req.ssl_sni", NONE, Type::Str, sni, "Server name that the client asks for."),
    req("req.ssl_st_ext", NONE, Type::Sint, |_, c| Some(Value::Int(match hello(c)?.extension(35) { None => 0, Some([]) => 1, Some(_) => 2 })), "Whether the client sends a session ticket."),
    list("req.ssl_supported_groups", |_, c| bin(vector(hello(c)?.extension(10)?)?), "Groups that the client offers."),
    req("req.ssl_ver", NONE, Type::Sint, |_, c| version(raw(c)?.data), "TLS version of the client's hello."),
    req("req_ssl_hello_type", NONE, Type::Sint, req_type, "Type of the client's TLS hello."),
    req("req_ssl_sni", NONE, Type::Str, sni, "Server name that the client asks for."),
    req("req_ssl_ver", NONE, Type::Sint, |_, c| version(raw(c)?.data), "TLS version of the client's hello."),
    res("res.ssl_hello_type", NONE, Type::Sint, res_type, "Type of the server's TLS hello."),
];

/// A row of the binary lists, which HAProxy allows in more places.
const fn list(name: &'static str, run: FetchFn, help: &'static str) -> Fetch {
    const ANY: Source = Source::FRONTEND.or(Source::L4_CLIENT).or(Source::L5_CLIENT).or(Source::REQ_BUF);
    fetch(name, NONE, Type::Bin, ANY, run, help).changes(MayChange::ReqData)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a fetch's result")]
fn bin(b: &[u8]) -> Option<Value<'_>> {
    Some(Value::Bin(Cow::Borrowed(b)))
}

/// What is looked at in a ClientHello.
struct Hello<'a> {
    ciphers: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Hello<'a> {
    /// The content of an extension.
    fn extension(&self, kind: u16) -> Option<&'a [u8]> {
        let mut rest = self.extensions;
        loop {
            let (k, r) = take_u16(rest)?;
            let (body, r) = take_vec16(r)?;
            if k == kind {
                return Some(body);
            }
            rest = r;
        }
    }
}

fn take(data: &[u8], n: usize) -> Option<(&[u8], &[u8])> {
    data.split_at_checked(n)
}

fn take_u16(data: &[u8]) -> Option<(u16, &[u8])> {
    let (n, rest) = data.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*n), rest))
}

/// Bytes behind their length of 8 bits.
fn take_vec8(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = data.split_first()?;
    take(rest, usize::from(*n))
}

/// Bytes behind their length of 16 bits.
fn take_vec16(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (n, rest) = take_u16(data)?;
    take(rest, usize::from(n))
}

/// Bytes behind their length of 16 bits, which is all there is.
fn vector(data: &[u8]) -> Option<&[u8]> {
    take_vec16(data).map(|v| v.0)
}

/// The body of the handshake message at the start of TLS records, with its type. The message must be complete, in one
/// record.
fn handshake(data: &[u8]) -> Option<(u8, &[u8])> {
    let [0x16, 3, _, rest @ ..] = data else { return None };
    let (record, _) = take_vec16(rest)?;
    let (head, body) = take(record, 4)?;
    let len = usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
    Some((head[0], body.get(..len)?))
}

fn hello<'a>(ctx: &Ctx<'a>) -> Option<Hello<'a>> {
    let (1, body) = handshake(raw(ctx)?.data)? else { return None };
    // Version and random, session id, ciphers, compression methods, extensions.
    let (_, rest) = take(body, 34)?;
    let (_, rest) = take_vec8(rest)?;
    let (ciphers, rest) = take_vec16(rest)?;
    let (_, rest) = take_vec8(rest)?;
    let extensions = vector(rest).unwrap_or_default();
    Some(Hello { ciphers, extensions })
}

fn req_type<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    hello_type(raw(ctx)?.data)
}

fn res_type<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    hello_type(ctx.res_data.filter(|_| ctx.res.is_none())?.data)
}

fn hello_type<'a>(data: &[u8]) -> Option<Value<'a>> {
    handshake(data).map(|(t, _)| Value::Int(i64::from(t)))
}

fn sni<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut names = vector(hello(ctx)?.extension(0)?)?;
    loop {
        let (kind, rest) = names.split_first()?;
        let (name, rest) = take_vec16(rest)?;
        if *kind == 0 {
            return Some(Value::str(name));
        }
        names = rest;
    }
}

/// The first protocol on offer.
fn alpn<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let (first, _) = take_vec8(vector(hello(ctx)?.extension(16)?)?)?;
    Some(Value::str(first))
}

fn keyshares<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let mut rest = vector(hello(ctx)?.extension(51)?)?;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (group, r) = take(rest, 2)?;
        let (_, r) = take_vec16(r)?;
        out.extend_from_slice(group);
        rest = r;
    }
    Some(Value::Bin(Cow::Owned(out)))
}

/// The version of a record or of an SSLv2 hello: major times 65536 plus minor.
fn version<'a>(data: &[u8]) -> Option<Value<'a>> {
    let join = |major: u8, minor: u8| Value::Int(i64::from(major) << 16 | i64::from(minor));
    match data {
        // The hello says more than its record, which old middle boxes want to be 3.1.
        [0x16, 3, _, rest @ ..] => {
            let (record, _) = take_vec16(rest)?;
            match record {
                [_, _, _, _, major @ 3, minor, ..] => Some(join(*major, *minor)),
                _ => None,
            }
        }
        // SSLv2: a length of 15 bits, type 1, version.
        [len, _, 1, major, minor, ..] if len & 0x80 != 0 => Some(join(*major, *minor)),
        _ => None,
    }
}

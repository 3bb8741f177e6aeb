//! Connections (manual 7.3.3).

use crate::args::{Arg, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::conv::{check_unit, unit};
use crate::ctx::Ctx;
use crate::facts::Sess;
use crate::row::{Fetch, FetchFn, fetch};
use crate::types::Type;
use crate::value::Value;
use hawser_proto::{Address, pp};
use std::borrow::Cow;

const CLIENT: Source = Source::L4_CLIENT;
const SERVER: Source = Source::L4_SERVER;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("accept_date", args(0, &[ArgType::Str]), Type::Sint, CLIENT, |a, c| date_in(a, super::timing::accept_micros(c)?), "Date of the accept.").check(unit_arg),
    addr("bc_dst", SERVER, |_, c| ip(&c.strm?.bc_dst), "Address of the server."),
    int("bc_dst_port", SERVER, |_, c| port(&c.strm?.bc_dst), "Port of the server."),
    int("bc_err", SERVER, |_, c| Some(Value::Int(i64::from(c.strm?.bc_err))), "Error of the connection to the server."),
    fetch("bc_err_name", NONE, Type::Str, SERVER, |_, c| Some(Value::str(error(c.strm?.bc_err).0)), "Name of the error of the connection to the server."),
    fetch("bc_err_str", NONE, Type::Str, SERVER, |_, c| Some(Value::str(error(c.strm?.bc_err).1)), "Text of the error of the connection to the server."),
    int("bc_glitches", SERVER, |_, c| Some(Value::Int(i64::from(c.strm?.bc_glitches))), "Oddities of the server."),
    int("bc_http_major", SERVER, |_, c| Some(Value::Int(i64::from(c.strm?.bc_http_major))), "HTTP version spoken with the server."),
    fetch("bc_reused", NONE, Type::Bool, SERVER, |_, c| Some(Value::Bool(c.strm?.bc_reused)), "Whether the connection to the server was reused."),
    addr("bc_src", SERVER, |_, c| ip(&c.strm?.bc_src), "Local address of the connection to the server."),
    int("bc_src_port", SERVER, |_, c| port(&c.strm?.bc_src), "Local port of the connection to the server."),
    addr("dst", CLIENT, |_, c| ip(c.dst()?), "Address that the client connected to."),
    int("dst_conn", Source::FRONTEND, dst_conn, "Connections of the listener."),
    fetch("dst_is_local", NONE, Type::Bool, CLIENT, |_, c| local(c.dst()?), "Whether the destination is an address of this machine."),
    int("dst_port", CLIENT, |_, c| port(c.dst()?), "Port that the client connected to."),
    addr("fc_dst", CLIENT, |_, c| ip(&c.sess?.fc_dst), "Original destination address."),
    fetch("fc_dst_is_local", NONE, Type::Bool, CLIENT, |_, c| local(&c.sess?.fc_dst), "Whether the original destination is an address of this machine."),
    int("fc_dst_port", CLIENT, |_, c| port(&c.sess?.fc_dst), "Original destination port."),
    int("fc_err", CLIENT, |_, c| Some(Value::Int(i64::from(c.sess?.fc_err))), "Error of the client connection."),
    fetch("fc_err_name", NONE, Type::Str, CLIENT, |_, c| Some(Value::str(error(c.sess?.fc_err).0)), "Name of the error of the client connection."),
    fetch("fc_err_str", NONE, Type::Str, CLIENT, |_, c| Some(Value::str(error(c.sess?.fc_err).1)), "Text of the error of the client connection."),
    int("fc_glitches", CLIENT, |_, c| Some(Value::Int(i64::from(c.sess?.fc_glitches))), "Oddities of the client."),
    int("fc_http_major", CLIENT, |_, c| Some(Value::Int(i64::from(c.sess?.fc_http_major))), "HTTP version spoken with the client."),
    int("fc_nb_streams", CLIENT, |_, c| Some(Value::Int(i64::from(c.sess?.fc_streams))), "Open streams of the client connection."),
    fetch("fc_pp_authority", NONE, Type::Str, CLIENT, |_, c| tlv(c.sess?, pp::AUTHORITY), "Authority from the PROXY header."),
    fetch("fc_pp_tlv", args(1, &[ArgType::Str]), Type::Str, Source::L5_CLIENT, |a, c| tlv(c.sess?, u8::try_from(a[0].int()?).ok()?), "A TLV of the PROXY header.").each(each_tlv).check(tlv_args),
    fetch("fc_pp_unique_id", NONE, Type::Str, CLIENT, |_, c| tlv(c.sess?, pp::UNIQUE_ID), "Unique id from the PROXY header."),
    fetch("fc_rcvd_proxy", NONE, Type::Bool, CLIENT, |_, c| Some(Value::Bool(c.sess?.rcvd_proxy)), "Whether a PROXY header came."),
    fetch("fc_saved_syn", NONE, Type::Bin, CLIENT, |_, c| c.sess?.saved_syn().map(|s| Value::Bin(Cow::Borrowed(s))), "The client's SYN packet."),
    int("fc_settings_streams_limit", Source::L5_CLIENT, |_, c| Some(Value::Int(i64::from(c.sess?.fc_streams_limit))), "Streams that the client may open."),
    addr("fc_src", CLIENT, |_, c| ip(&c.sess?.fc_src), "Original source address."),
    fetch("fc_src_is_local", NONE, Type::Bool, CLIENT, |_, c| local(&c.sess?.fc_src), "Whether the original source is an address of this machine."),
    int("fc_src_port", CLIENT, |_, c| port(&c.sess?.fc_src), "Original source port."),
    int("so_id", Source::FRONTEND, |_, c| Some(Value::Int(i64::from(c.sess?.listener_id))), "Id of the listener."),
    fetch("so_name", NONE, Type::Str, Source::FRONTEND, |_, c| c.sess?.listener_name.as_ref().map(|n| Value::str(n.as_bytes())), "Name of the listener."),
    addr("src", CLIENT, |_, c| ip(c.src()?), "Client address."),
    fetch("src_is_local", NONE, Type::Bool, CLIENT, |_, c| local(c.src()?), "Whether the client is on this machine."),
    int("src_port", CLIENT, |_, c| port(c.src()?), "Client port."),
];

const fn addr(name: &'static str, src: Source, run: FetchFn, help: &'static str) -> Fetch {
    fetch(name, NONE, Type::Addr, src, run, help)
}

const fn int(name: &'static str, src: Source, run: FetchFn, help: &'static str) -> Fetch {
    fetch(name, NONE, Type::Sint, src, run, help)
}

fn ip<'a>(a: &Address) -> Option<Value<'a>> {
    a.ip().map(Value::ip)
}

fn port<'a>(a: &Address) -> Option<Value<'a>> {
    a.ip().filter(|_| a.port() != 0).map(|_| Value::Int(i64::from(a.port())))
}

/// Whether a socket could be bound to an address: that is what being local means. UNIX sockets always are.
fn local<'a>(a: &Address) -> Option<Value<'a>> {
    match a {
        Address::Ip(sa) => Some(Value::Bool(std::net::UdpSocket::bind((sa.ip(), 0)).is_ok())),
        Address::Unix(_) | Address::Abns(_) => Some(Value::Bool(true)),
        _ => None,
    }
}

fn dst_conn<'a>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let s = ctx.sess?;
    ctx.rt?.listener_conn(s.frontend.index, s.listener_id).map(|n| Value::Int(i64::from(n)))
}

fn unit_arg(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    check_unit(a, 0)
}

/// A date in the unit of the first argument.
pub(super) fn date_in<'a>(a: &'a [Arg], micros: i64) -> Option<Value<'a>> {
    Some(Value::Int(micros.div_euclid(1_000_000 / unit(a.first()?)?)))
}

fn tlv(s: &Sess, kind: u8) -> Option<Value<'_>> {
    s.pp_tlvs()?.get(kind).map(Value::str)
}

fn each_tlv<'a>(a: &'a [Arg], ctx: &Ctx<'a>, f: &mut dyn FnMut(Value<'a>) -> bool) -> bool {
    let Some(s) = ctx.sess else { return false };
    s.pp_tlvs()
        .into_iter()
        .flat_map(|t| t.iter())
        .any(|t| Some(i64::from(t.0)) == a[0].int() && f(Value::str(t.1)))
}

fn tlv_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    const NAMES: [(&str, i64); 12] = [
        ("ALPN", 0x01),
        ("AUTHORITY", 0x02),
        ("CRC32C", 0x03),
        ("NOOP", 0x04),
        ("UNIQUE_ID", 0x05),
        ("SSL", 0x20),
        ("SSL_VERSION", 0x21),
        ("SSL_CN", 0x22),
        ("SSL_CIPHER", 0x23),
        ("SSL_SIG_ALG", 0x24),
        ("SSL_KEY_ALG", 0x25),
        ("NETNS", 0x30),
    ];
    let text = a[0].word();
    let id = match NAMES
        .iter()
        .find(|n| n.0.eq_ignore_ascii_case(text) || text.eq_ignore_ascii_case("CRC32") && n.1 == 3)
    {
        Some((_, id)) => *id,
        None => match text {
            "" => 0,
            t if t.starts_with("0x") => i64::from_str_radix(&t[2..], 16)
                .map_err(|_| Error::new(format!("Could not convert type '{text}'")))?,
            t => t.parse().map_err(|_| Error::new(format!("Could not convert type '{text}'")))?,
        },
    };
    if !(0..=255).contains(&id) {
        return Err(Error::new(format!("Invalid TLV Type '{text}'")));
    }
    a[0] = Arg::Int(id);
    Ok(())
}

/// Name and text of a connection error (manual 7.3.3, `fc_err_str`).
pub fn error(code: u8) -> (&'static str, &'static str) {
    ERRORS.get(usize::from(code)).copied().unwrap_or(("UNKNOWN", "Unknown error"))
}

/// Interface facts, by code.
#[rustfmt::skip]
static ERRORS: [(&str, &str); 57] = [
    ("", "Success"),
    ("CONF_FDLIM", "Reached configured maxconn value"),
    ("PROC_FDLIM", "Too many sockets on the process"),
    ("SYS_FDLIM", "Too many sockets on the system"),
    ("SYS_MEMLIM", "Out of system buffers"),
    ("NOPROTO", "Protocol or address family not supported"),
    ("SOCK_ERR", "General socket error"),
    ("PORT_RANGE", "Source port range exhausted"),
    ("CANT_BIND", "Can't bind to source address"),
    ("FREE_PORTS", "Out of local source ports on the system"),
    ("ADDR_INUSE", "Local source address already in use"),
    ("PRX_EMPTY", "Connection closed while waiting for PROXY protocol header"),
    ("PRX_ABORT", "Connection error while waiting for PROXY protocol header"),
    ("PRX_TIMEOUT", "Timeout while waiting for PROXY protocol header"),
    ("PRX_TRUNCATED", "Truncated PROXY protocol header received"),
    ("PRX_NOT_HDR", "Received something which does not look like a PROXY protocol header"),
    ("PRX_BAD_HDR", "Received an invalid PROXY protocol header"),
    ("PRX_BAD_PROTO", "Received an unhandled protocol in the PROXY protocol header"),
    ("CIP_EMPTY", "Connection closed while waiting for NetScaler Client IP header"),
    ("CIP_ABORT", "Connection error while waiting for NetScaler Client IP header"),
    ("CIP_TIMEOUT", "Timeout while waiting for a NetScaler Client IP header"),
    ("CIP_TRUNCATED", "Truncated NetScaler Client IP header received"),
    ("CIP_BAD_MAGIC", "Received an invalid NetScaler Client IP magic number"),
    ("CIP_BAD_PROTO", "Received an unhandled protocol in the NetScaler Client IP header"),
    ("SSL_EMPTY", "Connection closed during SSL handshake"),
    ("SSL_ABORT", "Connection error during SSL handshake"),
    ("SSL_TIMEOUT", "Timeout during SSL handshake"),
    ("SSL_TOO_MANY", "Too many SSL connections"),
    ("SSL_NO_MEM", "Out of memory when initializing an SSL connection"),
    ("SSL_RENEG", "Rejected a client-initiated SSL renegotiation attempt"),
    ("SSL_CA_FAIL", "SSL client CA chain cannot be verified"),
    ("SSL_CRT_FAIL", "SSL client certificate not trusted"),
    ("SSL_MISMATCH", "Server presented an SSL certificate different from the configured one"),
    ("SSL_MISMATCH_SNI", "Server presented an SSL certificate different from the expected one"),
    ("SSL_HANDSHAKE", "SSL handshake failure"),
    ("SSL_HANDSHAKE_HB", "SSL handshake failure after heartbeat"),
    ("SSL_KILLED_HB", "Stopped a TLSv1 heartbeat attack (CVE-2014-0160)"),
    ("SSL_NO_TARGET", "Attempt to use SSL on an unknown target (internal error)"),
    ("SSL_EARLY_FAILED", "Server refused early data"),
    ("SOCKS4_SEND", "SOCKS4 Proxy write error during handshake"),
    ("SOCKS4_RECV", "SOCKS4 Proxy read error during handshake"),
    ("SOCKS4_DENY", "SOCKS4 Proxy deny the request"),
    ("SOCKS4_ABORT", "SOCKS4 Proxy handshake aborted by server"),
    ("SSL_FATAL", "SSL fatal error"),
    ("REVERSE", "Reverse connect failure"),
    ("POLLERR", "Poller reported POLLERR"),
    ("EREFUSED", "ECONNREFUSED returned by OS"),
    ("ERESET", "ECONNRESET returned by OS"),
    ("EUNREACH", "ENETUNREACH returned by OS"),
    ("ENOMEM", "ENOMEM returned by OS"),
    ("EBADF", "EBADF returned by OS"),
    ("EFAULT", "EFAULT returned by OS"),
    ("EINVAL", "EINVAL returned by OS"),
    ("ENCONN", "ENCONN returned by OS"),
    ("ENSOCK", "ENSOCK returned by OS"),
    ("ENOBUFS", "ENOBUFS returned by OS"),
    ("EPIPE", "EPIPE returned by OS"),
];

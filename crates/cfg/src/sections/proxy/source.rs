//! `source <addr> [usesrc <addr>] [interface <name>]`, of proxies and of servers.

use crate::addr::{self, AddrUse};
use crate::model::{AddrKind, Source, UseSrc};
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;

/// Deepest occurrence that is counted from the end of a header.
const HISTORY: i32 = 10;

/// Parses the words of a line; returns how many belong to it.
///
/// # Errors
/// The number of the word that is wrong, and why.
pub(super) fn parse(
    cx: &Ctx<'_>,
    line: &Line<'_>,
    usage: AddrUse,
) -> Result<(Source, usize), (usize, String)> {
    let arg = line.arg(0);
    let addr = addr::parse(&cx.address(arg), usage).map_err(|e| (0, format!("'source {arg}' : {e}")))?;
    let mut source = Source { addr, usesrc: None, interface: None };
    let mut at = 1;
    loop {
        let value = line.arg(at + 1);
        match (line.arg(at), value) {
            ("usesrc", "") => {
                let text = "'usesrc' expects <addr>[:<port>], 'client', 'clientip', or 'hdr_ip(name,#)' as argument.";
                return Err((at, text.into()));
            }
            ("usesrc", _) => source.usesrc = Some(usesrc(cx, value).map_err(|e| (at + 1, e))?),
            ("interface", "") => return Err((at, "'source' : missing interface name.".into())),
            ("interface", _) => source.interface = Some(value.to_owned()),
            _ => return Ok((source, at)),
        }
        at += 2;
    }
}

fn usesrc(cx: &Ctx<'_>, text: &str) -> Result<UseSrc, String> {
    match text {
        "client" => return Ok(UseSrc::Client),
        "clientip" => return Ok(UseSrc::ClientIp),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix("hdr_ip(") {
        return header(rest.split(')').next().unwrap_or_default());
    }
    match addr::parse(&cx.address(text), AddrUse::Source) {
        Ok(addr) => match addr.kind {
            AddrKind::Ip(ip) => Ok(UseSrc::Addr(ip)),
            _ => Err(format!("'usesrc {text}' : not an IP address")),
        },
        Err(e) => Err(format!("'usesrc {text}' : {e}")),
    }
}

/// `name[,occurrence]`.
fn header(text: &str) -> Result<UseSrc, String> {
    let (name, occ) = text.split_once(',').unwrap_or((text, "-1"));
    let occ: i32 = occ.trim().parse().map_err(|_| format!("'{occ}' is not a number"))?;
    if occ < -HISTORY {
        return Err(format!(
            "usesrc hdr_ip(name,num) does not support negative occurrences values smaller than {HISTORY}."
        ));
    }
    Ok(UseSrc::HdrIp(name.trim().to_owned(), occ))
}

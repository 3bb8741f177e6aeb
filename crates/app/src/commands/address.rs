//! `set server … addr`: where a server listens from now on.

use super::find::Target;
use hawser_balance::server::ServerAddr;
use hawser_cli::{Reply, Severity};
use hawser_proto::Address;
use std::net::{IpAddr, SocketAddr};

/// `<addr> [port <port>]`; the answer tells what changed.
pub(super) fn change(t: &Target, words: &[String]) -> Result<Reply, Reply> {
    let word = |i: usize| words.get(i).map_or("", String::as_str);
    let addr = word(0);
    if addr.is_empty() {
        return Err(Reply::err("set server <b>/<s> addr requires an address and optionally a port."));
    }
    let port = (word(1) == "port").then(|| word(2));
    let ip: IpAddr = addr.parse().map_err(|_| notice(format!("Invalid addr '{addr}'")))?;
    let mut now = ServerAddr::clone(&t.server.addr.load());
    let Address::Ip(was) = now.addr else {
        let text =
            "Update for the current server address family is only supported through configuration file.";
        return Err(notice(text));
    };
    let mut told = Vec::new();
    if was.ip() != ip {
        told.push(format!("IP changed from '{}' to '{ip}'", was.ip()));
    }
    let mut to = SocketAddr::new(ip, was.port());
    if let Some(word) = port {
        let (number, offset) = parse_port(word)?;
        let old = shown_port(&now, was.port());
        now.port_offset = offset.then_some(number);
        now.port_missing = false;
        to.set_port(if offset { 0 } else { low(number) });
        let new = shown_port(&now, to.port());
        if old != new {
            told.push(format!("port changed from '{old}' to '{new}'"));
        }
    }
    if told.is_empty() {
        return Ok(notice("nothing changed"));
    }
    now.addr = Address::Ip(to);
    t.backend.set_addr(t.server.index, now);
    Ok(notice(format!("{} by 'stats socket command'", told.join(", "))))
}

fn notice(text: impl Into<String>) -> Reply {
    Reply::Message(Severity::Warning, text.into())
}

/// A port, or how far it is from the port that the client connected to, which is written with its sign.
fn parse_port(word: &str) -> Result<(i32, bool), Reply> {
    let offset = word.starts_with(['+', '-']);
    let number = word.parse::<i32>();
    let number = number.map_err(|_| notice(format!("problem converting port '{word}' to an int")))?;
    if !offset && u16::try_from(number).is_err() {
        return Err(notice("provided port is not valid."));
    }
    Ok((number, offset))
}

fn shown_port(addr: &ServerAddr, port: u16) -> String {
    match addr.port_offset {
        Some(n) => format!("{n:+}"),
        None => port.to_string(),
    }
}

fn low(n: i32) -> u16 {
    u16::try_from(n).unwrap_or(0)
}

//! `option spop-check`: the hello of the stream processing offload protocol, version 2.

use super::{Answer, Received, text};

const HAPROXY_HELLO: u8 = 1;
const AGENT_HELLO: u8 = 101;
const AGENT_DISCONNECT: u8 = 102;
/// Types of values.
const TRUE: u8 = 0x11;
const UINT32: u8 = 3;
const STRING: u8 = 8;

/// Largest frame that we take (bytes).
const FRAME: u64 = 16_380;
/// Longest frame that is waited for.
const LONGEST: usize = 16_384;

/// `HAPROXY-HELLO` that tells that nothing follows.
pub(super) fn hello() -> Vec<u8> {
    let mut f = vec![HAPROXY_HELLO, 0, 0, 0, 1, 0, 0];
    let mut name = |name: &[u8], value: &dyn Fn(&mut Vec<u8>)| {
        string(&mut f, name);
        value(&mut f);
    };
    name(b"supported-versions", &|f| {
        f.push(STRING);
        string(f, b"2.0");
    });
    name(b"max-frame-size", &|f| {
        f.push(UINT32);
        varint(f, FRAME);
    });
    name(b"capabilities", &|f| {
        f.push(STRING);
        string(f, b"");
    });
    name(b"healthcheck", &|f| f.push(TRUE));
    [&(f.len() as u32).to_be_bytes()[..], &f].concat()
}

/// `AGENT-HELLO`.
pub(super) fn agent(r: &Received<'_>) -> Answer {
    let invalid = || Answer::wrong("invalid frame received");
    let Some(len) = r.data.first_chunk().map(|n| u32::from_be_bytes(*n) as usize) else {
        return r.more_or(|| Answer::wrong(r.silence()));
    };
    if len > LONGEST {
        return invalid();
    }
    let Some(frame) = r.data.get(4..4 + len) else { return r.more_or(|| Answer::wrong("")) };
    let (kind, fields) = match frame {
        // Type, flags, the numbers of stream and frame.
        [kind @ (AGENT_HELLO | AGENT_DISCONNECT), _, _, _, _, 0, 0, rest @ ..] => (*kind, rest),
        _ => return invalid(),
    };
    let Some(told) = fields_of(fields) else { return invalid() };
    if kind == AGENT_DISCONNECT {
        return Answer::wrong(told.message.map_or("agent disconnects".into(), text));
    }
    let Some(version) = told.version else { return Answer::wrong("version value not found") };
    let Some(size) = told.frame else { return Answer::wrong("max-frame-size value not found") };
    match (version.starts_with(b"2."), size <= FRAME) {
        (false, _) => Answer::wrong("unsupported version"),
        (_, false) => Answer::wrong("max-frame-size too big or too small"),
        _ => Answer::good(""),
    }
}

#[derive(Default)]
struct Told<'a> {
    version: Option<&'a [u8]>,
    frame: Option<u64>,
    message: Option<&'a [u8]>,
}

fn fields_of(mut rest: &[u8]) -> Option<Told<'_>> {
    let mut told = Told::default();
    while !rest.is_empty() {
        let name = take_string(&mut rest)?;
        let (kind, after) = rest.split_first()?;
        rest = after;
        match kind & 0x0f {
            // Nothing, and a truth value, which is in the type.
            0 | 1 => {}
            2..=5 => {
                let n = take_varint(&mut rest)?;
                if name == b"max-frame-size" {
                    told.frame = Some(n);
                }
            }
            6 => rest = rest.get(4..)?,
            7 => rest = rest.get(16..)?,
            STRING | 9 => {
                let value = take_string(&mut rest)?;
                match name {
                    b"version" => told.version = Some(value),
                    b"message" => told.message = Some(value),
                    _ => {}
                }
            }
            _ => return None,
        }
    }
    Some(told)
}

fn string(out: &mut Vec<u8>, s: &[u8]) {
    varint(out, s.len() as u64);
    out.extend_from_slice(s);
}

/// An integer of variable length: four bits in the first byte, seven in each further one.
fn varint(out: &mut Vec<u8>, n: u64) {
    if n < 240 {
        return out.push(n as u8);
    }
    out.push(n as u8 | 0xf0);
    let mut rest = (n - 240) >> 4;
    while rest >= 128 {
        out.push(rest as u8 | 0x80);
        rest = (rest - 128) >> 7;
    }
    out.push(rest as u8);
}

fn take_varint(data: &mut &[u8]) -> Option<u64> {
    let mut byte = || {
        let (first, rest) = data.split_first()?;
        *data = rest;
        Some(u64::from(*first))
    };
    let mut n = byte()?;
    if n < 240 {
        return Some(n);
    }
    let mut shift = 4;
    loop {
        let b = byte()?;
        n = n.checked_add(b.checked_shl(shift)?)?;
        if b < 128 {
            return Some(n);
        }
        shift += 7;
    }
}

fn take_string<'a>(data: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take_varint(data)?).ok()?;
    let (s, rest) = data.split_at_checked(len)?;
    *data = rest;
    Some(s)
}

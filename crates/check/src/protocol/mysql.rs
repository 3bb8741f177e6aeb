//! `option mysql-check`: the server's greeting, and a login that quits at once where a user is given.

use super::{Answer, Received, text};
use hawser_cfg::model::MysqlDialect;

/// Length (3 bytes) and number of a packet.
const HEADER: usize = 4;
/// First byte of a packet that tells an error.
const ERROR: u8 = 0xff;
/// `COM_QUIT`.
const QUIT: [u8; 5] = [1, 0, 0, 0, 1];

const PROTOCOL_41: u32 = 0x200;
const SECURE_CONNECTION: u32 = 0x8000;
const PLUGIN_AUTH: u32 = 0x8_0000;
const LARGEST: u32 = 0x0100_8000;
const UTF8: u8 = 33;

/// The greeting, which starts with the versions of protocol and server.
pub(super) fn greeting(r: &Received<'_>) -> Answer {
    packet(r, |payload| match payload {
        [_, rest @ ..] if rest.contains(&0) => Answer::good(""),
        _ => Answer::wrong(""),
    })
}

/// What the login leads to. Whatever is no error shows a server that works.
pub(super) fn admitted(r: &Received<'_>) -> Answer {
    packet(r, |_| Answer::good(""))
}

fn packet(r: &Received<'_>, read: impl FnOnce(&[u8]) -> Answer) -> Answer {
    let payload = r.data.first_chunk().and_then(|[a, b, c]| {
        let len = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        r.data.get(HEADER..HEADER + len)
    });
    match payload {
        Some([ERROR, low, high, message @ ..]) => {
            Answer::refused(u16::from_le_bytes([*low, *high]), text(message))
        }
        Some([ERROR, ..] | []) => Answer::wrong(""),
        Some(payload) => read(payload),
        // The greeting is the only thing that a server sends of itself.
        None => r.more_or(|| Answer::wrong(if r.step == 2 { r.silence() } else { String::new() })),
    }
}

/// Logs in without password, and quits.
pub(super) fn login(user: &str, dialect: MysqlDialect) -> Vec<u8> {
    const PLUGIN: &[u8] = b"mysql_native_password\0";
    let mut body = Vec::new();
    if dialect == MysqlDialect::Pre41 {
        body.extend([0, 0x80, 0, 0, 1]);
    } else {
        let plugin = if dialect == MysqlDialect::Post80 { PLUGIN_AUTH } else { 0 };
        body.extend((PROTOCOL_41 | SECURE_CONNECTION | plugin).to_le_bytes());
        body.extend(LARGEST.to_le_bytes());
        body.push(UTF8);
        body.extend([0; 23]);
    }
    body.extend(user.bytes());
    // The end of the name, and a password of no bytes.
    body.extend([0, 0]);
    if dialect == MysqlDialect::Post80 {
        body.extend(PLUGIN);
    }
    let [a, b, c, _] = (body.len() as u32).to_le_bytes();
    [&[a, b, c, 1][..], &body, &QUIT].concat()
}

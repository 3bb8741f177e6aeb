//! `option ssl-hello-chk`: does somebody answer a client hello of SSLv3? Nothing is negotiated: a server that says that it
//! wants a later version speaks TLS too.

use super::{Answer, Received};
use crate::status::Status;

const ALERT: u8 = 0x15;
const HANDSHAKE: u8 = 0x16;

/// What should be random, for nobody to decipher.
const RANDOM: &[u8; 32] = b"hawser checks whether you listen";

/// A client hello that offers all that SSLv3 knows.
pub(super) fn hello() -> Vec<u8> {
    const VERSION: [u8; 2] = [3, 0];
    let suites: Vec<u8> = (1..=0x1b).chain(0x2f..=0x3a).flat_map(|n| [0, n]).collect();
    let mut body = VERSION.to_vec();
    body.extend(RANDOM);
    // No session.
    body.push(0);
    body.extend((suites.len() as u16).to_be_bytes());
    body.extend(suites);
    // No compression.
    body.extend([1, 0]);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut out = vec![HANDSHAKE];
    out.extend(VERSION);
    out.extend((message.len() as u16).to_be_bytes());
    out.extend(message);
    out
}

pub(super) fn answered(r: &Received<'_>) -> Answer {
    match r.data.first() {
        Some(&(HANDSHAKE | ALERT)) => Answer::Good(None, String::new()),
        Some(_) => Answer::Bad(Status::L6Rsp, None, String::new()),
        None => r.more_or(|| Answer::Bad(Status::L6Rsp, None, r.silence())),
    }
}

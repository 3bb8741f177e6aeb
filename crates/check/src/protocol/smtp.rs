//! `option smtpchk`: greeting, HELO or EHLO, QUIT (RFC 5321).

use super::{Answer, Received, text};

/// 220.
pub(super) fn greeting(r: &Received<'_>) -> Answer {
    reply(r, |code| code == 220)
}

/// 250.
pub(super) fn hello(r: &Received<'_>) -> Answer {
    reply(r, |code| code == 250)
}

/// Any 2xx will do for a goodbye.
pub(super) fn farewell(r: &Received<'_>) -> Answer {
    reply(r, |code| code / 100 == 2)
}

/// Reads a reply, of several lines or of one.
fn reply(r: &Received<'_>, good: impl Fn(u16) -> bool) -> Answer {
    let mut rest = r.data;
    loop {
        let Some(end) = memchr::memchr(b'\n', rest) else {
            return r.more_or(|| match r.line() {
                None if r.step > GREETING => Answer::refused(0, text(r.data)),
                _ => Answer::wrong(text(r.data)),
            });
        };
        let (line, more) = rest.split_at(end + 1);
        let code = line.get(..3).filter(|c| c.iter().all(u8::is_ascii_digit));
        let Some(code) = code.and_then(|c| str::from_utf8(c).ok()).and_then(|c| c.parse().ok()) else {
            return Answer::wrong(text(line));
        };
        match line.get(3) {
            Some(b'-') => rest = more,
            Some(b' ' | b'\r' | b'\n') => {
                let said = text(line.get(4..).unwrap_or_default());
                return if good(code) { Answer::Good(Some(code), said) } else { Answer::refused(code, said) };
            }
            _ => return Answer::wrong(text(line)),
        }
    }
}

/// The step of the greeting.
const GREETING: u32 = 2;

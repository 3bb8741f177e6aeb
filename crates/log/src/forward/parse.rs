//! Received messages: the headers of RFC 3164 and RFC 5424, as HAProxy recognises them.

use crate::clock::MONTHS;

/// Length of `Jan  1 00:00:00`.
pub(super) const BSD_TIME: usize = 15;
/// Length of the shortest `1970-01-01T00:00:00Z`.
pub(super) const ISO_TIME_MIN: usize = 20;
/// Place of the fraction of a second, or of the zone, in a time of RFC 5424.
const ISO_SECONDS: usize = 19;
/// Length of `+00:00`.
const ISO_ZONE: usize = 6;

/// A message and what its header said. Fields that are missing are empty.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub(super) struct Message<'a> {
    /// Facility and level, where it had a priority.
    pub(super) priority: Option<Priority>,
    /// `-`, a time of RFC 3164 or one of RFC 5424.
    pub(super) time: &'a [u8],
    pub(super) host: &'a [u8],
    pub(super) tag: &'a [u8],
    pub(super) pid: &'a [u8],
    pub(super) msgid: &'a [u8],
    pub(super) sd: &'a [u8],
    pub(super) text: &'a [u8],
}

/// `<PRI>`; both may be beyond what syslog knows.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct Priority {
    pub(super) facility: u32,
    pub(super) level: u8,
}

impl<'a> Message<'a> {
    /// A message that is not looked into.
    pub(super) fn raw(bytes: &'a [u8]) -> Self {
        Self { text: bytes, ..Self::default() }
    }

    /// Takes a message apart. One whose header is wrong keeps its priority, and all that follows is text.
    pub(super) fn parse(bytes: &'a [u8]) -> Self {
        let Some((priority, rest)) = priority(bytes) else { return Self::raw(bytes) };
        let parsed = match rest.strip_prefix(b"1 ") {
            Some(fields) if !fields.is_empty() => rfc5424(fields),
            _ => rfc3164(rest),
        };
        Self { priority: Some(priority), ..parsed.unwrap_or(Self::raw(rest)) }
    }
}

fn priority(bytes: &[u8]) -> Option<(Priority, &[u8])> {
    let end = bytes.iter().position(|b| *b == b'>')?;
    let digits = bytes[..end].strip_prefix(b"<")?;
    let mut n: u32 = 0;
    for d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        n = n.saturating_mul(10).saturating_add(u32::from(d - b'0'));
    }
    Some((Priority { facility: n >> 3, level: (n & 7) as u8 }, &bytes[end + 1..]))
}

/// `TIMESTAMP HOSTNAME TAG PID MSGID STDATA text`; a field that is `-` is missing.
fn rfc5424(bytes: &[u8]) -> Option<Message<'_>> {
    let (time, rest) = if bytes.starts_with(b"- ") && bytes.len() > 2 {
        (&bytes[..1], &bytes[1..])
    } else {
        bytes.split_at_checked(iso_time(bytes)?)?
    };
    let rest = rest.strip_prefix(b" ")?;
    let (host, rest) = field(rest)?;
    let (tag, rest) = field(rest)?;
    let (pid, rest) = field(rest)?;
    let (msgid, rest) = field(rest)?;
    let (sd, rest) = rest.split_at_checked(structured_data(rest)?)?;
    let text = rest.strip_prefix(b" ")?;
    Some(Message {
        priority: None,
        time,
        host: or_nothing(host),
        tag: or_nothing(tag),
        pid: or_nothing(pid),
        msgid: or_nothing(msgid),
        sd: or_nothing(sd),
        text,
    })
}

/// The length of the time at the start; its digits are not looked at.
fn iso_time(bytes: &[u8]) -> Option<usize> {
    if bytes.len() <= ISO_TIME_MIN {
        return None;
    }
    let mut at = ISO_SECONDS;
    if bytes[at] == b'.' {
        let digits = bytes[at + 1..].iter().position(|b| !b.is_ascii_digit())?;
        at += 1 + digits;
        if !matches!(bytes[at], b'Z' | b'+' | b'-') {
            return None;
        }
    }
    at += if bytes[at] == b'Z' { 1 } else { ISO_ZONE };
    (bytes.get(at) == Some(&b' ')).then_some(at)
}

/// A field that is not empty and the space after it, off the start.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b' ').filter(|end| *end > 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn or_nothing(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

/// The length of `-`, or of `[a b="c"][d]`: a bracket ends at `]`, unless that is escaped.
fn structured_data(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"- ") {
        return Some(1);
    }
    if !bytes.starts_with(b"[") {
        return None;
    }
    let (mut inside, mut before) = (false, b' ');
    for (i, b) in bytes.iter().enumerate() {
        match (inside, b) {
            (true, b']') if before != b'\\' => inside = false,
            (true, _) => {}
            (false, b'[') => inside = true,
            (false, b' ') => return Some(i),
            (false, _) => return None,
        }
        before = *b;
    }
    None
}

/// `Jan  1 00:00:00 HOSTNAME TAG[PID]: text`; the tag may be missing.
fn rfc3164(bytes: &[u8]) -> Option<Message<'_>> {
    let (time, rest) = bytes.split_at_checked(BSD_TIME)?;
    if !MONTHS.iter().any(|m| time.starts_with(m.as_bytes())) {
        return None;
    }
    let (host, text) = field(rest.strip_prefix(b" ")?)?;
    Some(tagged(Message { time, host, text, ..Message::default() }))
}

/// Takes `TAG[PID]: ` off the text.
fn tagged(m: Message<'_>) -> Message<'_> {
    let Some(end) = m.text.iter().position(|b| matches!(b, b' ' | b':')) else { return m };
    if m.text.get(end..end + 2) != Some(b": ") {
        return m;
    }
    let word = &m.text[..end];
    let (mut tag, mut pid, mut open): (&[u8], &[u8], Option<usize>) = (b"", b"", None);
    for (i, b) in word.iter().enumerate() {
        match (b, open) {
            (b'[', _) => {
                tag = &word[..i];
                open = Some(i + 1);
            }
            (b']', Some(_)) if i + 1 != end => return Message { tag, ..m },
            (b']', Some(from)) => pid = &word[from..i],
            _ => {}
        }
    }
    Message { tag: if tag.is_empty() { word } else { tag }, pid, text: &m.text[end + 2..], ..m }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(m: &[u8]) -> [String; 8] {
        let m = Message::parse(m);
        let pri = m.priority.map_or("none".into(), |p| format!("{}.{}", p.facility, p.level));
        let s = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        [pri, s(m.time), s(m.host), s(m.tag), s(m.pid), s(m.msgid), s(m.sd), s(m.text)]
    }

    const TIME: &str = "Oct 11 22:14:15";
    const ISO: &str = "2003-10-11T22:14:15.003Z";

    #[test]
    fn rfc3164_headers() {
        for (m, want) in [
            ("<34>Oct 11 22:14:15 h su[12]: failed", ["4.2", TIME, "h", "su", "12", "", "", "failed"]),
            ("<34>Oct 11 22:14:15 h su: failed", ["4.2", TIME, "h", "su", "", "", "", "failed"]),
            ("<34>Oct 11 22:14:15 h failed it", ["4.2", TIME, "h", "", "", "", "", "failed it"]),
            ("<34>Oct 11 22:14:15 h su:failed", ["4.2", TIME, "h", "", "", "", "", "su:failed"]),
            ("<34>Oct 11 22:14:15 h ", ["4.2", TIME, "h", "", "", "", "", ""]),
            ("<34>Oct 11 22:14:15 h", ["4.2", "", "", "", "", "", "", "Oct 11 22:14:15 h"]),
            ("<34>Oct 11 22:14:15", ["4.2", "", "", "", "", "", "", "Oct 11 22:14:15"]),
            ("<34>Okt 11 22:14:15 h t: m", ["4.2", "", "", "", "", "", "", "Okt 11 22:14:15 h t: m"]),
            // What HAProxy makes of strange tags.
            ("<34>Oct 11 22:14:15 h t[1]x: m", ["4.2", TIME, "h", "t", "", "", "", "t[1]x: m"]),
            ("<34>Oct 11 22:14:15 h [1]: m", ["4.2", TIME, "h", "[1]", "1", "", "", "m"]),
            ("<34>Oct 11 22:14:15 h : m", ["4.2", TIME, "h", "", "", "", "", "m"]),
        ] {
            assert_eq!(fields(m.as_bytes()), want, "{m}");
        }
    }

    #[test]
    fn rfc5424_headers() {
        for (m, want) in [
            ("<165>1 2003-10-11T22:14:15.003Z h t p i - m x", ["20.5", ISO, "h", "t", "p", "i", "", "m x"]),
            ("<165>1 - - - - - - m", ["20.5", "-", "", "", "", "", "", "m"]),
            (
                "<165>1 - h t p i [a b=\"\\]\"][c] m",
                ["20.5", "-", "h", "t", "p", "i", "[a b=\"\\]\"][c]", "m"],
            ),
            (
                "<1>1 2003-08-24T05:14:15-07:00 h t p i - m",
                ["0.1", "2003-08-24T05:14:15-07:00", "h", "t", "p", "i", "", "m"],
            ),
        ] {
            assert_eq!(fields(m.as_bytes()), want, "{m}");
        }
        for wrong in [
            "1 2003-10-11T22:14:15.003Z host",
            "1 2003-10-11T22:14:15.0x3Z h t p i - m",
            "1 2003-10-11T22:14:15Zh t p i - m",
            "1 - h t p i [a m",
            "1 - h t p i [a]b m",
            "1 - h t p i -x m",
            "1 - h t p i -",
            "1 - h  p i - m",
            "1 -",
        ] {
            let m = format!("<34>{wrong}");
            assert_eq!(fields(m.as_bytes()), ["4.2", "", "", "", "", "", "", wrong]);
        }
    }

    #[test]
    fn priorities() {
        for (m, pri, text) in [
            ("<0>x", "0.0", "x"),
            ("<>x", "0.0", "x"),
            ("<191>x", "23.7", "x"),
            ("<9999>x", "1249.7", "x"),
            ("<99999999999999999999>x", "536870911.7", "x"),
            ("<3x>y", "none", "<3x>y"),
            ("<3", "none", "<3"),
            ("x<3>", "none", "x<3>"),
            ("", "none", ""),
        ] {
            let f = fields(m.as_bytes());
            assert_eq!((&*f[0], &*f[7]), (pri, text), "{m}");
        }
    }

    proptest! {
        /// Nothing panics, and the text is what the message ends with.
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let m = Message::parse(&bytes);
            prop_assert!(bytes.ends_with(m.text));
        }

        /// The same for messages that are nearly right.
        #[test]
        fn nearly_messages(
            head in "<[0-9]{0,3}>(1 )?(- |[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} |2003-1[0-9]-11T22:14:15(\\.[0-9]{0,3})?(Z|[+-]07:00) ?)",
            tail in "[-a \\[\\]:\\\\=\"]{0,40}",
        ) {
            let bytes = [head.as_bytes(), tail.as_bytes()].concat();
            let m = Message::parse(&bytes);
            prop_assert!(bytes.ends_with(m.text) && m.priority.is_some());
        }
    }
}

//! Messages in a stream (RFC 6587): those that begin with their length (octet counting), and those that end with
//! their line (non-transparent framing).

/// What the start of a stream's bytes is.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Frame {
    /// The message's place, and how many bytes are used up.
    Message { from: usize, to: usize, used: usize },
    /// Its end is still to come.
    Partial,
    /// No message, or one that is longer than `max`.
    Invalid,
}

/// Finds the first message of `bytes`. A frame has at most `max` bytes. With `lines`, messages end with their line
/// whatever they begin with.
pub(super) fn next(bytes: &[u8], max: usize, lines: bool) -> Frame {
    match bytes.first() {
        None => Frame::Partial,
        Some(b) if lines || *b == b'<' => line(bytes, max),
        Some(b'1'..=b'9') => counted(bytes, max),
        Some(_) => Frame::Invalid,
    }
}

/// Some senders end their lines with CR LF.
fn line(bytes: &[u8], max: usize) -> Frame {
    let seen = &bytes[..bytes.len().min(max)];
    match seen.iter().position(|b| *b == b'\n') {
        Some(end) => {
            let to = if end > 0 && bytes[end - 1] == b'\r' { end - 1 } else { end };
            Frame::Message { from: 0, to, used: end + 1 }
        }
        None if bytes.len() >= max => Frame::Invalid,
        None => Frame::Partial,
    }
}

/// A length that does not begin with a zero, a space, the message.
fn counted(bytes: &[u8], max: usize) -> Frame {
    let mut length = 0_usize;
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'0'..=b'9' => length = length * 10 + usize::from(b - b'0'),
            b' ' if i + 1 + length > max => return Frame::Invalid,
            b' ' if bytes.len() < i + 1 + length => return Frame::Partial,
            b' ' => return Frame::Message { from: i + 1, to: i + 1 + length, used: i + 1 + length },
            _ => return Frame::Invalid,
        }
        // Before it can overflow.
        if length > max {
            return Frame::Invalid;
        }
    }
    Frame::Partial
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(from: usize, to: usize, used: usize) -> Frame {
        Frame::Message { from, to, used }
    }

    #[test]
    fn frames() {
        for (bytes, lines, want) in [
            ("", false, Frame::Partial),
            ("<1>a\nrest", false, message(0, 4, 5)),
            ("<1>a\r\nrest", false, message(0, 4, 6)),
            ("<1>a", false, Frame::Partial),
            ("\n", false, Frame::Invalid),
            ("\n", true, message(0, 0, 1)),
            ("hello\n", false, Frame::Invalid),
            ("hello\n", true, message(0, 5, 6)),
            ("3 abcd", false, message(2, 5, 5)),
            ("3 abcd\n", true, message(0, 6, 7)),
            ("3 ab", false, Frame::Partial),
            ("3", false, Frame::Partial),
            ("0 a", false, Frame::Invalid),
            ("3a abc", false, Frame::Invalid),
            ("29 ", false, Frame::Invalid),
            ("17 ", false, Frame::Partial),
            ("18 ", false, Frame::Invalid),
            ("11111111111111111111111111111", false, Frame::Invalid),
            ("<1>56789012345678901", false, Frame::Invalid),
            ("<1>5678901234567890\n", false, message(0, 19, 20)),
        ] {
            assert_eq!(next(bytes.as_bytes(), 20, lines), want, "{bytes:?}");
        }
    }

    proptest! {
        /// Whatever comes, in whatever pieces: no panic, and a full buffer is never called partial.
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..60), max in 1_usize..40, lines: bool) {
            match next(&bytes, max, lines) {
                Frame::Message { from, to, used } => {
                    prop_assert!(from <= to && to <= used && used <= bytes.len() && used <= max);
                }
                Frame::Partial => prop_assert!(bytes.len() < max),
                Frame::Invalid => {}
            }
        }

        /// Octet counting finds what was counted.
        #[test]
        fn counted_messages(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..30), 1..5)) {
            let mut stream = Vec::new();
            for m in &messages {
                stream.extend_from_slice(format!("{} ", m.len()).as_bytes());
                stream.extend_from_slice(m);
            }
            let mut rest = stream.as_slice();
            for m in &messages {
                let Frame::Message { from, to, used } = next(rest, 100, false) else { panic!("{rest:?}") };
                prop_assert_eq!(&rest[from..to], m.as_slice());
                rest = &rest[used..];
            }
            prop_assert!(rest.is_empty());
        }
    }
}

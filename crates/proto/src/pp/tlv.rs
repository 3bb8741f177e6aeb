//! Type-length-value entries of PROXY headers of version 2.

use bytes::Bytes;

/// Host name that the client asked for.
pub const AUTHORITY: u8 = 0x02;
/// Checksum over the whole header.
pub const CRC32C: u8 = 0x03;
/// Unique id of the connection.
pub const UNIQUE_ID: u8 = 0x05;
/// Network namespace of the sender.
pub const NETNS: u8 = 0x30;

/// The entries of a header, as they came: they cost a connection nothing but their own bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tlvs(pub(super) Bytes);

impl Tlvs {
    /// Types and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        entries(&self.0).map(|(kind, _, value)| (kind, value))
    }

    /// The first value of a type.
    pub fn get(&self, kind: u8) -> Option<&[u8]> {
        self.iter().find(|t| t.0 == kind).map(|t| t.1)
    }

    /// Of (type, value) pairs; values longer than 65535 bytes are left out.
    pub fn of(pairs: &[(u8, &[u8])]) -> Self {
        let mut out = Vec::new();
        for (kind, value) in pairs {
            push(&mut out, *kind, value);
        }
        Self(out.into())
    }
}

/// Appends an entry; false, and nothing appended, if the value is too long for one.
pub(super) fn push(out: &mut Vec<u8>, kind: u8, value: &[u8]) -> bool {
    let Ok(len) = u16::try_from(value.len()) else { return false };
    out.push(kind);
    out.extend(len.to_be_bytes());
    out.extend_from_slice(value);
    true
}

/// Types, offsets of values and values; stops at the first broken entry.
pub(super) fn entries(bytes: &[u8]) -> impl Iterator<Item = (u8, usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, value) = entry(bytes.get(at..)?)?;
        let start = at + 3;
        at = start + value.len();
        Some((kind, start, value))
    })
}

/// Whether the bytes are entries from the first to the last.
pub(super) fn well_formed(bytes: &[u8]) -> bool {
    bytes.len() == entries(bytes).last().map_or(0, |(_, at, value)| at + value.len())
}

fn entry(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<3>()?;
    let len = usize::from(u16::from_be_bytes([head[1], head[2]]));
    Some((head[0], rest.get(..len)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_again() {
        let t = Tlvs::of(&[(0xe0, b"a"), (0xe1, b""), (0xe0, b"b")]);
        assert_eq!(t.get(0xe0), Some(b"a".as_slice()));
        assert_eq!(t.get(0xe1), Some(b"".as_slice()));
        assert_eq!(t.get(0xe2), None);
        assert_eq!(t.iter().filter(|t| t.0 == 0xe0).count(), 2);
        assert!(well_formed(&t.0) && well_formed(b""));
        for n in 1..t.0.len() {
            let whole = [4, 7].contains(&n);
            assert_eq!(well_formed(&t.0[..n]), whole, "{n}");
        }
    }
}

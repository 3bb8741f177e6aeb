//! A field block before it is known what the table holds when it goes out.

use super::encoder::{ONCE, SECRET, literal};
use super::statics::STATIC;
use hawser_http::KnownName;
use hawser_proto::buf;
use std::sync::LazyLock;

/// What stands before an item: the index of the name, and how long name and value are.
const MARK: usize = 9;

/// In the place of that index: what follows is encoded.
const DONE: u8 = 0xff;

/// Indexes of names in the static table.
const AUTHORITY: u8 = 1;
const METHOD: u8 = 2;
const PATH: u8 = 4;
const SCHEME: u8 = 6;
const STATUS: u8 = 8;

/// What is done with the fields of a name.
#[derive(Clone, Copy)]
struct Usage {
    /// In the static table, 0 if it is not there.
    index: u8,
    /// How they are sent, if they never become entries.
    form: Option<(u8, u32)>,
}

/// By the number of the variant.
static USAGE: LazyLock<Vec<Usage>> = LazyLock::new(|| KnownName::ALL.map(usage).into());

fn usage(name: KnownName) -> Usage {
    use KnownName::{
        Age, Authorization, ContentLength, ContentRange, Cookie, Etag, IfModifiedSince, IfNoneMatch,
        Location, ProxyAuthorization, SetCookie,
    };
    let form = match name {
        // Worth guessing: they stay out of the table that all streams of a connection are encoded with, or one client
        // could find out those of another by the size of its own (RFC 7541 section 7.1).
        Cookie | SetCookie | Authorization | ProxyAuthorization => Some(SECRET),
        // Hardly ever the same.
        Age | ContentLength | ContentRange | Etag | IfModifiedSince | IfNoneMatch | Location => Some(ONCE),
        _ => None,
    };
    Usage { index: static_index(name.as_str().as_bytes()), form }
}

/// Indexes of all names in the static table, by the length of the name.
static INDEXES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let of_len = |len| {
        let named = STATIC.iter().zip(1..).filter(|(s, _)| s.0.len() == len);
        named.map(|(_, index)| index).collect()
    };
    (0..=STATIC.iter().map(|s| s.0.len()).max().unwrap_or(0)).map(of_len).collect()
});

fn static_index(name: &[u8]) -> u8 {
    let all = INDEXES.get(name.len()).map_or(&[][..], Vec::as_slice);
    let same = |at: &&u8| STATIC.get(usize::from(**at) - 1).is_some_and(|s| s.0.eq_ignore_ascii_case(name));
    all.iter().find(same).copied().unwrap_or(0)
}

/// A field block.
#[derive(Debug)]
pub(crate) struct Sheet {
    text: Vec<u8>,
    /// The last item is encoded, and starts there.
    open: Option<usize>,
    /// It asks for a response without a body.
    pub(crate) bodyless: bool,
}

/// A part of one.
pub(super) enum Item<'a> {
    Done(&'a [u8]),
    Field {
        /// Of the name in the static table; 0 if it is not there.
        index: u8,
        /// How long the name is, if it is not there.
        name: usize,
        /// Name and value.
        text: &'a [u8],
    },
}

impl Sheet {
    /// An empty one. Its memory comes from the thread's pool.
    pub(crate) fn new() -> Self {
        Self { text: buf::take_text(), open: None, bodyless: false }
    }

    /// Whether there is no field.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds a field. Its name becomes lower case.
    pub(crate) fn field(&mut self, known: KnownName, name: &[u8], value: &[u8]) {
        let Some(Usage { mut index, form }) = USAGE.get(known as usize).copied() else { return };
        if known == KnownName::Other {
            index = static_index(name);
        }
        match form {
            Some(form) => self.done(|out| literal(out, form, index.into(), name, value)),
            None => self.item(index, if index == 0 { name } else { b"" }, value),
        }
    }

    /// `:status`.
    pub(crate) fn status(&mut self, status: u16) {
        let digits = [status / 100, status / 10, status].map(|n| b'0' + (n % 10) as u8);
        self.pseudo(STATUS, &digits);
    }

    /// `:method`.
    pub(crate) fn method(&mut self, method: &[u8]) {
        self.pseudo(METHOD, method);
    }

    /// `:scheme`.
    pub(crate) fn scheme(&mut self, scheme: &[u8]) {
        self.pseudo(SCHEME, scheme);
    }

    /// `:authority`.
    pub(crate) fn authority(&mut self, authority: &[u8]) {
        self.item(AUTHORITY, b"", authority);
    }

    /// `:path`.
    pub(crate) fn path(&mut self, path: &[u8]) {
        match path {
            b"/" => self.done(|out| out.push(0x80 | PATH)),
            // Hardly ever the same.
            _ => self.done(|out| literal(out, ONCE, PATH.into(), b"", path)),
        }
    }

    /// `:protocol`.
    pub(crate) fn protocol(&mut self, protocol: &[u8]) {
        self.item(0, b":protocol", protocol);
    }

    /// A field that the static table may have as a whole, from that index on.
    fn pseudo(&mut self, index: u8, value: &[u8]) {
        let entries = STATIC.get(usize::from(index) - 1..).unwrap_or_default();
        let name = entries.first().map(|e| e.0);
        let mut same = entries.iter().zip(index..).take_while(|(e, _)| Some(e.0) == name);
        match same.find(|(e, _)| e.1 == value) {
            Some((_, at)) => self.done(|out| out.push(0x80 | at)),
            None => self.item(index, b"", value),
        }
    }

    fn item(&mut self, index: u8, name: &[u8], value: &[u8]) {
        self.open = None;
        self.text.reserve(MARK + name.len() + value.len());
        self.text.extend_from_slice(&mark(index, name.len(), value.len()));
        if index == 0 {
            let from = self.text.len();
            self.text.extend_from_slice(name);
            self.text.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
        }
        self.text.extend_from_slice(value);
    }

    fn done(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let from = self.open.unwrap_or(self.text.len());
        if self.open.is_none() {
            self.text.extend([0; MARK]);
            self.open = Some(from);
        }
        put(&mut self.text);
        let len = self.text.len() - from - MARK;
        if let Some(to) = self.text.get_mut(from..from + MARK) {
            to.copy_from_slice(&mark(DONE, 0, len));
        }
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let mut rest = &self.text[..];
        std::iter::from_fn(move || {
            let ([index, n0, n1, n2, n3, v0, v1, v2, v3], text) = rest.split_first_chunk::<MARK>()?;
            let [name, value] =
                [[n0, n1, n2, n3], [v0, v1, v2, v3]].map(|n| u32::from_le_bytes(n.map(|b| *b)) as usize);
            let (text, behind) = text.split_at_checked(name + value)?;
            rest = behind;
            Some(if *index == DONE { Item::Done(text) } else { Item::Field { index: *index, name, text } })
        })
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        buf::give_text(std::mem::take(&mut self.text));
    }
}

/// Heads are bounded far below 4 GiB.
fn mark(index: u8, name: usize, value: usize) -> [u8; MARK] {
    let ([n0, n1, n2, n3], [v0, v1, v2, v3]) = ((name as u32).to_le_bytes(), (value as u32).to_le_bytes());
    [index, n0, n1, n2, n3, v0, v1, v2, v3]
}

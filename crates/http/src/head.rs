//! The head of a message: start line and fields over one buffer.

use crate::chars::is_name;
use crate::name::KnownName;
use smallvec::SmallVec;

/// A range of bytes in a [`Head`]'s buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// First byte.
    pub off: u32,
    /// Number of bytes.
    pub len: u32,
}

/// HTTP version of a message as received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0.
    H10,
    /// HTTP/1.1.
    H11,
    /// HTTP/2.
    H2,
    /// HTTP/3.
    H3,
}

impl Version {
    /// `1.0`, `1.1`, `2.0`, `3.0`: what `req.ver` returns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::H10 => "1.0",
            Self::H11 => "1.1",
            Self::H2 => "2.0",
            Self::H3 => "3.0",
        }
    }
}

/// The start line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// A request line. The target is kept as received (origin, absolute, authority or asterisk form).
    Request {
        /// Method, case-sensitive.
        method: Span,
        /// Request target.
        target: Span,
        /// Version.
        version: Version,
    },
    /// A status line.
    Response {
        /// Version.
        version: Version,
        /// Status code, 100 to 999.
        status: u16,
        /// Reason phrase, possibly empty.
        reason: Span,
    },
    /// A trailer section.
    Trailers,
}

/// One field. A deleted field stays in the index with `name.len == 0` until the next [`Head::clear`].
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, with the case of arrival.
    pub name: Span,
    /// Its value, without leading and trailing white space.
    pub value: Span,
    /// The name, if it is one the proxy knows.
    pub known: KnownName,
}

/// A message head. Reused from one message to the next of a connection: [`Head::clear`] keeps the buffer.
#[derive(Clone, Debug)]
pub struct Head {
    /// All bytes that ranges point into. Rewrites append; nothing is moved.
    pub buf: Vec<u8>,
    /// The start line.
    pub start: Start,
    /// The fields in order, deleted ones included.
    pub fields: SmallVec<[Field; 16]>,
    /// The target is absolute because HTTP/2 tells scheme and authority with every request, not because the
    /// client spoke to a proxy: HTTP/1 servers get it in origin form.
    pub normalized: bool,
    /// Protocol and version as they were written, where relaxed parsing took something else than the versions that
    /// [`Start`] knows; such a message has the meaning of HTTP/1.0. Empty otherwise.
    pub protocol: Span,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            buf: Vec::new(),
            start: Start::Trailers,
            fields: SmallVec::new(),
            normalized: false,
            protocol: Span::default(),
        }
    }
}

impl Head {
    /// A request head.
    pub fn request(method: &[u8], target: &[u8], version: Version) -> Self {
        let mut h = Self::default();
        let (method, target) = (h.append(method), h.append(target));
        h.start = Start::Request { method, target, version };
        h
    }

    /// A response head.
    pub fn response(version: Version, status: u16, reason: &[u8]) -> Self {
        let mut h = Self::default();
        let reason = h.append(reason);
        h.start = Start::Response { version, status, reason };
        h
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.buf.clear();
        self.fields.clear();
        self.start = Start::Trailers;
        self.normalized = false;
        self.protocol = Span::default();
    }

    /// Appends bytes to the buffer and returns their range.
    pub fn append(&mut self, bytes: &[u8]) -> Span {
        let off = self.buf.len() as u32;
        self.buf.extend_from_slice(bytes);
        Span { off, len: bytes.len() as u32 }
    }

    /// The bytes of a range.
    pub fn get(&self, s: Span) -> &[u8] {
        self.buf.get(s.off as usize..(s.off + s.len) as usize).unwrap_or_default()
    }

    /// Version as received.
    pub fn version(&self) -> Version {
        match self.start {
            Start::Request { version, .. } | Start::Response { version, .. } => version,
            Start::Trailers => Version::H11,
        }
    }

    /// Method of a request, empty otherwise.
    pub fn method(&self) -> &[u8] {
        if let Start::Request { method, .. } = self.start { self.get(method) } else { b"" }
    }

    /// Target of a request, empty otherwise.
    pub fn target(&self) -> &[u8] {
        if let Start::Request { target, .. } = self.start { self.get(target) } else { b"" }
    }

    /// Status of a response, 0 otherwise.
    pub fn status(&self) -> u16 {
        if let Start::Response { status, .. } = self.start { status } else { 0 }
    }

    /// Reason phrase of a response.
    pub fn reason(&self) -> &[u8] {
        if let Start::Response { reason, .. } = self.start { self.get(reason) } else { b"" }
    }

    /// Replaces the method; what is no token is ignored.
    pub fn set_method(&mut self, m: &[u8]) {
        if !is_name(m) {
            return;
        }
        let s = self.append(m);
        if let Start::Request { method, .. } = &mut self.start {
            *method = s;
        }
    }

    /// Replaces the request target; what cannot be one (empty, or with white space or controls) is ignored.
    /// [`Head::set_uri`] tells.
    pub fn set_target(&mut self, t: &[u8]) {
        if t.is_empty() || t.iter().any(|&b| b <= b' ' || b == 0x7f) {
            return;
        }
        let s = self.append(t);
        if let Start::Request { target, .. } = &mut self.start {
            *target = s;
        }
    }

    /// Replaces status and reason.
    pub fn set_status(&mut self, code: u16, text: &[u8]) {
        let s = self.append_value(text);
        if let Start::Response { status, reason, .. } = &mut self.start {
            *status = code;
            *reason = s;
        }
    }

    /// All live fields, as (name, value).
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
        self.fields.iter().filter(|f| f.name.len != 0).map(|f| (self.get(f.name), self.get(f.value)))
    }

    /// Values of all live fields of that name, whatever its case, in order.
    pub fn values<'a>(&'a self, name: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
        self.fields
            .iter()
            .filter(move |f| f.name.len as usize == name.len() && self.get(f.name).eq_ignore_ascii_case(name))
            .filter(|f| f.name.len != 0)
            .map(|f| self.get(f.value))
    }

    /// Values of all live fields of a known name.
    pub fn known(&self, name: KnownName) -> impl DoubleEndedIterator<Item = &[u8]> + '_ {
        self.fields.iter().filter(move |f| f.known == name && f.name.len != 0).map(|f| self.get(f.value))
    }

    /// First value of a known name.
    pub fn first(&self, name: KnownName) -> Option<&[u8]> {
        self.known(name).next()
    }

    /// Appends a value. CR, LF and NUL become spaces (RFC 9110 section 5.5), so that no value, wherever it comes
    /// from, can make another field.
    pub fn append_value(&mut self, value: &[u8]) -> Span {
        let s = self.append(value);
        if memchr::memchr3(b'\r', b'\n', 0, value).is_some() {
            for b in self.buf.iter_mut().skip(s.off as usize).filter(|b| matches!(b, b'\r' | b'\n' | 0)) {
                *b = b' ';
            }
        }
        s
    }

    /// Appends a field. One whose name is no token is not added; for the value see [`Head::append_value`].
    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        if !is_name(name) {
            return;
        }
        let known = KnownName::of(name);
        let (name, value) = (self.append(name), self.append_value(value));
        self.fields.push(Field { name, value, known });
    }

    /// Appends a field that needs no check: `known` is what [`KnownName::of`] says of its name, which is a token, and
    /// the value has neither CR nor LF nor NUL.
    pub fn push(&mut self, known: KnownName, name: &[u8], value: &[u8]) {
        let (name, value) = (self.append(name), self.append(value));
        self.fields.push(Field { name, value, known });
    }

    /// Replaces every field of that name by one at the end.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    /// Removes every field of that name; returns how many there were.
    pub fn remove(&mut self, name: &[u8]) -> usize {
        let mut n = 0;
        for i in 0..self.fields.len() {
            let f = self.fields[i];
            if f.name.len != 0
                && f.name.len as usize == name.len()
                && self.get(f.name).eq_ignore_ascii_case(name)
            {
                self.delete_at(i);
                n += 1;
            }
        }
        n
    }

    /// Removes every field of a known name.
    pub fn remove_known(&mut self, name: KnownName) -> usize {
        let mut n = 0;
        for i in 0..self.fields.len() {
            if self.fields[i].known == name && self.fields[i].name.len != 0 {
                self.delete_at(i);
                n += 1;
            }
        }
        n
    }

    /// Deletes the field at an index of [`Head::fields`].
    pub fn delete_at(&mut self, i: usize) {
        self.fields[i].name.len = 0;
        self.fields[i].known = KnownName::Other;
    }

    /// Replaces the value of the field at an index of [`Head::fields`].
    pub fn set_value_at(&mut self, i: usize, value: &[u8]) {
        let s = self.append_value(value);
        self.fields[i].value = s;
    }

    /// Gives every field of a name another one, keeping values and positions; returns how many there were.
    /// Nothing happens if the new name is no token.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> usize {
        if !is_name(to) {
            return 0;
        }
        let (known, mut span, mut n) = (KnownName::of(to), None, 0);
        for i in 0..self.fields.len() {
            if self.named(i, from) {
                let name = *span.get_or_insert_with(|| self.append(to));
                self.fields[i].name = name;
                self.fields[i].known = known;
                n += 1;
            }
        }
        n
    }

    /// Is the field at this index a live one of that name, whatever its case?
    pub fn named(&self, i: usize, name: &[u8]) -> bool {
        self.fields.get(i).is_some_and(|f| f.name.len != 0 && self.get(f.name).eq_ignore_ascii_case(name))
    }

    /// Number of live fields.
    pub fn live(&self) -> usize {
        self.fields.iter().filter(|f| f.name.len != 0).count()
    }

    /// Bytes that the start line and the live fields take on an HTTP/1 wire, without what the mux adds. Callers
    /// that rewrite compare this with the buffer size, as [`Head::buf`] also holds what was replaced.
    pub fn wire_len(&self) -> usize {
        let start = match self.start {
            Start::Request { method, target, .. } => method.len as usize + target.len as usize + 12,
            Start::Response { reason, .. } => reason.len as usize + 15,
            Start::Trailers => 0,
        };
        let fields = self.fields.iter().filter(|f| f.name.len != 0);
        start + fields.map(|f| f.name.len as usize + f.value.len as usize + 4).sum::<usize>() + 2
    }

    /// Copies what is live to the front of the buffer and forgets deleted fields and replaced bytes. Indexes of
    /// fields and ranges taken before are void. Worth it when rules rewrite in a loop; nothing needs it else.
    pub fn compact(&mut self) {
        let old = std::mem::take(&mut self.buf);
        self.fields.retain(|f| f.name.len != 0);
        let mut buf = Vec::with_capacity(self.wire_len());
        let mut keep = |s: &mut Span| {
            let bytes = old.get(s.off as usize..(s.off + s.len) as usize).unwrap_or_default();
            *s = Span { off: buf.len() as u32, len: bytes.len() as u32 };
            buf.extend_from_slice(bytes);
        };
        match &mut self.start {
            Start::Request { method, target, .. } => {
                keep(method);
                keep(target);
            }
            Start::Response { reason, .. } => keep(reason),
            Start::Trailers => {}
        }
        keep(&mut self.protocol);
        for f in &mut self.fields {
            keep(&mut f.name);
            keep(&mut f.value);
        }
        self.buf = buf;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Head {
        let mut h = Head::request(b"GET", b"/", Version::H11);
        for (n, v) in [("Host", "a"), ("X-A", "1"), ("x-a", "2"), ("Cookie", "c=d")] {
            h.add(n.as_bytes(), v.as_bytes());
        }
        h
    }

    fn text(h: &Head) -> String {
        h.iter()
            .map(|(n, v)| format!("{}={};", String::from_utf8_lossy(n), String::from_utf8_lossy(v)))
            .collect()
    }

    #[test]
    fn edits_touch_only_the_named_fields() {
        type Edit = fn(&mut Head) -> usize;
        let cases: &[(Edit, usize, &str)] = &[
            (|h| h.remove(b"X-a"), 2, "Host=a;Cookie=c=d;"),
            (|h| h.remove(b"none"), 0, "Host=a;X-A=1;x-a=2;Cookie=c=d;"),
            (|h| h.remove(b""), 0, "Host=a;X-A=1;x-a=2;Cookie=c=d;"),
            (|h| h.remove_known(KnownName::Host), 1, "X-A=1;x-a=2;Cookie=c=d;"),
            (|h| h.rename(b"x-a", b"Y"), 2, "Host=a;Y=1;Y=2;Cookie=c=d;"),
            (|h| h.rename(b"host", b"X-Host"), 1, "X-Host=a;X-A=1;x-a=2;Cookie=c=d;"),
        ];
        for (edit, count, after) in cases {
            let mut h = sample();
            assert_eq!(edit(&mut h), *count);
            assert_eq!(text(&h), *after);
        }
        let mut h = sample();
        h.set(b"x-a", b"3");
        assert_eq!(text(&h), "Host=a;Cookie=c=d;x-a=3;");
        h.rename(b"host", b"other");
        assert_eq!(h.first(KnownName::Host), None, "a renamed field is known by its new name only");
    }

    #[test]
    fn compacting_changes_nothing_but_the_buffer() {
        let mut h = sample();
        h.remove(b"x-a");
        h.set_value_at(0, b"bb");
        h.set_target(b"/longer");
        let (before, len) = (text(&h), h.wire_len());
        h.compact();
        assert_eq!((text(&h), h.wire_len(), h.target(), h.live()), (before, len, &b"/longer"[..], 2));
        assert_eq!(h.buf, b"GET/longerHostbbCookiec=d");
    }

    #[test]
    fn wire_len_counts_what_is_written() {
        assert_eq!(
            sample().wire_len(),
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nCookie: c=d\r\n\r\n".len()
        );
        let r = Head::response(Version::H11, 200, b"OK");
        assert_eq!(r.wire_len(), "HTTP/1.1 200 OK\r\n\r\n".len());
    }

    #[test]
    fn no_edit_can_split_a_message() {
        let mut h = sample();
        h.add(b"X", b"a\r\nY: b\0");
        h.set_value_at(0, b"a\nb");
        h.add(b"", b"v");
        h.add(b"A B", b"v");
        h.add(b"A:", b"v");
        h.set(b"C\r\nD", b"v");
        assert_eq!(h.rename(b"cookie", b"a\nb"), 0);
        h.set_target(b"/ HTTP/1.1\r\n");
        h.set_target(b"");
        h.set_method(b"A B");
        assert_eq!(text(&h), "Host=a b;X-A=1;x-a=2;Cookie=c=d;X=a  Y: b ;");
        assert_eq!((h.method(), h.target()), (&b"GET"[..], &b"/"[..]));
        let mut r = Head::response(Version::H11, 200, b"OK");
        r.set_status(302, b"x\r\ny");
        assert_eq!((r.status(), r.reason()), (302, &b"x  y"[..]));
    }

    #[test]
    fn ranges_outside_the_buffer_read_as_empty() {
        assert_eq!(sample().get(Span { off: 1000, len: 5 }), b"");
    }
}

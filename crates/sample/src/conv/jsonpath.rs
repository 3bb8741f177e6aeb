//! `json_query`: one value out of a JSON document, without building a tree.

use super::string::string;
use crate::args::{Arg, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv};
use crate::types::Type;
use crate::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// Rows.
pub(super) static CONVERTERS: &[Converter] = &[conv(
    "json_query",
    args(1, &[ArgType::Str, ArgType::Str]),
    Type::Str,
    Type::Any,
    query,
    "Extracts a value from JSON.",
)
.check(check)];

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 64;

/// One step of a path.
#[derive(Debug)]
enum Step {
    Key(Vec<u8>),
    Index(usize),
}

/// A compiled query; `None` for a path that can match nothing.
#[derive(Debug)]
struct Query {
    path: Option<Vec<Step>>,
    int: bool,
}

fn check(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let int = match a[1].word() {
        "" => false,
        "int" => true,
        _ => return Err(Error::new("output_type only supports \"int\" as argument")),
    };
    if a[0].is_empty() {
        return Err(Error::new("json_path must not be empty"));
    }
    a[0] = Arg::Own(Arc::new(Query { path: path(a[0].text()), int }));
    Ok(())
}

/// `$.a.b[0]`; a dot in a key is escaped by a backslash.
fn path(text: &[u8]) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix(b"$")?;
    let mut out = Vec::new();
    while let Some(c) = rest.first() {
        match c {
            b'.' => {
                let mut key = Vec::new();
                let mut i = 1;
                while let Some(c) = rest.get(i).filter(|c| !matches!(c, b'.' | b'[')) {
                    let escaped = *c == b'\\' && rest.get(i + 1).is_some();
                    i += usize::from(escaped);
                    key.push(rest[i]);
                    i += 1;
                }
                out.push(Step::Key(key));
                rest = &rest[i..];
            }
            b'[' => {
                let end = memchr::memchr(b']', rest)?;
                out.push(Step::Index(std::str::from_utf8(&rest[1..end]).ok()?.parse().ok()?));
                rest = &rest[end + 1..];
            }
            _ => return None,
        }
    }
    Some(out)
}

fn query<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let q = a.first()?.own::<Query>()?;
    let s = string(v);
    // Reading stops where the value ends: what follows is never looked at.
    let (from, to) = Parser { s: &s, i: 0 }.find(q.path.as_deref()?, 0)?;
    let raw = s.get(from?..to)?;
    Some(match raw.first()? {
        b'"' => Value::Str(Cow::Owned(unescape(&raw[1..raw.len() - 1])?)),
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'n' | b'{' => return None,
        b'[' => Value::Str(Cow::Owned(raw.to_vec())),
        _ if q.int => Value::Int(integer(raw)?),
        _ => Value::Str(Cow::Owned(general(raw)?.into_bytes())),
    })
}

/// The integer that a number starts with; `None` beyond 64 bits.
fn integer(raw: &[u8]) -> Option<i64> {
    let end = raw.iter().skip(1).position(|c| !c.is_ascii_digit()).map_or(raw.len(), |i| i + 1);
    std::str::from_utf8(&raw[..end]).ok()?.parse().ok()
}

/// A number with six significant digits, as `%g` of printf(3) writes it.
fn general(raw: &[u8]) -> Option<String> {
    const DIGITS: i32 = 6;
    // Parsing takes time in the length of the text only, whatever the exponent says.
    let n: f64 = std::str::from_utf8(raw).ok()?.parse().ok()?;
    if !n.is_finite() {
        return None;
    }
    let text = format!("{n:.5e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let trim = |t: &str| match t.contains('.') {
        true => t.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => t.to_owned(),
    };
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return Some(trim(&format!("{n:.decimals$}")));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs()))
}

/// A recursive descent over the text.
struct Parser<'s> {
    s: &'s [u8],
    i: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.s.get(self.i).is_some_and(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n')) {
            self.i += 1;
        }
    }

    fn eat(&mut self, c: u8) -> Option<()> {
        self.space();
        (self.s.get(self.i) == Some(&c)).then(|| self.i += 1)
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.s.get(self.i).copied()
    }

    /// Reads a value and returns where the one at the end of the path stands in it: (start if found, end).
    fn find(&mut self, path: &[Step], depth: usize) -> Option<(Option<usize>, usize)> {
        if depth > MAX_DEPTH {
            return None;
        }
        let start = {
            self.space();
            self.i
        };
        let inner = match self.peek()? {
            b'{' => self.object(path, depth)?,
            b'[' => self.array(path, depth)?,
            b'"' => {
                self.text()?;
                None
            }
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => {
                self.digits()?;
                None
            }
        };
        Some(match (path, inner) {
            ([], _) => (Some(start), self.i),
            (_, Some((from, to))) => (Some(from), to),
            (_, None) => (None, self.i),
        })
    }

    fn object(&mut self, path: &[Step], depth: usize) -> Option<Option<(usize, usize)>> {
        let mut found = None;
        self.eat(b'{')?;
        if self.eat(b'}').is_some() {
            return Some(None);
        }
        loop {
            self.space();
            let key_at = self.i + 1;
            self.text()?;
            let key = &self.s[key_at..self.i - 1];
            self.eat(b':')?;
            let step = match path.split_first() {
                Some((Step::Key(k), rest)) if k == key => Some(rest),
                _ => None,
            };
            self.member(step, depth, &mut found)?;
            if found.is_some() {
                return Some(found);
            }
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(None);
            }
        }
    }

    fn array(&mut self, path: &[Step], depth: usize) -> Option<Option<(usize, usize)>> {
        let mut found = None;
        self.eat(b'[')?;
        if self.eat(b']').is_some() {
            return Some(None);
        }
        for n in 0.. {
            let step = match path.split_first() {
                Some((Step::Index(i), rest)) if *i == n => Some(rest),
                _ => None,
            };
            self.member(step, depth, &mut found)?;
            if found.is_some() {
                return Some(found);
            }
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                break;
            }
        }
        Some(None)
    }

    /// A member of an object or array: followed if it is on the path, else only read.
    fn member(
        &mut self,
        path: Option<&[Step]>,
        depth: usize,
        found: &mut Option<(usize, usize)>,
    ) -> Option<()> {
        // A step that no member has: nothing below is found.
        const NOWHERE: &[Step] = &[Step::Index(usize::MAX)];
        if let (Some(from), to) = self.find(path.unwrap_or(NOWHERE), depth + 1)? {
            *found = Some((from, to));
        }
        Some(())
    }

    /// A string with its quotes.
    fn text(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            let rest = self.s.get(self.i..)?;
            let n = memchr::memchr2(b'"', b'\\', rest)?;
            if rest[..n].iter().any(|c| *c < b' ') {
                return None;
            }
            if rest[n] == b'"' {
                self.i += n + 1;
                return Some(());
            }
            self.i += n + 2;
        }
    }

    fn word(&mut self, w: &[u8]) -> Option<Option<(usize, usize)>> {
        self.s.get(self.i..)?.starts_with(w).then(|| {
            self.i += w.len();
            None
        })
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.i;
        while self.s.get(self.i).is_some_and(|c| c.is_ascii_digit() || b"+-.eE".contains(c)) {
            self.i += 1;
        }
        let text = std::str::from_utf8(&self.s[start..self.i]).ok()?;
        text.parse::<f64>().ok().map(|_| ())
    }
}

/// Resolves the escapes of a string.
fn unescape(s: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len());
    let mut i = 0;
    while let Some(&c) = s.get(i) {
        i += 1;
        if c != b'\\' {
            out.push(c);
            continue;
        }
        let e = *s.get(i)?;
        i += 1;
        match e {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let hex = |i: usize| {
                    let t = std::str::from_utf8(s.get(i..i + 4)?).ok()?;
                    u32::from_str_radix(t, 16).ok()
                };
                let mut code = hex(i)?;
                i += 4;
                // A pair of surrogates is one character.
                if (0xd800..0xdc00).contains(&code) && s.get(i..i + 2) == Some(b"\\u") {
                    let low = hex(i + 2)?;
                    code = 0x1_0000 + ((code - 0xd800) << 10) + low.checked_sub(0xdc00)?;
                    i += 6;
                }
                let c = char::from_u32(code)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            c @ (b'"' | b'\\' | b'/') => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

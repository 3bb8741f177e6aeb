//! Patterns: constant data that samples are compared with (manual 7.1).
//!
//! Patterns are compiled into the fastest matcher for their method; matching allocates nothing for strings that the
//! sample already holds.

mod files;
mod ip;
mod map;
mod number;
mod regex;
mod strings;

use crate::compile::Error;
use crate::types::Type;
use crate::value::Value;
use ::regex::bytes::Regex;
use hawser_cfg::octets;
use std::borrow::Cow;

pub use files::{Entry, Source, load};
pub(crate) use ip::embedded_v4;
pub use map::{Map, Output};
pub use number::{Notation, Range, parse_range, with_operator};
pub use regex::regex;

/// How samples and patterns are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the methods of manual 7.1")]
pub enum Method {
    Found,
    Bool,
    Int,
    Ip,
    Bin,
    Len,
    Str,
    Beg,
    Sub,
    Dir,
    Dom,
    End,
    Reg,
}

impl Method {
    /// All methods with their names.
    pub const ALL: [(&'static str, Self); 13] = [
        ("found", Self::Found),
        ("bool", Self::Bool),
        ("int", Self::Int),
        ("ip", Self::Ip),
        ("bin", Self::Bin),
        ("len", Self::Len),
        ("str", Self::Str),
        ("beg", Self::Beg),
        ("sub", Self::Sub),
        ("dir", Self::Dir),
        ("dom", Self::Dom),
        ("end", Self::End),
        ("reg", Self::Reg),
    ];

    /// The method of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|m| m.0 == name).map(|m| m.1)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|m| m.1 == self).map_or("", |m| m.0)
    }

    /// Type that a sample is converted to before it is compared.
    pub fn wants(self) -> Type {
        match self {
            Self::Found => Type::Any,
            Self::Bool | Self::Int => Type::Sint,
            Self::Ip => Type::Addr,
            Self::Bin => Type::Bin,
            _ => Type::Str,
        }
    }

    /// The method that a type implies, if any.
    pub fn default_for(ty: Type) -> Option<Self> {
        match ty {
            Type::Bool => Some(Self::Bool),
            Type::Sint => Some(Self::Int),
            Type::Addr | Type::Ipv4 | Type::Ipv6 => Some(Self::Ip),
            Type::Str => Some(Self::Str),
            _ => None,
        }
    }
}

/// Compiled patterns of one method. Positions are those of insertion.
#[derive(Debug, Default)]
pub struct Patterns {
    kind: Kind,
}

#[derive(Debug, Default)]
enum Kind {
    /// No pattern can be compared: nothing matches.
    #[default]
    Empty,
    /// Any sample matches.
    Found,
    /// The sample's own truth.
    Bool,
    Int(Vec<Range>),
    Len(Vec<Range>),
    Ip(ip::IpSet),
    Strings(strings::Strings),
    Regexes(Vec<(u32, Regex)>),
}

/// Gathers patterns.
#[derive(Debug)]
pub struct Builder {
    method: Method,
    ints: Vec<Range>,
    ips: ip::IpSetBuilder,
    strings: strings::StringsBuilder,
    regexes: Vec<(u32, Regex)>,
    count: u32,
    notation: Notation,
    resolve: bool,
}

impl Builder {
    /// For a method.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            ints: Vec::new(),
            ips: ip::IpSetBuilder::default(),
            strings: strings::StringsBuilder::new(method),
            regexes: Vec::new(),
            count: 0,
            notation: Notation::Plain,
            resolve: false,
        }
    }

    /// How numbers are written.
    pub fn notation(&mut self, n: Notation) {
        self.notation = n;
    }

    /// Whether host names are resolved where addresses are expected; not by default.
    pub fn resolve(&mut self, yes: bool) {
        self.resolve = yes;
    }

    /// Patterns so far.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Adds one pattern; `icase` ignores case where that means something.
    ///
    /// # Errors
    /// A pattern that is not one of its method.
    pub fn add(&mut self, text: &str, icase: bool) -> Result<(), Error> {
        let at = self.count;
        match self.method {
            Method::Found | Method::Bool => {}
            Method::Int | Method::Len => self.ints.push(parse_range(text, self.notation)?),
            Method::Ip => self.ips.add(at, text, self.resolve)?,
            Method::Bin => self.strings.add(at, unhex(text)?, icase),
            Method::Reg => self.regexes.push((at, regex(text, icase)?)),
            _ => self.strings.add(at, octets::decode(text).into_owned(), icase),
        }
        self.count += 1;
        Ok(())
    }

    /// Adds a number with an operator (`gt`, `lt`…; empty for equality).
    ///
    /// # Errors
    /// A pattern that is no number.
    pub fn add_with_operator(&mut self, op: &str, text: &str) -> Result<(), Error> {
        self.ints.push(with_operator(op, text, self.notation)?);
        self.count += 1;
        Ok(())
    }

    /// Compiles them.
    pub fn build(self) -> Patterns {
        let kind = match self.method {
            Method::Found => Kind::Found,
            Method::Bool => Kind::Bool,
            _ if self.count == 0 => Kind::Empty,
            Method::Int => Kind::Int(self.ints),
            Method::Len => Kind::Len(self.ints),
            Method::Ip => Kind::Ip(self.ips.build()),
            Method::Reg => Kind::Regexes(self.regexes),
            _ => Kind::Strings(self.strings.build()),
        };
        Patterns { kind }
    }
}

impl Patterns {
    /// Whether any pattern matches.
    pub fn matches(&self, v: &Value<'_>) -> bool {
        match &self.kind {
            Kind::Empty => false,
            Kind::Found => true,
            Kind::Bool => v.as_bool().unwrap_or(false),
            Kind::Strings(s) => with_bytes(v, |b| s.matches(b)),
            Kind::Regexes(r) => with_bytes(v, |b| r.iter().any(|(_, r)| r.is_match(b))),
            _ => self.find(v).is_some(),
        }
    }

    /// Whether any pattern matches a string, for methods that compare strings.
    pub(crate) fn matches_bytes(&self, s: &[u8]) -> bool {
        match &self.kind {
            Kind::Strings(p) => p.matches(s),
            Kind::Regexes(r) => r.iter().any(|(_, r)| r.is_match(s)),
            Kind::Len(r) => position(r, i64::try_from(s.len()).unwrap_or(i64::MAX)).is_some(),
            _ => self.matches(&Value::str(s)),
        }
    }

    /// Position of the pattern that matches: what a map looks up.
    pub fn find(&self, v: &Value<'_>) -> Option<u32> {
        match &self.kind {
            Kind::Empty => None,
            Kind::Found => Some(0),
            Kind::Bool => v.as_bool().filter(|b| *b).map(|_| 0),
            Kind::Int(r) => {
                let i = v.as_int()?;
                position(r, i)
            }
            Kind::Len(r) => position(r, with_bytes(v, |b| i64::try_from(b.len()).unwrap_or(i64::MAX))),
            Kind::Ip(set) => set.find(v.as_ip()?),
            Kind::Strings(s) => with_bytes(v, |b| s.find(b)),
            Kind::Regexes(r) => with_bytes(v, |b| r.iter().find(|(_, r)| r.is_match(b)).map(|(i, _)| *i)),
        }
    }
}

/// The first range that holds a number.
fn position(r: &[Range], i: i64) -> Option<u32> {
    r.iter().position(|r| r.has(i)).and_then(|p| u32::try_from(p).ok())
}

/// Calls with the bytes of a sample, formatting numbers and addresses on the way.
fn with_bytes<R>(v: &Value<'_>, f: impl FnOnce(&[u8]) -> R) -> R {
    match v.raw() {
        Some(b) => f(b),
        None => {
            let s: Cow<'_, [u8]> = v.clone().into_str();
            f(&s)
        }
    }
}

/// Bytes from hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, Error> {
    if !text.len().is_multiple_of(2) {
        return Err(Error::new("an even number of hex digit is expected"));
    }
    let digit = |c: u8| {
        (c as char)
            .to_digit(16)
            .ok_or_else(|| Error::new(format!("an hex digit is expected (found '{}')", c as char)))
    };
    #[expect(clippy::cast_possible_truncation, reason = "two digits make one byte")]
    text.as_bytes().chunks_exact(2).map(|p| Ok((digit(p[0])? << 4 | digit(p[1])?) as u8)).collect()
}

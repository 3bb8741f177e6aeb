//! Maps: patterns with a value each (manual 7.3.1, `map`).

use super::{Builder, Method, Patterns, files};
use crate::compile::Error;
use crate::conv::{Part, expand, parts};
use crate::types::Type;
use crate::value::{Value, parse_int, parse_ip};
use hawser_cfg::octets;
use regex::bytes::Regex;
use std::borrow::Cow;
use std::net::IpAddr;

/// What a lookup returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// The value as a string.
    Str,
    /// The value as an integer.
    Int,
    /// The value as an address.
    Ip,
    /// The pattern that matched.
    Key,
    /// The value with references to the groups of the regular expression that matched.
    Groups,
}

/// A compiled map.
#[derive(Debug)]
pub struct Map {
    patterns: Patterns,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Str(Box<[Box<[u8]>]>),
    Int(Box<[i64]>),
    Ip(Box<[IpAddr]>),
    Groups(Box<[(Regex, Box<[Part]>)]>),
}

impl Map {
    /// Reads and compiles a map.
    ///
    /// # Errors
    /// A file that cannot be read, a pattern or a value that is not of its type.
    pub fn load(name: &str, method: Method, output: Output) -> Result<Self, Error> {
        let mut b = Builder::new(method);
        let entries = files::load(name, true)?;
        let file = files::Source::of(name).name();
        let place = |e: Error, line: usize| Error::new(format!("{} at line {line} of file '{file}'", e.text));
        for e in &entries {
            b.add(&e.key, false).map_err(|x| place(x, e.line))?;
        }
        let bad = |e: &files::Entry| {
            Error::new(format!(
                "error at line {} of file '{file}': '{}' is not a valid value",
                e.line, e.value
            ))
        };
        let values = match output {
            Output::Str => Values::Str(entries.iter().map(|e| bytes(&e.value)).collect()),
            Output::Key => Values::Str(entries.iter().map(|e| bytes(&e.key)).collect()),
            Output::Int => {
                let list: Result<_, Error> =
                    entries.iter().map(|e| crate::args::integer(&e.value).ok_or_else(|| bad(e))).collect();
                Values::Int(list?)
            }
            Output::Ip => {
                let list: Result<_, Error> =
                    entries.iter().map(|e| parse_ip(e.value.as_bytes()).ok_or_else(|| bad(e))).collect();
                Values::Ip(list?)
            }
            Output::Groups => {
                let list: Result<_, Error> = entries
                    .iter()
                    .map(|e| Ok((super::regex(&e.key, false)?, parts(&bytes(&e.value)))))
                    .collect();
                Values::Groups(list?)
            }
        };
        Ok(Self { patterns: b.build(), values })
    }

    /// The value for a sample.
    pub fn find(&self, v: &Value<'_>) -> Option<Value<'_>> {
        if let Values::Groups(list) = &self.values {
            let text = v.raw()?;
            return list.iter().find_map(|(re, parts)| {
                let caps = re.captures(text)?;
                let mut out = Vec::new();
                expand(parts, &caps, &mut out);
                Some(Value::Str(Cow::Owned(out)))
            });
        }
        let i = self.patterns.find(v)? as usize;
        match &self.values {
            Values::Str(l) => l.get(i).map(|s| Value::str(&**s)),
            Values::Int(l) => l.get(i).map(|n| Value::Int(*n)),
            Values::Ip(l) => l.get(i).map(|a| Value::ip(*a)),
            Values::Groups(_) => None,
        }
    }
}

impl Output {
    /// Type of what a lookup returns.
    pub fn kind(self) -> Type {
        match self {
            Self::Str | Self::Key | Self::Groups => Type::Str,
            Self::Int => Type::Sint,
            Self::Ip => Type::Addr,
        }
    }

    /// A default value of that type.
    pub fn parse(self, text: &[u8]) -> Option<Value<'static>> {
        match self {
            Self::Int => parse_int(text).map(Value::Int),
            Self::Ip => parse_ip(text).map(Value::ip),
            _ => Some(Value::Str(Cow::Owned(text.to_vec()))),
        }
    }
}

fn bytes(text: &str) -> Box<[u8]> {
    octets::decode(text).into_owned().into()
}

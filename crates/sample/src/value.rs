//! Sample values.

use bytes::Bytes;
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A typed sample. Strings and binaries borrow from the message wherever they can.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// `bool`.
    Bool(bool),
    /// `sint`: signed 64 bits.
    Int(i64),
    /// `ipv4`.
    Ip4(Ipv4Addr),
    /// `ipv6`.
    Ip6(Ipv6Addr),
    /// `str`.
    Str(Cow<'a, [u8]>),
    /// `bin`.
    Bin(Cow<'a, [u8]>),
    /// `meth`.
    Method(Cow<'a, [u8]>),
}

/// A sample that outlives what it was fetched from: what variables hold.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "same variants as Value")]
pub enum Owned {
    Bool(bool),
    Int(i64),
    Ip4(Ipv4Addr),
    Ip6(Ipv6Addr),
    Str(Bytes),
    Bin(Bytes),
    Method(Bytes),
}

impl Value<'_> {
    /// Copies it out of what it borrows from.
    pub fn to_owned(&self) -> Owned {
        match self {
            Self::Bool(b) => Owned::Bool(*b),
            Self::Int(i) => Owned::Int(*i),
            Self::Ip4(a) => Owned::Ip4(*a),
            Self::Ip6(a) => Owned::Ip6(*a),
            Self::Str(s) => Owned::Str(Bytes::copy_from_slice(s)),
            Self::Bin(s) => Owned::Bin(Bytes::copy_from_slice(s)),
            Self::Method(s) => Owned::Method(Bytes::copy_from_slice(s)),
        }
    }
}

impl Owned {
    /// Borrows it as a sample.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Ip4(a) => Value::Ip4(*a),
            Self::Ip6(a) => Value::Ip6(*a),
            Self::Str(s) => Value::Str(Cow::Borrowed(s)),
            Self::Bin(s) => Value::Bin(Cow::Borrowed(s)),
            Self::Method(s) => Value::Method(Cow::Borrowed(s)),
        }
    }
}

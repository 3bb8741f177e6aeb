//! Sample types and the conversions between them that happen by themselves.

/// Type of a sample as keyword rows declare it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// Known only at run time.
    Any,
    /// The type of the input (converters only).
    Same,
    /// Boolean.
    Bool,
    /// Signed 64-bit integer.
    Sint,
    /// IPv4 or IPv6 address.
    Addr,
    /// IPv4 address.
    Ipv4,
    /// IPv6 address.
    Ipv6,
    /// Character string.
    Str,
    /// Bytes.
    Bin,
    /// HTTP method.
    Meth,
}

impl Type {
    /// HAProxy's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Same => "same",
            Self::Bool => "bool",
            Self::Sint => "sint",
            Self::Addr => "addr",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Str => "str",
            Self::Bin => "bin",
            Self::Meth => "meth",
        }
    }
}

impl Type {
    /// Whether a sample of this type can be given to something that takes `to`; the conversion of an actual
    /// value may still fail.
    pub fn casts_to(self, to: Self) -> bool {
        use Type::{Addr, Any, Bin, Bool, Ipv4, Ipv6, Meth, Same, Sint, Str};
        matches!(
            (self, to),
            (Any | Same, _)
                | (_, Any | Same | Str | Bin)
                | (Bool | Sint | Str, Bool | Sint)
                | (Ipv4, Sint)
                | (Sint | Ipv4 | Ipv6 | Addr | Str, Addr | Ipv4 | Ipv6)
                | (Meth, Meth)
        )
    }
}

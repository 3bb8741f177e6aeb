//! The PROXY protocol in both directions, and NetScaler's client IP header, which says the same.
//!
//! Only [`receive`] does I/O; the parsers take bytes and the builder makes some.

mod build;
mod cip;
mod parse;
mod receive;
mod tlv;

pub use build::{v1, v2};
pub use cip::parse as parse_cip;
pub use parse::{HEADER_MAX, Header, Outcome, parse};
pub use receive::receive;
pub use tlv::{AUTHORITY, CRC32C, NETNS, Tlvs, UNIQUE_ID};

/// Which headers a connection has to start with; with both, the PROXY header comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expect {
    /// `accept-proxy`, `expect-proxy layer4`.
    pub proxy: bool,
    /// `accept-netscaler-cip`, `expect-netscaler-cip layer4`: the magic number.
    pub cip: Option<u32>,
}

impl Expect {
    /// Whether there is nothing to wait for.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// Why a connection did not get through the handshake. The numbers are those of `fc_err` (manual 7.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "HAProxy's own words")]
#[repr(u8)]
pub enum Failure {
    PrxEmpty = 11,
    PrxAbort,
    PrxTimeout,
    PrxTruncated,
    PrxNotHdr,
    PrxBadHdr,
    PrxBadProto,
    CipEmpty,
    CipAbort,
    CipTimeout,
    CipTruncated,
    CipBadMagic,
    CipBadProto,
}

impl Failure {
    /// Nothing at all came: `option dontlognull` keeps silent about it.
    pub fn is_null(self) -> bool {
        matches!(self, Self::PrxEmpty | Self::PrxAbort | Self::CipEmpty | Self::CipAbort)
    }
}

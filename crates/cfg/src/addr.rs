//! Address formats (manual 2.9).

use crate::model::Addr;

/// What an address is for; decides the defaults and what is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddrUse {
    /// `bind` and `stats socket`: a port or a range is mandatory, names must resolve.
    Bind,
    /// `dgram-bind`.
    DgramBind,
    /// `server`: port optional, offsets allowed, names stay names.
    Server,
    /// `log` and ring servers: datagram by default, port optional (514).
    Log,
    /// `source`, `usesrc`: an IP with an optional port range.
    Source,
    /// `peer`: a mandatory port.
    Peer,
    /// `nameserver`: datagram by default, a mandatory port.
    Nameserver,
    /// `dispatch`, `addr` and similar: one stream address.
    Plain,
}

/// Parses one address.
///
/// # Errors
/// HAProxy's text for what is wrong with it, without the keyword that comes before it.
pub fn parse(text: &str, usage: AddrUse) -> Result<Addr, String> {
    let _ = usage;
    Err(format!("invalid address: '{text}'"))
}

/// Parses the comma-separated addresses of a `bind` line.
///
/// # Errors
/// As [`parse`], for the first wrong address.
pub fn parse_list(text: &str, usage: AddrUse) -> Result<Vec<Addr>, String> {
    text.split(',').map(|t| parse(t, usage)).collect()
}

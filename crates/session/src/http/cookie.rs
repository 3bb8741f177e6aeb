//! Cookie persistence (`cookie`): which server the client was with, and how it learns where it is now.

mod date;
mod request;
mod response;

use crate::stream::Stream;
use hawser_balance::Server;
use hawser_cfg::model::{Cookie, Server as ServerConf};
use hawser_proto::Address;
use hawser_sample::hash::xxh64;
pub(crate) use request::request;
pub(crate) use response::response;

/// Between a server's name and the application's value (`prefix`).
const PREFIX_END: u8 = b'~';
/// Between a server's name and dates (`maxidle`, `maxlife`).
const DATE: u8 = b'|';

/// The `cookie` line of a backend, and what its servers are called.
#[derive(Debug)]
pub(crate) struct Policy {
    conf: Cookie,
    /// `dynamic-cookie-key`.
    key: Option<Box<[u8]>>,
    /// `cookie` of each server.
    names: Vec<Option<Box<[u8]>>>,
    /// What follows a value in Set-Cookie.
    attributes: Box<[u8]>,
}

/// What became of the cookies of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Dates in the request's cookie: last visit and first one (seconds since 1970), 0 for none.
    last: i64,
    first: i64,
}

impl Policy {
    /// Of a backend.
    pub(crate) fn new(conf: &Cookie, key: Option<&str>, servers: &[ServerConf]) -> Self {
        let mut attributes = String::new();
        for d in &conf.domains {
            attributes.push_str("; domain=");
            attributes.push_str(d);
        }
        for (on, text) in [(conf.httponly, "; HttpOnly"), (conf.secure, "; Secure")] {
            attributes.push_str(if on { text } else { "" });
        }
        for a in &conf.attrs {
            attributes.push_str("; ");
            attributes.push_str(a);
        }
        Self {
            conf: conf.clone(),
            key: key.filter(|_| conf.dynamic).map(|k| k.as_bytes().into()),
            names: servers.iter().map(|s| s.opts.cookie.as_deref().map(|c| c.as_bytes().into())).collect(),
            attributes: attributes.into_bytes().into(),
        }
    }

    /// The cookie's name.
    pub(crate) fn name(&self) -> &str {
        &self.conf.name
    }

    /// What a server is called in cookies.
    fn name_of(&self, index: u32, server: &Server) -> Option<Name<'_>> {
        match self.names.get(index as usize)? {
            Some(name) => Some(Name::Written(name)),
            None => Some(Name::Made(made(self.key.as_deref()?, &server.addr.load().addr)?)),
        }
    }

    /// Whether the log tells of it.
    fn is_active(&self) -> bool {
        self.conf.rewrite || self.conf.indirect || self.conf.insert || self.conf.prefix
    }

    /// Notes letters for the log.
    fn flag(&self, st: &mut Stream, request: Option<u8>, response: Option<u8>) {
        if !self.is_active() {
            return;
        }
        let [a, b] = st.strm.cookie_flags.map(|f| if f == 0 { b'N' } else { f });
        st.strm.cookie_flags = [request.unwrap_or(a), response.unwrap_or(b)];
    }
}

/// A server's name in cookies.
enum Name<'a> {
    Written(&'a [u8]),
    /// Of its address (`dynamic`).
    Made([u8; 16]),
}

impl AsRef<[u8]> for Name<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Written(n) => n,
            Self::Made(n) => n,
        }
    }
}

/// The name that all load balancers with the same key give to an address.
fn made(key: &[u8], addr: &Address) -> Option<[u8; 16]> {
    let Address::Ip(addr) = addr else { return None };
    let mut bytes = smallvec::SmallVec::<[u8; 64]>::from_slice(key);
    match addr.ip() {
        std::net::IpAddr::V4(ip) => bytes.extend_from_slice(&ip.octets()),
        std::net::IpAddr::V6(ip) => bytes.extend_from_slice(&ip.octets()),
    }
    bytes.extend_from_slice(&u32::from(addr.port()).to_be_bytes());
    let hash = xxh64(&bytes, 0);
    let digit = |i: u32| *b"0123456789abcdef".get((hash >> (60 - 4 * i) & 15) as usize).unwrap_or(&b'0');
    Some(std::array::from_fn(|i| digit(u32::try_from(i).unwrap_or(0))))
}

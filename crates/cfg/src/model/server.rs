//! `server` lines (manual 5.2).

use super::Addr;
use crate::pos::{Pos, Word};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

/// One server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where.
    pub pos: Pos,
    /// Its name.
    pub name: Arc<str>,
    /// Its address.
    pub addr: Addr,
    /// Options, with those of `default-server` merged in.
    pub opts: ServerOpts,
}

/// Options of `server` (manual 5.2). Those that most servers have are fields; the others are in a box that
/// only servers that use one of them own, and are read through [`Deref`] as if they were fields.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the server option of that name in the manual")]
pub struct ServerOpts {
    pub id: Option<u32>,
    pub weight: Option<u32>,
    pub maxconn: Option<u32>,
    pub minconn: Option<u32>,
    pub maxqueue: Option<u32>,
    pub inter: Option<u32>,
    pub fastinter: Option<u32>,
    pub downinter: Option<u32>,
    pub fall: Option<u32>,
    pub rise: Option<u32>,
    pub slowstart: Option<u32>,
    pub check_port: Option<u16>,
    pub backup: bool,
    pub disabled: bool,
    pub strict_maxconn: bool,
    pub check: bool,
    pub tfo: bool,
    pub send_proxy: bool,
    pub send_proxy_v2: bool,
    pub non_stick: bool,
    /// `check-send-proxy`: checks send the PROXY header even to a server that does not get it otherwise.
    pub check_send_proxy: bool,
    rare: Option<Box<RareServerOpts>>,
}

/// The options that few servers have.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the server option of that name in the manual")]
pub struct RareServerOpts {
    pub guid: Option<String>,
    pub cookie: Option<String>,
    pub check_addr: Option<IpAddr>,
    pub init_state: Option<String>,
    pub init_addr: Option<String>,
    pub observe: Option<String>,
    pub error_limit: Option<u32>,
    pub on_error: Option<String>,
    pub on_marked_down: Option<String>,
    pub on_marked_up: Option<String>,
    pub track: Option<(Pos, String)>,
    pub source: Option<Source>,
    pub namespace: Option<String>,
    pub redir: Option<String>,
    pub proto: Option<String>,
    pub check_proto: Option<String>,
    /// Nothing for `auto`.
    pub ws: Option<String>,
    pub pool_max_conn: Option<i32>,
    pub pool_low_conn: Option<u32>,
    pub pool_purge_delay: Option<u32>,
    pub pool_conn_name: Option<Word>,
    pub idle_ping: Option<u32>,
    pub max_reuse: Option<i32>,
    pub tcp_ut: Option<u32>,
    pub cc: Option<String>,
    pub shard: Option<u32>,
    pub resolvers: Option<String>,
    pub hash_key: Option<String>,
    pub tcp_md5sig: Option<String>,
    pub socks4: Option<SocketAddr>,
    pub check_via_socks4: bool,
    /// Nothing where the server's kind decides: peers of reverse HTTP can only be checked that way.
    pub check_reuse_pool: Option<bool>,
    pub check_pool_conn_name: Option<String>,
    pub agent: AgentOpts,
    pub proxy_v2_options: ProxyV2Options,
    /// `set-proxy-v2-tlv-fmt`: types and formats, in order; without a format the value is empty.
    pub proxy_v2_tlvs: Vec<(u8, Option<Word>)>,
}

/// `agent-check` and what goes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentOpts {
    /// `agent-check`.
    pub check: bool,
    /// `agent-port`.
    pub port: Option<u16>,
    /// `agent-addr`; the server's own address where there is none.
    pub addr: Option<IpAddr>,
    /// `agent-inter` (ms).
    pub inter: Option<u32>,
    /// `agent-send`.
    pub send: Option<String>,
}

/// `proxy-v2-options`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProxyV2Options {
    /// `authority`: the host name that the client asked for.
    pub authority: bool,
    /// `crc32c`: a checksum.
    pub crc32c: bool,
    /// `unique-id`: what `unique-id-format` makes.
    pub unique_id: bool,
}

/// `source`: where connections to servers come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The address; of a server's, a port range may be part of it.
    pub addr: Addr,
    /// `usesrc`: an address that need not be the machine's.
    pub usesrc: Option<UseSrc>,
    /// `interface`: the device that packets leave through.
    pub interface: Option<String>,
}

/// `usesrc` of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseSrc {
    /// An address.
    Addr(SocketAddr),
    /// The client's address and port.
    Client,
    /// The client's address.
    ClientIp,
    /// `hdr_ip(<name>,<occurrence>)`: an address in a header of the request.
    HdrIp(String, i32),
}

static NO_RARE: RareServerOpts = RareServerOpts {
    guid: None,
    cookie: None,
    check_addr: None,
    init_state: None,
    init_addr: None,
    observe: None,
    error_limit: None,
    on_error: None,
    on_marked_down: None,
    on_marked_up: None,
    track: None,
    source: None,
    namespace: None,
    redir: None,
    proto: None,
    check_proto: None,
    ws: None,
    pool_max_conn: None,
    pool_low_conn: None,
    pool_purge_delay: None,
    pool_conn_name: None,
    idle_ping: None,
    max_reuse: None,
    tcp_ut: None,
    cc: None,
    shard: None,
    resolvers: None,
    hash_key: None,
    tcp_md5sig: None,
    socks4: None,
    check_via_socks4: false,
    check_reuse_pool: None,
    check_pool_conn_name: None,
    agent: AgentOpts { check: false, port: None, addr: None, inter: None, send: None },
    proxy_v2_options: ProxyV2Options { authority: false, crc32c: false, unique_id: false },
    proxy_v2_tlvs: Vec::new(),
};

impl Deref for ServerOpts {
    type Target = RareServerOpts;

    fn deref(&self) -> &RareServerOpts {
        self.rare.as_deref().unwrap_or(&NO_RARE)
    }
}

impl ServerOpts {
    /// The rare options, to write one.
    pub fn rare_mut(&mut self) -> &mut RareServerOpts {
        self.rare.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_stay_small() {
        // 16,000 of them are an ordinary configuration.
        assert!(size_of::<ServerOpts>() <= 120, "{}", size_of::<ServerOpts>());
        assert!(size_of::<Server>() <= 232, "{}", size_of::<Server>());
    }

    #[test]
    fn rare_options_read_like_fields() {
        let mut o = ServerOpts::default();
        assert_eq!(o.cookie, None);
        o.rare_mut().cookie = Some("a".into());
        assert_eq!(o.cookie.as_deref(), Some("a"));
    }
}

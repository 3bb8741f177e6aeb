//! `bind` lines (manual 5.1).

use super::Addr;
use crate::pos::Pos;

/// One `bind` line; an address list or a port range makes several receivers of it.
#[derive(Debug, Clone)]
pub struct Bind {
    /// Where.
    pub pos: Pos,
    /// Addresses, after prefix and list splitting; port ranges not expanded.
    pub addrs: Vec<Addr>,
    /// Options.
    pub opts: BindOpts,
}

/// Options of `bind` that act on sockets (manual 5.1).
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is the bind option of that name in the manual")]
pub struct BindOpts {
    pub name: Option<String>,
    pub id: Option<u32>,
    pub guid_prefix: Option<String>,
    pub label: Option<String>,
    pub accept_proxy: bool,
    /// `accept-netscaler-cip`: the magic number.
    pub cip_magic: Option<u32>,
    pub backlog: Option<u32>,
    pub defer_accept: bool,
    pub interface: Option<String>,
    pub maxconn: Option<u32>,
    pub mss: Option<i32>,
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub namespace: Option<String>,
    pub nice: Option<i32>,
    pub proto: Option<String>,
    pub shards: Option<String>,
    pub thread: Option<String>,
    pub tcp_ut: Option<u32>,
    pub tcp_ss: Option<u8>,
    pub tcp_md5sig: Option<String>,
    pub tfo: bool,
    pub transparent: bool,
    pub v4v6: bool,
    pub v6only: bool,
    pub expose_fd: bool,
    pub nbconn: Option<u32>,
    /// Not in HAProxy: the longest pause between two attempts of a reverse listener (ms).
    pub retry_max: Option<u32>,
    pub cc: Option<String>,
    pub idle_ping: Option<u32>,
}

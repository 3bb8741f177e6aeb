//! When and where a server is checked (manual 5.2 `check` and relatives).

use crate::health::Health;
use hawser_balance::server::Server;
use hawser_cfg::model::Timeouts;
use hawser_proto::Address;
use std::net::{IpAddr, SocketAddr};

/// `inter` by default, ms.
const INTER: u32 = 2000;

/// Settings of one server's check; times in ms.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `inter`.
    pub inter: u32,
    /// `fastinter`.
    pub fastinter: u32,
    /// `downinter`.
    pub downinter: u32,
    /// `rise`.
    pub rise: u32,
    /// `fall`.
    pub fall: u32,
    /// Longest wait for a connection.
    pub connect_timeout: u32,
    /// Longest wait for an answer once connected; without `timeout check`, `inter` covers everything.
    pub read_timeout: Option<u32>,
    /// PROXY protocol version to announce the check with, 0 for none.
    pub send_proxy: u8,
    /// `pp2-never-send-local`: version 2 tells the check's own addresses.
    pub own_addresses: bool,
    /// `check-reuse-pool`, where nothing about the check's connections is special.
    pub reuse_pool: bool,
    /// `check-pool-conn-name`.
    pub pool_conn_name: Option<String>,
}

impl Settings {
    /// Settings of a server, with the timeouts of its backend.
    pub fn new(s: &Server, t: &Timeouts) -> Self {
        let o = &s.opts;
        let inter = o.inter.unwrap_or(INTER).max(1);
        let set = |t: Option<u32>| t.filter(|t| *t != 0);
        let read_timeout = set(t.check);
        // Traffic's PROXY header is not repeated to another port or address, unless asked for.
        let same = o.check_port.is_none() && o.check_addr.is_none();
        let announce = o.check_send_proxy || (same && (o.send_proxy || o.send_proxy_v2));
        let version = if o.send_proxy_v2 { 2 } else { 1 };
        Self {
            inter,
            fastinter: o.fastinter.unwrap_or(inter).max(1),
            downinter: o.downinter.unwrap_or(inter).max(1),
            rise: o.rise.unwrap_or(2),
            fall: o.fall.unwrap_or(3),
            connect_timeout: match (read_timeout, set(t.connect)) {
                (Some(_), Some(connect)) => connect.min(inter),
                _ => inter,
            },
            read_timeout,
            send_proxy: if announce { version } else { 0 },
            own_addresses: false,
            reuse_pool: same && !announce && !o.check_via_socks4 && reuses(s),
            pool_conn_name: o.check_pool_conn_name.clone(),
        }
    }

    /// What is different for an agent, which has a protocol and an interval of its own.
    pub(crate) fn agent(&mut self, inter: Option<u32>) {
        self.inter = inter.unwrap_or(INTER).max(1);
        self.connect_timeout = if self.read_timeout.is_some() { self.connect_timeout } else { self.inter };
        (self.send_proxy, self.reuse_pool) = (0, false);
    }

    /// Time until the next check.
    pub fn interval(&self, h: &Health) -> u32 {
        if h.is_transitional() {
            self.fastinter
        } else if h.value() == 0 {
            self.downinter
        } else {
            self.inter
        }
    }

    /// Where to connect: the server's address with what the check (`addr`, `port`) or one of its steps changes.
    pub fn target(&self, server: &Server, step_addr: Option<IpAddr>, step_port: Option<u16>) -> Address {
        let mut target = server.addr.load().addr.clone();
        let own = *server.check_to.lock();
        if let Some(ip) = step_addr.or(own.addr) {
            target = Address::Ip(SocketAddr::new(ip, target.port()));
        }
        if let (Address::Ip(a), Some(port)) = (&mut target, step_port.or(own.port)) {
            a.set_port(port);
        }
        target
    }
}

/// Whether checks want connections of traffic, and may have them: they know no client that a server without address
/// could send them to.
fn reuses(s: &Server) -> bool {
    let o = &s.opts;
    let wanted = o.check_reuse_pool.unwrap_or(s.attached.is_some());
    let same_proto = o.check_proto.as_deref().is_none_or(|p| Some(p) == o.proto.as_deref());
    wanted && same_proto && (s.attached.is_some() || !s.is_transparent())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Settings;

    /// Settings without anything special.
    pub(crate) fn plain() -> Settings {
        Settings {
            inter: 2000,
            fastinter: 2000,
            downinter: 2000,
            rise: 2,
            fall: 3,
            connect_timeout: 2000,
            read_timeout: None,
            send_proxy: 0,
            own_addresses: false,
            reuse_pool: false,
            pool_conn_name: None,
        }
    }
}

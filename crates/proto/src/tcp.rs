//! TCP over IPv4 and IPv6.

use crate::receiver::{SockReceiver, errno_text};
use crate::sysopt::{self, Family};
use crate::transport::SockOpt;
use crate::vtable::{BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use crate::{Address, connect, md5sig, netns};
use hawser_cfg::model::{AddrKind, BindOpts};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Seconds for which a `defer-accept` socket waits for data before it gives the connection anyway.
const DEFER_ACCEPT_SECONDS: i32 = 1;
/// Keeps the client's SYN for [`crate::Transport::saved_syn`].
const TCP_SAVE_SYN: i32 = 27;

/// Multipath TCP: plain TCP where the peer does not know it.
pub(crate) const MPTCP: net::Protocol = net::ipproto::MPTCP;

/// TCP of one address family.
pub(crate) struct Tcp {
    info: &'static ProtocolInfo,
}

/// `tcpv4`.
pub(crate) static TCPV4: Tcp = Tcp { info: &ProtocolInfo { name: "tcpv4", reuseport: true, dgram: false } };
/// `tcpv6`.
pub(crate) static TCPV6: Tcp = Tcp { info: &ProtocolInfo { name: "tcpv6", reuseport: true, dgram: false } };

impl Protocol for Tcp {
    fn info(&self) -> &'static ProtocolInfo {
        self.info
    }

    fn bind(&self, cfg: &RxConfig, warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        let addr = Address::of(&cfg.addr);
        let fd = open(cfg, &addr, SocketType::STREAM, warnings)?;
        Ok(Box::new(SockReceiver::new(fd, self.info(), cfg, Some(another))))
    }

    fn connect(&self, to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        connect::start(to)
    }
}

/// A further socket on the address of a receiver, for another thread. It listens at once: the group of
/// `SO_REUSEPORT` sockets may only hold members that accept.
fn another(cfg: &RxConfig, local: &Address) -> Result<OwnedFd, BindError> {
    // The first socket has reported what the kernel refused.
    open(cfg, local, SocketType::STREAM, &mut Vec::new())
}

/// A bound socket on an IP address, for streams or for datagrams.
pub(crate) fn open(
    cfg: &RxConfig,
    addr: &Address,
    kind: SocketType,
    warnings: &mut Vec<String>,
) -> Result<OwnedFd, BindError> {
    let fail = |what: &str, e: Errno| BindError {
        text: format!("{what} ({}) for [{addr}]", errno_text(e)),
        in_use: e == Errno::ADDRINUSE,
    };
    let family = Family::of(addr);
    if let Some(fd) = cfg.handed.as_ref().and_then(|h| h.take(cfg, addr)) {
        forget(fd.as_fd());
        tune(fd.as_fd(), family, cfg, addr, warnings)?;
        return Ok(fd);
    }
    let domain = if family == Family::V6 { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let protocol = cfg.addr.is_mptcp().then_some(MPTCP);
    let make = || net::socket_with(domain, kind, flags, protocol);
    let fd = netns::within(cfg.namespace.as_deref(), make)
        .map_err(|e| fail("cannot create receiving socket", e))?;
    // A restarted service must not wait for the last connections of the old one.
    sockopt::set_socket_reuseaddr(&fd, true).map_err(|e| fail("cannot set socket options", e))?;
    if cfg.reuseport {
        sockopt::set_socket_reuseport(&fd, true).map_err(|e| fail("cannot set socket options", e))?;
    }
    tune(fd.as_fd(), family, cfg, addr, warnings)?;
    let sys = addr.to_sys().map_err(|_| fail("cannot bind socket", Errno::INVAL))?;
    net::bind(&fd, &sys).map_err(|e| fail("cannot bind socket", e))?;
    Ok(fd)
}

/// Takes back what the line of another process may have asked of a socket that it listened on.
pub(crate) fn forget(fd: BorrowedFd<'_>) {
    let options = [libc::TCP_DEFER_ACCEPT, libc::TCP_USER_TIMEOUT, libc::TCP_FASTOPEN, TCP_SAVE_SYN];
    for name in options {
        // A socket that does not know the option has nothing to take back.
        let _ = sysopt::set_int(fd, libc::IPPROTO_TCP, name, 0);
    }
    let _ = sockopt::set_socket_keepalive(fd, false);
}

/// Applies the options of the line to a socket that is bound or will be.
pub(crate) fn tune(
    fd: BorrowedFd<'_>,
    family: Family,
    cfg: &RxConfig,
    addr: &Address,
    warnings: &mut Vec<String>,
) -> Result<(), BindError> {
    let mut options = common(fd, family, cfg);
    if !cfg.addr.dgram {
        options.extend(optional(fd, family, cfg));
    }
    for (what, outcome) in options {
        if let Err(e) = outcome {
            warnings.push(format!("{what} ({}) for [{addr}]", plain(&e)));
        }
    }
    let Some(password) = cfg.opts.tcp_md5sig.as_ref().filter(|_| !cfg.addr.dgram) else { return Ok(()) };
    // Without it, the address would accept what it must not.
    md5sig::for_all(fd, family, password).map_err(|e| BindError {
        text: format!("cannot set TCP MD5 signature, ({}) for [{addr}]", plain(&e)),
        in_use: false,
    })
}

/// The system's words without Rust's number.
fn plain(e: &io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// An option's outcome, with the words of the warning that it is worth if it failed.
type Tried = (String, io::Result<()>);

/// Options of all sockets on IP addresses.
fn common(fd: BorrowedFd<'_>, family: Family, cfg: &RxConfig) -> Vec<Tried> {
    let o: &BindOpts = &cfg.opts;
    let mut done: Vec<Tried> = Vec::new();
    let mut add = |what: &str, outcome| done.push((what.to_owned(), outcome));
    // Whatever the system's default is: without an option, `::` takes IPv4 too.
    let any = matches!(cfg.addr.kind, AddrKind::Ip(a) if a.ip().is_unspecified());
    if family == Family::V6 && (o.v6only || o.v4v6 || any) {
        let outcome = sockopt::set_ipv6_v6only(fd, o.v6only).map_err(Into::into);
        add("cannot set IPV6_V6ONLY", outcome);
    }
    if o.transparent {
        add("cannot make listening socket transparent", sysopt::set_transparent(fd, family));
    }
    if let Some(dev) = &o.interface {
        add(&format!("cannot bind receiver to device '{dev}'"), sysopt::bind_to_device(fd, dev));
    }
    if cfg.rcvbuf > 0 {
        let outcome = sockopt::set_socket_recv_buffer_size(fd, cfg.rcvbuf as usize).map_err(Into::into);
        add("cannot set receive buffer size", outcome);
    }
    if cfg.sndbuf > 0 {
        let outcome = sockopt::set_socket_send_buffer_size(fd, cfg.sndbuf as usize).map_err(Into::into);
        add("cannot set send buffer size", outcome);
    }
    done
}

/// Options of TCP.
fn optional(fd: BorrowedFd<'_>, family: Family, cfg: &RxConfig) -> Vec<Tried> {
    let o: &BindOpts = &cfg.opts;
    let tcp = |name, value| sysopt::set_int(fd, libc::IPPROTO_TCP, name, value);
    let mut done: Vec<Tried> = Vec::new();
    let mut add = |what: &str, outcome| done.push((what.to_owned(), outcome));
    // Accepted sockets inherit it.
    add("cannot set TCP_NODELAY", sockopt::set_tcp_nodelay(fd, true).map_err(Into::into));
    // What is below 0 concerns the connections, see `SockReceiver::accept`.
    if let Some(mss) = o.mss.filter(|mss| *mss > 0) {
        add(&format!("cannot set MSS to {mss},"), tcp(libc::TCP_MAXSEG, mss));
    }
    if let Some(ms) = o.tcp_ut {
        add("cannot set TCP User Timeout", sockopt::set_tcp_user_timeout(fd, ms).map_err(Into::into));
    }
    if o.defer_accept {
        add("cannot enable DEFER_ACCEPT", tcp(libc::TCP_DEFER_ACCEPT, DEFER_ACCEPT_SECONDS));
    }
    if o.tfo {
        add("cannot enable TCP_FASTOPEN", tcp(libc::TCP_FASTOPEN, cfg.backlog.cast_signed()));
    }
    if let Some(mode) = o.tcp_ss {
        add("cannot set TCP Save SYN,", tcp(TCP_SAVE_SYN, i32::from(mode)));
    }
    if let Some(cc) = &o.cc {
        let outcome = sockopt::set_tcp_congestion(fd, cc).map_err(Into::into);
        add(&format!("cannot set TCP congestion control algorithm '{cc}'"), outcome);
    }
    if let Some((cnt, idle, intvl)) = cfg.keepalive {
        add("cannot set keep-alive", sysopt::apply(fd, family, SockOpt::KeepAlive(cnt, idle, intvl)));
    }
    done
}

//! The protocol vtable, in HAProxy's words.

use crate::connect::PortRange;
use crate::handover::{Handed, Listening};
use crate::netns::Netns;
use crate::{Address, Transport};
use hawser_cfg::model::{Addr, BindOpts};
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// States of a listener as the CLI and the statistics name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "HAProxy's own words")]
#[repr(u8)]
pub enum ListenerState {
    #[default]
    New,
    Init,
    Assigned,
    Paused,
    Listen,
    Ready,
    Full,
    Limited,
}

/// Why a receiver could not be bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BindError {
    /// Goes into `[ALERT] … : Binding [file:line] for frontend X: protocol P: TEXT.`
    pub text: String,
    /// The address is taken: worth another try after the process that holds it was asked to leave.
    pub in_use: bool,
}

/// What a protocol is.
#[derive(Debug)]
pub struct ProtocolInfo {
    /// `tcpv4`, `tcpv6`, `unix_stream`, `abns_stream`, `sockpair`, `rev`, …
    pub name: &'static str,
    /// Several receivers may share one address (`SO_REUSEPORT`).
    pub reuseport: bool,
    /// Its receivers take datagrams ([`Receiver::poll_receive`]); others take connections.
    pub dgram: bool,
}

/// What a receiver is bound to and how. One address of a `bind` line, ports expanded.
#[derive(Debug, Clone)]
pub struct RxConfig {
    /// The address.
    pub addr: Addr,
    /// Options of the line, `unix-bind` defaults merged in.
    pub opts: Arc<BindOpts>,
    /// `listen` backlog.
    pub backlog: u32,
    /// Receive buffer (bytes), 0 for the system's.
    pub rcvbuf: u32,
    /// Send buffer (bytes), 0 for the system's.
    pub sndbuf: u32,
    /// Ask for `SO_REUSEPORT`.
    pub reuseport: bool,
    /// Network namespace of the socket.
    pub namespace: Option<Arc<Netns>>,
    /// Sockets that the old process gave (`-x`).
    pub handed: Option<Arc<Handed>>,
    /// Keep-alive for accepted connections (count, idle s, interval s): accepted sockets inherit it, at no
    /// system call each.
    pub keepalive: Option<(u32, u32, u32)>,
    /// What a `rhttp@` address connects through; filled in once the servers are known.
    pub plan: Option<Arc<crate::rhttp::Plan>>,
}

impl RxConfig {
    /// A receiver on `addr` with the system's defaults.
    pub fn new(addr: Addr, opts: Arc<BindOpts>) -> Self {
        let backlog = opts.backlog.unwrap_or(0);
        Self {
            addr,
            opts,
            backlog,
            rcvbuf: 0,
            sndbuf: 0,
            reuseport: false,
            namespace: None,
            handed: None,
            keepalive: None,
            plan: None,
        }
    }
}

/// An accepted connection.
pub struct Accepted {
    /// The stream.
    pub transport: Box<dyn Transport>,
    /// `get_src`, before any PROXY header.
    pub src: Address,
}

/// Where and how to connect.
#[derive(Debug, Clone, Default)]
pub struct ConnectTo {
    /// The address.
    pub dst: Address,
    /// Source address to bind, if any.
    pub src: Option<Address>,
    /// Ports of the source address, where they are limited (`source addr:low-high`).
    pub src_ports: Option<Arc<PortRange>>,
    /// The source address may be anybody's (`usesrc`, `IP_TRANSPARENT`).
    pub transparent: bool,
    /// Network namespace of the socket.
    pub namespace: Option<Arc<Netns>>,
    /// `socks4`: the proxy that connects to the server for us.
    pub socks4: Option<SocketAddr>,
    /// `tcp-md5sig`.
    pub md5sig: Option<Arc<str>>,
    /// `cc`: congestion control algorithm.
    pub cc: Option<Arc<str>>,
    /// Multipath TCP (`mptcp@`).
    pub mptcp: bool,
    /// `interface` to bind to.
    pub interface: Option<Arc<str>>,
    /// `tcp-ut` (ms), 0 for none.
    pub tcp_ut: u32,
    /// `tfo`.
    pub tfo: bool,
    /// Receive buffer (bytes), 0 for the system's.
    pub rcvbuf: u32,
    /// Send buffer (bytes), 0 for the system's.
    pub sndbuf: u32,
    /// `SO_MARK`, if set.
    pub mark: Option<u32>,
    /// TOS, if set.
    pub tos: Option<u8>,
    /// Keep-alive (count, idle s, interval s), if asked for.
    pub keepalive: Option<(u32, u32, u32)>,
}

/// A protocol: stateless, one static per protocol.
pub trait Protocol: Sync {
    /// What it is.
    fn info(&self) -> &'static ProtocolInfo;

    /// Binds a receiver; no connection is accepted yet. Options that the kernel refused but that the service
    /// can live without are reported in `warnings`.
    ///
    /// # Errors
    /// Why the address cannot be had.
    fn bind(&self, cfg: &RxConfig, warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError>;

    /// Starts a connection; the returned connector is polled until it is established. Nothing is sent yet.
    ///
    /// # Errors
    /// Failures that need no waiting (no route, no descriptor left, refused on a UNIX socket).
    fn connect(&self, to: &ConnectTo) -> io::Result<Box<dyn Connecting>>;
}

/// A connection being established.
pub trait Connecting: Send {
    /// Waits for the outcome. Call once to completion.
    fn poll_connect(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Box<dyn Transport>>>;

    /// Waits for the outcome by sending the first bytes of `bufs` (not empty) as soon as the connection takes
    /// them; returns how many went. An error is a failure to connect. Costs fewer system calls than
    /// [`Connecting::poll_connect`] followed by a write, and on a fast network no wait.
    fn poll_connect_send(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<(Box<dyn Transport>, usize)>> {
        let _ = bufs;
        self.poll_connect(cx).map_ok(|t| (t, 0))
    }
}

/// How long a client that was on its way to a socket may take to get there after [`Receiver::give_way`].
pub const GIVE_WAY: Duration = Duration::from_millis(100);

/// A bound receiver. `Send` until it is enabled on a worker thread, where it stays.
pub trait Receiver: Send {
    /// What kind of receiver it is: the protocol's name in messages.
    fn info(&self) -> &'static ProtocolInfo;
    /// Makes it listen: from now on the kernel queues connections. Last step that may fail; a UNIX path
    /// takes its place in the file system here.
    fn listen(&mut self) -> Result<(), String>;
    /// Starts accepting on the calling thread's runtime.
    fn enable(&mut self) -> io::Result<()>;
    /// Stops accepting, keeps the socket.
    fn disable(&mut self);
    /// Pauses for a soft take-over by another process; returns whether it can be resumed.
    fn suspend(&mut self) -> io::Result<bool>;
    /// Undoes `suspend`.
    fn resume(&mut self) -> io::Result<()>;
    /// Has the kernel send new clients to the sockets that a successor has bound to the same address, if there are any,
    /// while those on their way to this one are still accepted. Returns whether that may be: it then takes
    /// [`GIVE_WAY`] until nobody is on the way any more.
    fn give_way(&self) -> bool {
        false
    }
    /// Undoes `give_way` of the process that had the address before.
    fn claim(&self) {}
    /// Closes the socket.
    fn unbind(self: Box<Self>);
    /// Takes a connection that is ready. Errors other than of one connection (`EMFILE` and the like) are for
    /// the caller to wait out; connections that died in the queue are skipped.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>>;
    /// Takes a connection if one is there, whether or not the reactor has noticed: the last calls before
    /// the socket is closed.
    ///
    /// # Errors
    /// `WouldBlock` when nobody waits.
    fn accept_conn(&mut self) -> io::Result<Accepted>;
    /// Takes a datagram, where [`ProtocolInfo::dgram`] says so: its length and its sender. What `buf` has no room for
    /// is lost.
    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, Address)>> {
        let _ = (cx, buf);
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
    /// Takes a datagram if one is there, whether or not the reactor has noticed.
    ///
    /// # Errors
    /// `WouldBlock` when there is none.
    fn receive(&mut self, buf: &mut [u8]) -> io::Result<(usize, Address)> {
        let _ = buf;
        Err(io::ErrorKind::Unsupported.into())
    }
    /// The address it is bound to (a `:0` port is resolved).
    fn local_addr(&self) -> Address;
    /// The descriptor, for `expose-fd` and hand-over.
    fn fd(&self) -> Option<RawFd>;
    /// A duplicate of the socket for another process; nothing where the socket is another process's in the first
    /// place, or where there is none.
    fn export(&self) -> Option<Listening> {
        None
    }
    /// Another receiver on the same address for another thread: a new `SO_REUSEPORT` socket, or a duplicate
    /// of the descriptor where that is impossible or, with `shared`, not wanted.
    fn for_thread(&self, shared: bool) -> Result<Box<dyn Receiver>, BindError>;
}

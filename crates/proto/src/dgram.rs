//! Datagram receivers: UDP over IPv4 and IPv6 (`udp4`, `udp6`), UNIX datagram sockets (`uxdg`, `abns_dgram`,
//! `abnsz_dgram`), and inherited descriptors of these kinds.

use crate::handover::Listening;
use crate::receiver::errno_text;
use crate::reuseport::Group;
use crate::vtable::{Accepted, BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use crate::{Address, inherited, reactor, tcp, unix};
use hawser_cfg::model::AddrKind;
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SocketType};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Datagrams of one kind of address.
pub(crate) struct Dgram {
    info: &'static ProtocolInfo,
}

const fn info(name: &'static str, reuseport: bool) -> ProtocolInfo {
    ProtocolInfo { name, reuseport, dgram: true }
}

/// UDP over IPv4.
pub(crate) static UDP4: Dgram = Dgram { info: &info("udp4", true) };
/// UDP over IPv6.
pub(crate) static UDP6: Dgram = Dgram { info: &info("udp6", true) };
/// UNIX sockets with a path.
pub(crate) static UNIX: Dgram = Dgram { info: &info("uxdg", false) };
/// UNIX sockets with an abstract name padded with NULs.
pub(crate) static ABNS: Dgram = Dgram { info: &info("abns_dgram", false) };
/// UNIX sockets with an abstract name of its own length.
pub(crate) static ABNSZ: Dgram = Dgram { info: &info("abnsz_dgram", false) };
/// Inherited sockets.
pub(crate) static INHERITED: Dgram = Dgram { info: &info("fd", false) };

impl Protocol for Dgram {
    fn info(&self) -> &'static ProtocolInfo {
        self.info
    }

    fn bind(&self, cfg: &RxConfig, warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        let addr = Address::of(&cfg.addr);
        let receiver = match (&cfg.addr.kind, &addr) {
            (AddrKind::Fd(n), _) => DgramReceiver::new(inherited::dgram(*n)?, self.info, cfg),
            (_, Address::Ip(_)) => {
                let fd = tcp::open(cfg, &addr, SocketType::DGRAM, warnings)?;
                DgramReceiver { again: true, ..DgramReceiver::new(fd, self.info, cfg) }
            }
            _ => {
                let (fd, place) = unix::open(cfg, &addr, SocketType::DGRAM)?;
                DgramReceiver { place, local: addr, ..DgramReceiver::new(fd, self.info, cfg) }
            }
        };
        Ok(Box::new(receiver))
    }

    fn connect(&self, _to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "datagrams make no connection"))
    }
}

enum State {
    /// Not receiving.
    Held(OwnedFd),
    /// On the reactor of the thread that enabled it.
    Enabled(AsyncFd<OwnedFd>),
    /// Closed.
    Gone,
}

/// A bound datagram socket.
struct DgramReceiver {
    state: State,
    info: &'static ProtocolInfo,
    cfg: RxConfig,
    local: Address,
    /// Other threads can have a socket of their own on the address.
    again: bool,
    /// A UNIX path waiting to be moved into place.
    place: Option<unix::Placement>,
    /// Connected to itself, so that the kernel gives it nothing.
    suspended: bool,
    /// The sockets of this process on the address.
    group: Group,
}

impl DgramReceiver {
    fn new(fd: OwnedFd, info: &'static ProtocolInfo, cfg: &RxConfig) -> Self {
        let local = net::getsockname(&fd).map_or(Address::Unknown, |a| Address::from_sys(&a));
        let state = State::Held(fd);
        let group = Group::new();
        Self { state, info, cfg: cfg.clone(), local, again: false, place: None, suspended: false, group }
    }

    fn borrow(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Held(fd) => Some(fd.as_fd()),
            State::Enabled(io) => Some(io.get_ref().as_fd()),
            State::Gone => None,
        }
    }

    fn duplicate(&self) -> Result<OwnedFd, BindError> {
        let fd = self.borrow().ok_or(Errno::BADF);
        fd.and_then(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 3)).map_err(|e| BindError {
            text: format!("cannot duplicate socket ({}) for [{}]", errno_text(e), self.local),
            in_use: false,
        })
    }

    /// The parent's socket may be in use elsewhere: it is only left alone while suspended.
    fn is_inherited(&self) -> bool {
        matches!(self.cfg.addr.kind, AddrKind::Fd(_))
    }
}

/// Takes one datagram; what is longer than the buffer is cut.
fn receive(fd: BorrowedFd<'_>, buf: &mut [u8]) -> rustix::io::Result<(usize, Address)> {
    let (n, _, from) = net::recvfrom(fd, buf, RecvFlags::DONTWAIT)?;
    Ok((n, from.map_or(Address::Unknown, |a| Address::from_sys(&a))))
}

/// Reports about datagrams that were sent through the socket, which is nobody here, and interruptions.
fn is_passing(e: Errno) -> bool {
    [Errno::INTR, Errno::CONNREFUSED, Errno::HOSTUNREACH, Errno::NETUNREACH, Errno::NETDOWN].contains(&e)
}

impl Receiver for DgramReceiver {
    fn info(&self) -> &'static ProtocolInfo {
        self.info
    }

    fn listen(&mut self) -> Result<(), String> {
        match &mut self.place {
            Some(place) => place.move_in(),
            None => Ok(()),
        }
    }

    fn enable(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Held(fd) => match reactor::register(fd, Interest::READABLE) {
                Ok(io) => self.state = State::Enabled(io),
                Err((fd, e)) => {
                    self.state = State::Held(fd);
                    return Err(e);
                }
            },
            State::Gone => return Err(io::ErrorKind::NotConnected.into()),
            enabled @ State::Enabled(_) => self.state = enabled,
        }
        Ok(())
    }

    fn disable(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Enabled(io) => State::Held(io.into_inner()),
            other => other,
        };
    }

    /// The kernel would go on to give the socket its share of the address's datagrams: connected to itself, it gets
    /// none.
    fn suspend(&mut self) -> io::Result<bool> {
        self.disable();
        if !matches!(self.local, Address::Ip(_)) {
            // A path is taken over by rename; an abstract name can only be given up.
            return Ok(matches!(self.local, Address::Unix(_)));
        }
        if let Some(fd) = self.borrow()
            && !self.is_inherited()
            && !self.suspended
        {
            net::connect(fd, &net::getsockname(fd)?)?;
            self.suspended = true;
        }
        Ok(true)
    }

    fn resume(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.suspended)
            && let Some(fd) = self.borrow()
        {
            net::connect_unspec(fd)?;
        }
        self.enable()
    }

    fn give_way(&self) -> bool {
        self.cfg.reuseport && self.borrow().is_some_and(|fd| self.group.give_way(fd))
    }

    fn claim(&self) {
        if let Some(fd) = self.borrow().filter(|_| self.cfg.reuseport) {
            Group::claim(fd);
        }
    }

    fn unbind(mut self: Box<Self>) {
        self.disable();
        self.state = State::Gone;
    }

    fn poll_accept(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn accept_conn(&mut self) -> io::Result<Accepted> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, Address)>> {
        let State::Enabled(io) = &self.state else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            let mut guard = ready!(io.poll_read_ready(cx))?;
            match receive(guard.get_inner().as_fd(), buf) {
                Ok(got) => return Poll::Ready(Ok(got)),
                Err(Errno::AGAIN) => guard.clear_ready(),
                Err(e) if is_passing(e) => {}
                Err(e) => return Poll::Ready(Err(e.into())),
            }
        }
    }

    fn receive(&mut self, buf: &mut [u8]) -> io::Result<(usize, Address)> {
        let Some(fd) = self.borrow() else { return Err(io::ErrorKind::NotConnected.into()) };
        Ok(receive(fd, buf)?)
    }

    fn local_addr(&self) -> Address {
        self.local.clone()
    }

    fn fd(&self) -> Option<RawFd> {
        self.borrow().map(|fd| fd.as_raw_fd())
    }

    fn export(&self) -> Option<Listening> {
        if self.is_inherited() {
            return None;
        }
        Some(Listening {
            fd: self.duplicate().ok()?,
            namespace: self.cfg.namespace.as_ref().map_or_else(String::new, |n| n.name().to_owned()),
            interface: self.cfg.opts.interface.clone().unwrap_or_default(),
        })
    }

    fn for_thread(&self, shared: bool) -> Result<Box<dyn Receiver>, BindError> {
        let own = self.again && self.cfg.reuseport && !shared;
        let fd = if own {
            // The first socket has reported what the kernel refused.
            tcp::open(&self.cfg, &self.local, SocketType::DGRAM, &mut Vec::new())?
        } else {
            self.duplicate()?
        };
        let other = Self::new(fd, self.info, &self.cfg);
        let group = if own { self.group.joined() } else { self.group.clone() };
        Ok(Box::new(Self { local: self.local.clone(), again: self.again, group, ..other }))
    }
}

#[cfg(test)]
#[path = "dgram_tests.rs"]
mod tests;

//! The one receiver for listening sockets: TCP, UNIX, abstract UNIX, inherited descriptors.

use crate::handover::Listening;
use crate::reuseport::Group;
use crate::sock::Sock;
use crate::sysopt::{self, Family};
use crate::vtable::{Accepted, BindError, ProtocolInfo, Receiver};
use crate::{Address, RxConfig, reactor, unix};
use hawser_cfg::model::AddrKind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{self, SocketFlags, sockopt};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Queue length asked for when nothing says how long: the kernel caps it at `somaxconn`.
const BACKLOG_MAX: u32 = 65_535;

/// How to make another receiver for the same address.
pub(crate) type Again = fn(&RxConfig, &Address) -> Result<OwnedFd, BindError>;

enum State {
    /// Not accepting.
    Held(OwnedFd),
    /// On the reactor of the thread that enabled it.
    Enabled(AsyncFd<OwnedFd>),
    /// Closed.
    Gone,
}

/// A stream receiver over a kernel socket.
pub(crate) struct SockReceiver {
    state: State,
    info: &'static ProtocolInfo,
    cfg: RxConfig,
    family: Family,
    local: Address,
    /// `None` where only a duplicate of the descriptor can share the address.
    again: Option<Again>,
    /// A UNIX path waiting to be moved into place.
    place: Option<unix::Placement>,
    /// Not a duplicate of another receiver's descriptor: the one that suspends and resumes the socket.
    primary: bool,
    /// The sockets of this process on the address.
    group: Group,
}

impl SockReceiver {
    pub(crate) fn new(
        fd: OwnedFd,
        info: &'static ProtocolInfo,
        cfg: &RxConfig,
        again: Option<Again>,
    ) -> Self {
        let local = net::getsockname(&fd).map_or(Address::Unknown, |a| Address::from_sys(&a));
        let family = Family::of(&local);
        Self {
            state: State::Held(fd),
            info,
            cfg: cfg.clone(),
            family,
            local,
            again,
            place: None,
            primary: true,
            group: Group::new(),
        }
    }

    /// Known by another address than the kernel's.
    pub(crate) fn at(mut self, addr: Address) -> Self {
        self.local = addr;
        self
    }

    pub(crate) fn with_place(mut self, place: unix::Placement) -> Self {
        self.local = Address::Unix(place.path().to_path_buf());
        self.place = Some(place);
        self
    }

    fn borrow(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Held(fd) => Some(fd.as_fd()),
            State::Enabled(io) => Some(io.get_ref().as_fd()),
            State::Gone => None,
        }
    }

    fn accept(&self, fd: BorrowedFd<'_>) -> rustix::io::Result<(OwnedFd, Address)> {
        let (fd, peer) = net::acceptfrom_with(fd, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
        if let Some(less) = self.cfg.opts.mss.filter(|mss| *mss < 0) {
            sysopt::lower_mss(fd.as_fd(), less);
        }
        let src = peer.map_or(Address::Unknown, |a| Address::from_sys(&a));
        // An unnamed UNIX client has no address of its own: it is known by the one it connected to.
        let unnamed = matches!(&src, Address::Unix(p) if p.as_os_str().is_empty()) || src == Address::Unknown;
        Ok((fd, if unnamed { self.local.clone() } else { src }))
    }

    fn wrap(&self, fd: OwnedFd, src: Address) -> io::Result<Accepted> {
        let sock = Sock::accepted(fd, self.family, src.clone())?;
        Ok(Accepted { transport: Box::new(sock), src })
    }
}

impl Receiver for SockReceiver {
    fn info(&self) -> &'static ProtocolInfo {
        self.info
    }

    fn listen(&mut self) -> Result<(), String> {
        let Some(fd) = self.borrow() else { return Err("receiver is closed".into()) };
        // A descriptor may be inherited listening; its queue is then somebody else's choice.
        if !sockopt::socket_acceptconn(fd).unwrap_or(false) {
            let wanted = if self.cfg.backlog == 0 { BACKLOG_MAX } else { self.cfg.backlog.min(BACKLOG_MAX) };
            net::listen(fd, wanted.cast_signed())
                .map_err(|e| format!("cannot listen to socket ({})", errno_text(e)))?;
        }
        if let Some(place) = &mut self.place {
            place.move_in()?;
        }
        Ok(())
    }

    fn enable(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Held(fd) => {
                match reactor::register(fd, Interest::READABLE) {
                    Ok(io) => self.state = State::Enabled(io),
                    Err((fd, e)) => {
                        self.state = State::Held(fd);
                        return Err(e);
                    }
                }
                Ok(())
            }
            State::Gone => Err(io::ErrorKind::NotConnected.into()),
            enabled @ State::Enabled(_) => {
                self.state = enabled;
                Ok(())
            }
        }
    }

    fn disable(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Enabled(io) => State::Held(io.into_inner()),
            other => other,
        };
    }

    fn suspend(&mut self) -> io::Result<bool> {
        self.disable();
        if self.family == Family::Unix {
            // A path is taken over by rename and needs no pause; an abstract name or a foreign descriptor
            // can only be given up.
            return Ok(matches!(self.local, Address::Unix(_)));
        }
        // Once, and while it listens: a second time would shut down the connections that it accepts later.
        if self.primary
            && let Some(fd) = self.borrow()
            && sockopt::socket_acceptconn(fd)?
        {
            net::shutdown(fd, net::Shutdown::Read)?;
        }
        Ok(true)
    }

    fn resume(&mut self) -> io::Result<()> {
        if self.primary {
            self.listen().map_err(io::Error::other)?;
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

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        loop {
            let State::Enabled(io) = &self.state else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            let mut guard = ready!(io.poll_read_ready(cx))?;
            match self.accept(guard.get_inner().as_fd()) {
                Ok((fd, src)) => {
                    // An accept(2) that finds nothing has made a descriptor, a file and a socket first: ten
                    // times the cost of asking whether another client waits.
                    if !waiting(guard.get_inner().as_fd()) {
                        guard.clear_ready();
                    }
                    return Poll::Ready(self.wrap(fd, src));
                }
                Err(Errno::AGAIN) => guard.clear_ready(),
                // These concern the connection that was to be taken, not the listener (accept(2)).
                Err(e) if is_of_connection(e) => {}
                Err(e) => return Poll::Ready(Err(e.into())),
            }
        }
    }

    fn accept_conn(&mut self) -> io::Result<Accepted> {
        loop {
            let Some(fd) = self.borrow() else { return Err(io::ErrorKind::NotConnected.into()) };
            match self.accept(fd) {
                Ok((fd, src)) => return self.wrap(fd, src),
                Err(e) if is_of_connection(e) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn local_addr(&self) -> Address {
        self.local.clone()
    }

    fn fd(&self) -> Option<RawFd> {
        self.borrow().map(|fd| fd.as_raw_fd())
    }

    fn export(&self) -> Option<Listening> {
        if matches!(self.cfg.addr.kind, AddrKind::Fd(_)) {
            return None;
        }
        Some(Listening {
            fd: self.duplicate().ok()?,
            namespace: self.cfg.namespace.as_ref().map_or_else(String::new, |n| n.name().to_owned()),
            interface: self.cfg.opts.interface.clone().unwrap_or_default(),
        })
    }

    fn for_thread(&self, shared: bool) -> Result<Box<dyn Receiver>, BindError> {
        let (fd, primary) = match (self.again, self.cfg.reuseport && !shared) {
            (Some(again), true) => (again(&self.cfg, &self.local)?, true),
            _ => (self.duplicate()?, false),
        };
        let mut other = Self::new(fd, self.info, &self.cfg, self.again);
        other.local = self.local.clone();
        other.primary = primary;
        other.group = if primary { self.group.joined() } else { self.group.clone() };
        Ok(Box::new(other))
    }
}

impl SockReceiver {
    fn duplicate(&self) -> Result<OwnedFd, BindError> {
        let fd = self.borrow().ok_or(Errno::BADF);
        fd.and_then(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 3)).map_err(|e| BindError {
            text: format!("cannot duplicate socket ({}) for [{}]", errno_text(e), self.local),
            in_use: false,
        })
    }
}

/// Whether a client waits in the queue; if in doubt, yes.
fn waiting(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())) != Ok(0)
}

fn is_of_connection(e: Errno) -> bool {
    [
        Errno::INTR,
        Errno::CONNABORTED,
        Errno::PROTO,
        Errno::NETDOWN,
        Errno::NOPROTOOPT,
        Errno::HOSTDOWN,
        Errno::NONET,
        Errno::HOSTUNREACH,
        Errno::NETUNREACH,
        Errno::PERM,
    ]
    .contains(&e)
}

/// The system's text of an error, without Rust's `(os error N)`.
pub fn errno_text(e: Errno) -> String {
    let text = io::Error::from(e).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

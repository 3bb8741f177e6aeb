//! UNIX stream sockets: paths (`unix_stream`) and abstract names (`abns_stream`, `abnsz_stream`).
//!
//! A path is bound under a temporary name and moved over the real one only when the receiver starts to
//! listen: the clients of a running service never see the path missing, and a failed start leaves it alone.

use crate::receiver::{SockReceiver, errno_text};
use crate::vtable::{BindError, ConnectTo, Connecting, Protocol, ProtocolInfo, Receiver, RxConfig};
use crate::{Address, connect};
use rustix::fs::{self, AtFlags, CWD, Gid, Mode, Uid};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// UNIX stream sockets of one naming scheme.
pub(crate) struct Unix {
    info: &'static ProtocolInfo,
}

/// Sockets with a path.
pub(crate) static UNIX_STREAM: Unix = Unix { info: &UNIX_INFO };
/// Sockets with an abstract name padded with NULs.
pub(crate) static ABNS_STREAM: Unix = Unix { info: &ABNS_INFO };
/// Sockets with an abstract name of its own length.
pub(crate) static ABNSZ_STREAM: Unix = Unix { info: &ABNSZ_INFO };

pub(crate) static UNIX_INFO: ProtocolInfo =
    ProtocolInfo { name: "unix_stream", reuseport: false, dgram: false };
static ABNS_INFO: ProtocolInfo = ProtocolInfo { name: "abns_stream", reuseport: false, dgram: false };
static ABNSZ_INFO: ProtocolInfo = ProtocolInfo { name: "abnsz_stream", reuseport: false, dgram: false };

impl Protocol for Unix {
    fn info(&self) -> &'static ProtocolInfo {
        self.info
    }

    fn bind(&self, cfg: &RxConfig, _warnings: &mut Vec<String>) -> Result<Box<dyn Receiver>, BindError> {
        let addr = Address::of(&cfg.addr);
        let (fd, place) = open(cfg, &addr, SocketType::STREAM)?;
        let receiver = SockReceiver::new(fd, self.info, cfg, None).at(addr);
        Ok(Box::new(match place {
            Some(place) => receiver.with_place(place),
            None => receiver,
        }))
    }

    fn connect(&self, to: &ConnectTo) -> io::Result<Box<dyn Connecting>> {
        connect::start(to)
    }
}

/// A bound socket, for streams or for datagrams; one that has a path comes with it, unless it is in its place.
pub(crate) fn open(
    cfg: &RxConfig,
    addr: &Address,
    kind: SocketType,
) -> Result<(OwnedFd, Option<Placement>), BindError> {
    if let Some(fd) = cfg.handed.as_ref().and_then(|h| h.take(cfg, addr)) {
        return Ok((fd, None));
    }
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = net::socket_with(AddressFamily::UNIX, kind, flags, None)
        .map_err(|e| failure("cannot create receiving UNIX socket", e, addr))?;
    if let Address::Unix(path) = addr {
        let place = Placement::bind(&fd, path, cfg).map_err(|(what, e)| failure(what, e, addr))?;
        return Ok((fd, Some(place)));
    }
    let sys = addr.to_sys().map_err(|_| failure("cannot bind UNIX socket", Errno::NAMETOOLONG, addr))?;
    net::bind(&fd, &sys).map_err(|e| failure("cannot bind UNIX socket", e, addr))?;
    Ok((fd, None))
}

fn failure(what: &str, e: Errno, addr: &Address) -> BindError {
    let in_use = e == Errno::ADDRINUSE;
    let cause = if in_use { "already in use".to_owned() } else { errno_text(e) };
    BindError { text: format!("{what} ({cause}) [{addr}]"), in_use }
}

/// A socket bound under a temporary path, and the path it is meant for.
pub(crate) struct Placement {
    temporary: Option<PathBuf>,
    path: PathBuf,
}

impl Placement {
    fn bind(fd: &OwnedFd, path: &Path, cfg: &RxConfig) -> Result<Self, (&'static str, Errno)> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let bind = |e| ("cannot bind UNIX socket", e);
        match fs::unlink(&temporary) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(e) => return Err(("error when trying to unlink previous UNIX socket", e)),
        }
        let sys = Address::Unix(temporary.clone()).to_sys().map_err(|_| bind(Errno::NAMETOOLONG))?;
        net::bind(fd, &sys).map_err(bind)?;
        // From here on, dropping the placement removes the temporary name.
        let placed = Self { temporary: Some(temporary.clone()), path: path.to_owned() };
        restrict(&temporary, cfg).map_err(|e| ("cannot change UNIX socket ownership", e))?;
        Ok(placed)
    }

    /// The path that clients use.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the path over, whoever had it.
    pub(crate) fn move_in(&mut self) -> Result<(), String> {
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        fs::rename(&temporary, &self.path).map_err(|e| {
            let text = format!(
                "error when trying to rename the UNIX socket ({}) [{}]",
                errno_text(e),
                self.path.display()
            );
            self.temporary = Some(temporary);
            text
        })
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        if let Some(t) = &self.temporary {
            let _ = fs::unlink(t);
        }
    }
}

/// Applies `mode`, `uid` and `gid`.
fn restrict(path: &Path, cfg: &RxConfig) -> rustix::io::Result<()> {
    let o = &cfg.opts;
    if o.uid.is_some() || o.gid.is_some() {
        let (uid, gid) = (o.uid.map(Uid::from_raw), o.gid.map(Gid::from_raw));
        fs::chownat(CWD, path, uid, gid, AtFlags::empty())?;
    }
    if let Some(mode) = o.mode {
        fs::chmod(path, Mode::from_raw_mode(mode))?;
    }
    Ok(())
}

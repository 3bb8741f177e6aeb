//! Sockets that share an address (`SO_REUSEPORT`), and who of them gets the next client. One of the few places with
//! `unsafe`.
//!
//! The kernel deals clients to all sockets of an address, those of a process that is about to leave included, and
//! resets who still waits in the queue of one that closes. A process that leaves therefore has the kernel deal to the
//! sockets of its successor first, and closes its own once nobody can be on the way to them.

use parking_lot::Mutex;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The place of a socket among those of this process that share an address.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    all: Arc<All>,
    /// The kernel numbers the sockets of an address in the order in which they began to listen.
    place: u32,
}

/// All of them. They are closed together, once the last of them may be.
#[derive(Debug)]
struct All {
    count: AtomicU32,
    /// Duplicates of those that have given way, by their place.
    kept: Mutex<Vec<(u32, OwnedFd)>>,
}

impl Group {
    /// One socket.
    pub(crate) fn new() -> Self {
        Self { all: Arc::new(All { count: AtomicU32::new(1), kept: Mutex::default() }), place: 0 }
    }

    /// One more.
    pub(crate) fn joined(&self) -> Self {
        Self { all: self.all.clone(), place: self.all.count.fetch_add(1, Ordering::Relaxed) }
    }

    /// Has the kernel deal new clients to a socket that another process has bound since. Where there is none, everything
    /// stays as it is. Returns whether the kernel knows how to.
    pub(crate) fn give_way(&self, fd: BorrowedFd<'_>) -> bool {
        let steered = steer(fd, self.all.count.load(Ordering::Relaxed)).is_ok();
        if steered && let Ok(kept) = rustix::io::fcntl_dupfd_cloexec(fd, 3) {
            self.all.kept.lock().push((self.place, kept));
        }
        steered
    }

    /// Undoes [`Group::give_way`], whoever did it.
    pub(crate) fn claim(fd: BorrowedFd<'_>) {
        // Without a program there is nothing to undo.
        let _ = crate::sysopt::set_int(fd, libc::SOL_SOCKET, libc::SO_DETACH_REUSEPORT_BPF, 0);
    }
}

impl Drop for All {
    /// The kernel puts the last socket into the place of one that closes: the last of ours goes first, and leaves the
    /// others where they were. If each were closed by its thread, those that are left would get clients again.
    fn drop(&mut self) {
        let kept = self.kept.get_mut();
        kept.sort_unstable_by_key(|k| k.0);
        while kept.pop().is_some() {
            if let Some((place, fd)) = kept.last() {
                // All that can fail has succeeded before.
                let _ = steer(fd.as_fd(), place + 1);
            }
        }
    }
}

/// The first `own` sockets are this process's: the program chooses the one behind them. A number without a socket makes
/// the kernel deal as usual.
fn steer(fd: BorrowedFd<'_>, own: u32) -> io::Result<()> {
    let mut program =
        [libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: own }];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the descriptor is open while it is borrowed; the kernel copies the program, to which `program` points
    // and which lives across the call.
    let rc = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use crate::{Address, Receiver, RxConfig, protocol_for};
    use hawser_cfg::model::{Addr, AddrKind};
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Arc;

    fn sockets(at: SocketAddr, n: usize) -> Vec<Box<dyn Receiver>> {
        let (kind, text) = (AddrKind::Ip(at), at.to_string().into());
        let addr = Addr { kind, port_offset: None, port_missing: false, port_high: 0, dgram: false, text };
        let mut cfg = RxConfig::new(addr, Arc::default());
        cfg.reuseport = true;
        let first = protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).unwrap();
        let mut all: Vec<_> = (1..n).map(|_| first.for_thread(false).unwrap()).collect();
        all.insert(0, first);
        all.iter_mut().for_each(|r| r.listen().unwrap());
        all
    }

    /// How many of `n` clients each socket gets.
    fn dealt(to: SocketAddr, n: usize, sockets: &mut [Box<dyn Receiver>]) -> Vec<usize> {
        let _clients: Vec<_> = (0..n).map(|_| TcpStream::connect(to).unwrap()).collect();
        sockets.iter_mut().map(|s| std::iter::from_fn(|| s.accept_conn().ok()).count()).collect()
    }

    #[test]
    fn who_gives_way_gets_no_client() {
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _guard = rt.enter();
        for (n, k) in [(1, 1), (2, 2), (2, 4), (4, 2), (3, 1)] {
            let mut old = sockets("127.0.0.1:0".parse().unwrap(), n);
            let Address::Ip(at) = old[0].local_addr() else { panic!() };
            // Nobody to give way to: nothing changes.
            assert!(old.iter().all(|r| r.give_way()));
            assert_eq!(dealt(at, 20, &mut old).iter().sum::<usize>(), 20);

            let mut new = sockets(at, k);
            // In whatever order their threads close them.
            while !old.is_empty() {
                assert_eq!(dealt(at, 50, &mut old), vec![0; old.len()], "{n} {k}");
                assert_eq!(dealt(at, 0, &mut new).iter().sum::<usize>(), 50, "{n} {k}");
                old.remove(old.len() / 2).unbind();
            }
            assert_eq!(dealt(at, 50, &mut new).iter().sum::<usize>(), 50);
            new[0].claim();
            assert!(dealt(at, 300, &mut new).iter().all(|clients| *clients > 0), "{n} {k}");
        }
    }
}

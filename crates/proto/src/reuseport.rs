//! Sockets that share an address (`SO_REUSEPORT`), and who of them gets the next client. One of the few places with
//! `unsafe`.
//!
//! The kernel deals clients to all sockets of an address, those of a process that is about to leave included, and
//! resets who still waits in the queue of one that closes. A process that leaves therefore has the kernel deal to the
//! sockets of its successor first, and closes its own once nobody can be on the way to them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many sockets of this process share an address.
#[derive(Clone, Debug)]
pub(crate) struct Group(Arc<AtomicU32>);

impl Group {
    /// One socket.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU32::new(1)))
    }

    /// One more.
    pub(crate) fn joined(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        self.clone()
    }

    /// Has the kernel deal new clients to the sockets that other processes have bound since. Where there is none,
    /// everything stays as it is. Returns whether the kernel knows how to.
    pub(crate) fn give_way(&self, fd: BorrowedFd<'_>) -> bool {
        steer(fd, self.0.load(Ordering::Relaxed)).is_ok()
    }

    /// Undoes [`Group::give_way`], whoever did it.
    pub(crate) fn claim(fd: BorrowedFd<'_>) {
        // Without a program there is nothing to undo.
        let _ = crate::sysopt::set_int(fd, libc::SOL_SOCKET, libc::SO_DETACH_REUSEPORT_BPF, 0);
    }
}

/// The kernel numbers the sockets of an address in the order in which they were bound, so the first `own` are this
/// process's, and the program chooses among as many behind them. A number without a socket makes the kernel deal as
/// usual.
fn steer(fd: BorrowedFd<'_>, own: u32) -> io::Result<()> {
    const RANDOM: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_RANDOM).cast_unsigned();
    let op = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let mut program = [
        op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, RANDOM),
        op(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K, own),
        op(libc::BPF_ALU | libc::BPF_ADD | libc::BPF_K, own),
        op(libc::BPF_RET | libc::BPF_A, 0),
    ];
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
        for (n, k) in [(1, 1), (2, 2), (2, 4)] {
            let mut old = sockets("127.0.0.1:0".parse().unwrap(), n);
            let Address::Ip(at) = old[0].local_addr() else { panic!() };
            // Nobody to give way to: nothing changes.
            assert!(old.iter().all(|r| r.give_way()));
            assert_eq!(dealt(at, 20, &mut old).iter().sum::<usize>(), 20);

            let mut new = sockets(at, k);
            assert_eq!(dealt(at, 50, &mut old), vec![0; n], "{n} {k}");
            assert_eq!(dealt(at, 0, &mut new).iter().sum::<usize>(), 50);
            old.into_iter().for_each(|r| r.unbind());
            assert_eq!(dealt(at, 50, &mut new).iter().sum::<usize>(), 50);
            new[0].claim();
            assert!(dealt(at, 300, &mut new).iter().all(|clients| *clients > 0), "{n} {k}");
        }
    }
}

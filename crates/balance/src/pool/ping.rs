//! Signs of life of idle connections (manual 5.2 `idle-ping`).

use super::{Idle, IdlePool, Lists, Ms, Server};
use std::time::Duration;

impl<C: Idle> IdlePool<C> {
    /// When a connection that becomes idle now is asked for the first time.
    pub(super) fn ping_at(&mut self, server: &Server, now: Ms) -> Option<Ms> {
        let at = now + interval(server)?;
        self.next_ping = Some(self.next_ping.map_or(at, |t| t.min(at)));
        Some(at)
    }

    /// Asks those connections for a sign of life whose turn it is; those that gave none since the last time end.
    pub fn ping(&mut self, now: Ms) {
        if self.next_ping.is_none_or(|t| t > now) {
            return;
        }
        let mut next = None;
        for p in self.servers.values_mut() {
            let Some(interval) = interval(&p.server) else { continue };
            for entry in p.by_hash.values_mut().flat_map(Lists::entries_mut) {
                let due = entry.ping_at.is_some_and(|t| t <= now);
                if due {
                    let asked = entry.conn.io.ping(Duration::from_millis(interval));
                    entry.ping_at = asked.then_some(now + interval);
                }
                next = entry.ping_at.into_iter().chain(next).min();
            }
        }
        self.next_ping = next;
    }
}

fn interval(server: &Server) -> Option<Ms> {
    server.opts.idle_ping.filter(|ms| *ms != 0).map(Ms::from)
}

#[cfg(test)]
mod tests {
    use super::super::{Conn, FdPressure};
    use super::*;
    use crate::tests::{backend, srv};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    struct Fake {
        name: u32,
        talks: bool,
        pings: Rc<RefCell<Vec<u32>>>,
    }

    impl Idle for Fake {
        fn is_dead(&mut self) -> bool {
            false
        }

        fn ping(&mut self, timeout: Duration) -> bool {
            assert_eq!(timeout, Duration::from_millis(100));
            self.pings.borrow_mut().push(self.name);
            self.talks
        }
    }

    #[test]
    fn idle_ones_are_asked_again_and_again() {
        let server = backend(
            "",
            vec![srv("s", |o| {
                o.rare_mut().idle_ping = Some(100);
                o.rare_mut().pool_low_conn = Some(9);
            })],
        )
        .servers[0]
            .clone();
        let mut pool = IdlePool::new(Arc::new(FdPressure::none()));
        let pings = Rc::<RefCell<Vec<u32>>>::default();
        for (name, talks, at) in [(1, true, 1000), (2, false, 1010), (3, true, 1050)] {
            let c: Conn<Fake> = pool.opened(&server, 1, Fake { name, talks, pings: pings.clone() });
            assert!(pool.put(c, at).is_ok());
        }
        let mut told = Vec::new();
        while let Some(due) = pool.next_due().filter(|t| *t < 1300) {
            pool.ping(due);
            told.push((due, std::mem::take(&mut *pings.borrow_mut())));
        }
        let want = [(1100, 1), (1110, 2), (1150, 3), (1200, 1), (1250, 3)].map(|(at, who)| (at, vec![who]));
        assert_eq!(told, want);
    }

    #[test]
    fn nobody_is_asked_without_the_option() {
        let server = backend("", vec![srv("s", |_| ())]).servers[0].clone();
        let mut pool = IdlePool::new(Arc::new(FdPressure::none()));
        let pings = Rc::<RefCell<Vec<u32>>>::default();
        let c = pool.opened(&server, 1, Fake { name: 1, talks: true, pings: pings.clone() });
        assert!(pool.put(c, 1000).is_ok());
        assert_eq!(pool.next_due(), pool.next_purge());
        pool.ping(9999);
        assert!(pings.borrow().is_empty());
    }
}

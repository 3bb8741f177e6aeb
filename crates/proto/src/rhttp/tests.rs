//! The receiver against peers that speak raw frames.

use super::{Dialer, PREFACE, Plan};
use crate::vtable::{Accepted, ConnectTo, Connecting, Receiver, RxConfig};
use crate::{Address, Transport, protocol_for, protocol_of};
use hawser_cfg::model::{Addr, AddrKind};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// SETTINGS with one entry, as the fake mux sends it first.
const GREETING: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
/// SETTINGS with two entries.
const THEIRS: &[u8] = &[0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0, 5, 0, 0, 0x40, 0];
const HEADERS: &[u8] = &[0, 0, 1, 1, 5, 0, 0, 0, 1, 0x82];
const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];

struct Fixed {
    at: Address,
    limit: Duration,
    logs: Arc<Mutex<Vec<String>>>,
}

impl Dialer for Fixed {
    fn find(&self) -> Result<(), String> {
        Ok(())
    }

    fn dial(&self) -> io::Result<Box<dyn Connecting>> {
        protocol_of(&self.at).connect(&ConnectTo { dst: self.at.clone(), ..ConnectTo::default() })
    }

    fn connect_timeout(&self) -> Option<Duration> {
        Some(self.limit)
    }

    fn greeting(&self) -> Vec<u8> {
        GREETING.to_vec()
    }

    fn log(&self, level: u8, text: &str) {
        self.logs.lock().push(format!("{level} {text}"));
    }
}

struct Bench {
    peer: TcpListener,
    plan: Arc<Plan>,
    receivers: Vec<Box<dyn Receiver>>,
    logs: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    /// A listener of `threads` receivers that wants `nbconn` connections.
    async fn new(nbconn: u32, threads: usize) -> Self {
        // Pauses are bounded to next to nothing, so that tests do not wait.
        Self::patient(nbconn, threads, Duration::from_millis(40), Duration::from_secs(30)).await
    }

    /// Pauses up to `bound`, and gives an attempt up after `limit`.
    async fn patient(nbconn: u32, threads: usize, bound: Duration, limit: Duration) -> Self {
        let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = Address::Ip(peer.local_addr().unwrap());
        let logs = Arc::<Mutex<Vec<String>>>::default();
        let dialer = Fixed { at, limit, logs: logs.clone() };
        let plan = Plan::new("fe".into(), "be/srv".into(), nbconn, bound, Box::new(dialer));
        let addr = Addr {
            kind: AddrKind::Rhttp(Some(("be".into(), "srv".into()))),
            port_offset: None,
            port_missing: false,
            port_high: 0,
            dgram: false,
            text: "rhttp@be/srv".into(),
        };
        let mut cfg = RxConfig::new(addr, Arc::default());
        cfg.plan = Some(plan.clone());
        let first = protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).unwrap();
        let mut receivers = vec![first];
        for _ in 1..threads {
            let other = receivers[0].for_thread(false).unwrap();
            receivers.push(other);
        }
        for r in &mut receivers {
            r.listen().unwrap();
            r.enable().unwrap();
        }
        Self { peer, plan, receivers, logs }
    }

    /// The next connection at the peer, its opening read.
    async fn meet(&self) -> TcpStream {
        let (mut s, _) = self.peer.accept().await.unwrap();
        let mut opening = vec![0; PREFACE.len() + GREETING.len()];
        s.read_exact(&mut opening).await.unwrap();
        assert_eq!(opening, [PREFACE.as_slice(), GREETING].concat());
        s
    }

    /// The next connection, opened as it should be.
    async fn open(&self) -> TcpStream {
        let mut peer = self.meet().await;
        peer.write_all(THEIRS).await.unwrap();
        peer
    }

    async fn accept(&mut self, receiver: usize) -> Accepted {
        let r = &mut self.receivers[receiver];
        poll_fn(|cx| r.poll_accept(cx)).await.unwrap()
    }

    /// Waits for a state of the plan.
    async fn until(&self, what: impl Fn(&super::PlanStatus) -> bool) {
        while !what(&self.plan.status()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn run(f: impl AsyncFnOnce()) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&rt, async {
        tokio::time::timeout(Duration::from_secs(20), f()).await.unwrap();
    });
}

async fn read(t: &mut dyn Transport, n: usize) -> Vec<u8> {
    let mut buf = vec![0; n];
    let mut at = 0;
    while at < n {
        let got = poll_fn(|cx| t.poll_read(cx, &mut buf[at..])).await.unwrap();
        assert_ne!(got, 0, "after {:?}", &buf[..at]);
        at += got;
    }
    buf
}

async fn write(t: &mut dyn Transport, bytes: &[u8]) {
    let mut at = 0;
    while at < bytes.len() {
        at += poll_fn(|cx| t.poll_write(cx, &bytes[at..], false)).await.unwrap();
    }
}

#[test]
fn settings_in_pieces_and_early_frames() {
    run(async || {
        let mut b = Bench::new(1, 1).await;
        let mut peer = b.meet().await;
        let bytes = [THEIRS, HEADERS].concat();
        for byte in &bytes {
            peer.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
            if peer.set_nodelay(true).is_err() {
                break;
            }
        }
        let mut conn = b.accept(0).await;
        assert_eq!(conn.src, Address::Ip(b.peer.local_addr().unwrap()));
        let all = [PREFACE.as_slice(), &bytes].concat();
        assert_eq!(read(&mut *conn.transport, all.len()).await, all);
        // The mux's own greeting does not reach the peer again; what follows does.
        write(&mut *conn.transport, &[GREETING, b"ack"].concat()).await;
        let mut got = [0; 3];
        peer.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ack");
    });
}

#[test]
fn nothing_is_offered_before_settings_are_whole() {
    run(async || {
        let mut b = Bench::new(1, 1).await;
        let mut peer = b.meet().await;
        peer.write_all(&THEIRS[..20]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(b.receivers[0].accept_conn().err().unwrap().kind(), io::ErrorKind::WouldBlock);
        peer.write_all(&THEIRS[20..]).await.unwrap();
        b.accept(0).await;
        assert_eq!(b.plan.status().total(), 0, "it was dropped at once");
    });
}

#[test]
fn what_the_mux_sends_must_be_what_was_announced() {
    run(async || {
        let mut b = Bench::new(1, 1).await;
        let _peer = b.open().await;
        let mut conn = b.accept(0).await;
        let bad = poll_fn(|cx| conn.transport.poll_write(cx, b"\0\0\x01", false)).await;
        assert_eq!(bad.unwrap_err().kind(), io::ErrorKind::InvalidData);
    });
}

#[test]
fn peers_that_do_not_answer_as_they_should_are_left() {
    run(async || {
        let b = Bench::patient(1, 1, Duration::from_millis(40), Duration::from_millis(1500)).await;
        // Not HTTP/2.
        b.meet().await.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        b.until(|s| s.failures == 1).await;
        assert!(b.plan.status().last_error.unwrap().contains("SETTINGS"));
        // SETTINGS of a length that cannot be.
        b.meet().await.write_all(&[0, 0, 5, 4, 0, 0, 0, 0, 0]).await.unwrap();
        b.until(|s| s.failures == 2).await;
        // Closed too early.
        drop(b.meet().await);
        b.until(|s| s.failures == 3).await;
        // Silent: `timeout connect` bounds the attempt.
        let _silent = b.meet().await;
        b.until(|s| s.failures == 4).await;
        assert_eq!(b.plan.status().last_error.unwrap(), "timed out");
        b.meet().await;
        // One line for all of them, as HAProxy.
        let logs = b.logs.lock().clone();
        assert_eq!(
            logs,
            ["6 preconnect fe::be/srv: Initiating.", "3 preconnect fe::be/srv: Error encountered."]
        );
    });
}

#[test]
fn a_connection_that_dies_before_the_accept_is_replaced() {
    run(async || {
        let mut b = Bench::new(1, 1).await;
        let peer = b.open().await;
        b.until(|s| s.dialling).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(peer);
        b.until(|s| s.failures == 1).await;
        let _peer = b.open().await;
        let _conn = b.accept(0).await;
        let s = b.plan.status();
        assert_eq!((s.failures, s.total(), s.opened), (0, 1, 1));
    });
}

#[test]
fn connections_are_opened_one_by_one_and_spread() {
    run(async || {
        let mut b = Bench::new(4, 2).await;
        let mut held = Vec::new();
        for i in 0..4 {
            let mut peer = b.meet().await;
            let another = tokio::time::timeout(Duration::from_millis(20), b.peer.accept()).await;
            assert!(another.is_err(), "only one attempt at a time");
            peer.write_all(THEIRS).await.unwrap();
            held.push((b.accept(i % 2).await, peer));
        }
        let s = b.plan.status();
        assert_eq!((s.up, s.dialling), (vec![2, 2], false));
        let full = "6 preconnect fe::be/srv: Running with nbconn 4 reached.";
        assert_eq!(b.logs.lock().last().unwrap(), full);
        // One that closes is replaced, on its thread.
        drop(held.remove(0));
        let _peer = b.open().await;
        let _conn = b.accept(0).await;
        assert_eq!(b.plan.status().up, [2, 2]);
    });
}

#[test]
fn a_goaway_calls_for_a_replacement_while_the_connection_goes_on() {
    run(async || {
        let mut b = Bench::new(1, 1).await;
        let mut old_peer = b.open().await;
        let mut old = b.accept(0).await;
        read(&mut *old.transport, PREFACE.len() + THEIRS.len()).await;
        write(&mut *old.transport, GREETING).await;
        old_peer.write_all(GOAWAY).await.unwrap();
        read(&mut *old.transport, GOAWAY.len()).await;
        let _peer = b.open().await;
        let _new = b.accept(0).await;
        let s = b.plan.status();
        assert_eq!((s.total(), s.leaving), (1, 1));
        write(&mut *old.transport, b"last").await;
        old_peer.read_exact(&mut [0; 4]).await.unwrap();
        drop(old);
        let s = b.plan.status();
        assert_eq!((s.total(), s.leaving, s.failures), (1, 0, 0));
    });
}

#[test]
fn a_peer_that_answers_with_a_goaway_again_and_again_is_not_dialled_in_a_loop() {
    run(async || {
        let mut b = Bench::patient(1, 1, Duration::from_secs(30), Duration::from_secs(30)).await;
        let mut held = Vec::new();
        loop {
            let mut peer = b.meet().await;
            peer.write_all(&[THEIRS, GOAWAY].concat()).await.unwrap();
            let conn = b.accept(0).await;
            held.push((peer, conn));
            let pause = b.plan.status().next.unwrap_or_default();
            if pause > Duration::from_millis(500) {
                break;
            }
            assert!(pause <= Duration::from_millis(50));
        }
        assert!((6..20).contains(&held.len()), "{}", held.len());
    });
}

#[test]
fn a_peer_that_drops_what_it_accepts_is_not_dialled_in_a_loop() {
    run(async || {
        let mut b = Bench::new(1, 1).await;
        let _peer = b.open().await;
        drop(b.accept(0).await);
        let s = b.plan.status();
        assert_eq!((s.failures, s.total()), (1, 0));
        assert!(s.next.is_some());
    });
}

#[test]
fn a_stopped_receiver_opens_nothing_and_keeps_what_is_up() {
    run(async || {
        let mut b = Bench::new(2, 1).await;
        let _peer = b.open().await;
        let _up = b.accept(0).await;
        let mut pending = b.meet().await;
        assert!(b.receivers[0].suspend().unwrap());
        assert_eq!(pending.read(&mut [0]).await.unwrap_or(0), 0, "an attempt under way is given up");
        let another = tokio::time::timeout(Duration::from_millis(80), b.peer.accept()).await;
        assert!(another.is_err());
        assert_eq!(b.plan.status().total(), 1);
        b.receivers[0].resume().unwrap();
        b.meet().await;
    });
}

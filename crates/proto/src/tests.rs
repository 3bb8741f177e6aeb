//! The stream protocols end to end, inside one runtime.

use crate::splice::Pipe;
use crate::sysopt::Family;
use crate::{Address, ConnectTo, Receiver, RxConfig, Sock, Transport, protocol_for, protocol_of};
use hawser_cfg::model::{Addr, AddrKind, BindOpts};
use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::task::Poll;
use tokio::task::coop;

fn addr(kind: AddrKind) -> Addr {
    Addr { kind, port_offset: None, port_missing: false, port_high: 0, dgram: false, text: "x".into() }
}

fn ip(s: &str) -> Addr {
    addr(AddrKind::Ip(s.parse().unwrap()))
}

fn rx(addr: Addr) -> RxConfig {
    RxConfig::new(addr, Arc::new(BindOpts::default()))
}

fn run(f: impl Future<Output = ()>) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async { tokio::time::timeout(std::time::Duration::from_secs(10), f).await.unwrap() });
}

fn bound(cfg: &RxConfig) -> Box<dyn Receiver> {
    let mut warnings = Vec::new();
    let mut r = protocol_for(&cfg.addr).bind(cfg, &mut warnings).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    r.listen().unwrap();
    r
}

fn enabled(cfg: &RxConfig) -> Box<dyn Receiver> {
    let mut r = bound(cfg);
    r.enable().unwrap();
    r
}

async fn read(t: &mut dyn Transport, buf: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| t.poll_read(cx, buf)).await
}

async fn write(t: &mut dyn Transport, buf: &[u8]) -> io::Result<usize> {
    poll_fn(|cx| t.poll_write(cx, buf, false)).await
}

async fn dial(dst: Address) -> io::Result<Box<dyn Transport>> {
    let mut c = protocol_of(&dst).connect(&ConnectTo { dst, ..ConnectTo::default() })?;
    poll_fn(|cx| c.poll_connect(cx)).await
}

/// Both ends of a connection through a receiver.
async fn pair(r: &mut Box<dyn Receiver>, dst: Address) -> (Box<dyn Transport>, Box<dyn Transport>) {
    let client = dial(dst).await.unwrap();
    let server = poll_fn(|cx| r.poll_accept(cx)).await.unwrap();
    (client, server.transport)
}

async fn ping_pong(r: &mut Box<dyn Receiver>, dst: Address) {
    let (mut c, mut s) = pair(r, dst).await;
    let mut buf = [0; 64];
    for round in 0..3_u8 {
        assert_eq!(write(&mut *c, &[b'a' + round; 5]).await.unwrap(), 5);
        assert_eq!(read(&mut *s, &mut buf).await.unwrap(), 5);
        assert_eq!(buf[0], b'a' + round);
        assert_eq!(
            poll_fn(|cx| s.poll_write_vectored(cx, &[IoSlice::new(b"x"), IoSlice::new(b"yz")], true))
                .await
                .unwrap(),
            3
        );
        poll_fn(|cx| c.poll_read_ready(cx)).await.unwrap();
        assert_eq!(read(&mut *c, &mut buf).await.unwrap(), 3);
    }
    assert!(s.peek(&mut buf).is_none());
    // Data and end of stream that arrive together: the short read must not hide the end.
    write(&mut *c, b"bye").await.unwrap();
    poll_fn(|cx| c.poll_shutdown(cx)).await.unwrap();
    assert_eq!(read(&mut *s, &mut buf).await.unwrap(), 3);
    assert_eq!(read(&mut *s, &mut buf).await.unwrap(), 0);
    assert!(matches!(s.peek(&mut buf), Some(Ok(0))));
}

#[test]
fn tcp_v4_and_v6() {
    run(async {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let mut r = enabled(&rx(ip(host)));
            let dst = r.local_addr();
            assert_ne!(dst.port(), 0);
            ping_pong(&mut r, dst).await;
        }
    });
}

#[test]
fn a_connection_moves_to_another_thread() {
    let (to, from) = std::sync::mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dst = Address::Ip(listener.local_addr().unwrap());
    let keep = &std::sync::Barrier::new(2);
    std::thread::scope(|s| {
        let peer = s.spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut buf = [0; 4];
            peer.read_exact(&mut buf).unwrap();
            peer.write_all(&buf).unwrap();
            peer.read_exact(&mut buf).unwrap();
            peer.write_all(&buf).unwrap();
        });
        s.spawn(move || {
            run(async {
                let mut t = dial(dst).await.unwrap();
                write(&mut *t, b"ping").await.unwrap();
                assert_eq!(read(&mut *t, &mut [0; 8]).await.unwrap(), 4);
                // It waits for news, as idle connections do.
                assert!(poll_fn(|cx| Poll::Ready(t.poll_read_ready(cx))).await.is_pending());
                to.send(t).unwrap();
                // Its reactor does not turn meanwhile.
                keep.wait();
            });
        });
        run(async {
            let mut t = from.recv().unwrap().migrate().unwrap();
            assert!(t.peek(&mut [0; 8]).is_none());
            write(&mut *t, b"pong").await.unwrap();
            assert_eq!(read(&mut *t, &mut [0; 8]).await.unwrap(), 4);
            keep.wait();
        });
        peer.join().unwrap();
    });
}

/// One socket that two tasks look at in turns: whoever asked last is woken.
#[test]
fn the_last_one_to_wait_is_woken() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let (mut c, s) = pair(&mut r, dst).await;
        let s = Arc::new(parking_lot::Mutex::new(s));
        let ask = |cx: &mut std::task::Context<'_>| s.lock().poll_read(cx, &mut [0; 8]);
        for _ in 0..2 {
            // This task waits, then waits again, and another one waits after it.
            assert!(poll_fn(|cx| Poll::Ready(ask(cx))).await.is_pending());
            assert!(poll_fn(|cx| Poll::Ready(ask(cx))).await.is_pending());
            let other = s.clone();
            let other =
                tokio::spawn(
                    async move { poll_fn(|cx| other.lock().poll_read(cx, &mut [0; 8])).await.unwrap() },
                );
            tokio::task::yield_now().await;
            write(&mut *c, b"x").await.unwrap();
            assert_eq!(other.await.unwrap(), 1);
            // Now this one again, which the reactor does not know any more.
            assert!(poll_fn(|cx| Poll::Ready(ask(cx))).await.is_pending());
            write(&mut *c, b"yz").await.unwrap();
            assert_eq!(poll_fn(ask).await.unwrap(), 2);
        }
    });
}

/// A read that was put off for the sake of other tasks has told the reactor nothing.
#[test]
fn a_task_out_of_budget_still_waits_for_bytes() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let (mut c, mut s) = pair(&mut r, dst).await;
        assert!(poll_fn(|cx| Poll::Ready(s.poll_read(cx, &mut [0; 8]))).await.is_pending());
        write(&mut *c, b"x").await.unwrap();
        assert_eq!(read(&mut *s, &mut [0; 8]).await.unwrap(), 1);
        poll_fn(|cx| {
            while coop::has_budget_remaining() {
                if let Poll::Ready(turn) = coop::poll_proceed(cx) {
                    turn.made_progress();
                }
            }
            assert!(s.poll_read_ready(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        tokio::task::yield_now().await;
        let late = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            write(&mut *c, b"yz").await.unwrap();
            c
        });
        assert_eq!(read(&mut *s, &mut [0; 8]).await.unwrap(), 2);
        drop(late.await.unwrap());
        assert_eq!(read(&mut *s, &mut [0; 8]).await.unwrap(), 0);
    });
}

/// A peer that always has more than is asked for does not keep the thread to itself.
#[test]
fn full_reads_leave_others_their_turn() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let (mut c, mut s) = pair(&mut r, dst).await;
        assert_eq!(write(&mut *c, &[1; 4096]).await.unwrap(), 4096);
        poll_fn(|cx| s.poll_read_ready(cx)).await.unwrap();
        let mut at_once = 0;
        poll_fn(|cx| {
            while at_once < 4096 && s.poll_read(cx, &mut [0; 1]).is_ready() {
                at_once += 1;
            }
            Poll::Ready(())
        })
        .await;
        assert!((1..4096).contains(&at_once), "{at_once} reads at once");
        let mut rest = 0;
        while rest < 4096 - at_once {
            rest += read(&mut *s, &mut [0; 64]).await.unwrap();
        }
    });
}

#[test]
fn addresses_of_an_accepted_connection() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let client = TcpStream::connect(("127.0.0.1", dst.port())).unwrap();
        let a = poll_fn(|cx| r.poll_accept(cx)).await.unwrap();
        assert_eq!(a.src, Address::Ip(client.local_addr().unwrap()));
        assert_eq!(a.transport.get_src(), a.src);
        assert_eq!(a.transport.get_dst(), dst);
    });
}

#[test]
fn accepted_sockets_do_not_delay() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let (_c, s) = pair(&mut r, dst).await;
        assert!(rustix::net::sockopt::tcp_nodelay(s.raw_fd().unwrap()).unwrap());
    });
}

#[test]
fn connections_to_servers_do_not_delay_a_second_write() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let mut peer = listener.accept().unwrap().0;
        let mut sock = Sock::connecting(client.into(), Family::V4, Address::Unknown).unwrap();
        let nodelay = |s: &Sock| rustix::net::sockopt::tcp_nodelay(s.fd()).unwrap();
        let mut buf = [0; 8];
        for _ in 0..2 {
            write(&mut sock, b"question").await.unwrap();
            assert!(!nodelay(&sock), "a request and its response need no option");
            peer.write_all(b"answer").unwrap();
            read(&mut sock, &mut buf).await.unwrap();
        }
        write(&mut sock, b"1").await.unwrap();
        write(&mut sock, b"2").await.unwrap();
        assert!(nodelay(&sock));
    });
}

#[test]
fn unix_path_is_taken_over_only_by_listening() {
    run(async {
        let dir = std::env::temp_dir().join(format!("hawser-proto-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("s");
        let old = UnixListener::bind(&path).unwrap();
        let mut cfg = rx(addr(AddrKind::Unix(path.clone())));
        cfg.opts = Arc::new(BindOpts { mode: Some(0o600), ..BindOpts::default() });
        let abandoned = protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).unwrap();
        drop(abandoned);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1, "a temporary name was left behind");
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        old.accept().unwrap();

        let mut r = enabled(&cfg);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        ping_pong(&mut r, Address::Unix(path)).await;
        r.unbind();
        std::fs::remove_dir_all(&dir).unwrap();
    });
}

#[test]
fn abstract_names_padded_or_not() {
    run(async {
        let name = format!("hawser-{}", std::process::id()).into_bytes();
        let padded = addr(AddrKind::Abns(name.clone(), false));
        let exact = addr(AddrKind::Abns(name, true));
        let mut first = enabled(&rx(padded.clone()));
        let mut second = enabled(&rx(exact.clone()));
        ping_pong(&mut first, Address::of(&padded)).await;
        ping_pong(&mut second, Address::of(&exact)).await;
        let again = protocol_for(&padded).bind(&rx(padded.clone()), &mut Vec::new()).err().unwrap();
        assert!(again.in_use);
        assert!(
            again.text.starts_with("cannot bind UNIX socket (already in use) [abns@hawser-"),
            "{}",
            again.text
        );
    });
}

#[test]
fn a_taken_port_is_told_in_haproxy_s_words() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let cfg = rx(addr(AddrKind::Ip(at)));
    let e = protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).err().unwrap();
    assert!(e.in_use);
    assert_eq!(e.text, format!("cannot bind socket (Address already in use) for [{at}]"));
}

#[test]
fn options_that_fail_are_warnings() {
    let mut cfg = rx(ip("127.0.0.1:0"));
    cfg.opts = Arc::new(BindOpts { interface: Some("nosuchdev".into()), ..BindOpts::default() });
    let mut warnings = Vec::new();
    protocol_for(&cfg.addr).bind(&cfg, &mut warnings).unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("cannot bind receiver to device 'nosuchdev' ("), "{warnings:?}");
}

#[test]
fn threads_share_an_address() {
    run(async {
        for reuseport in [true, false] {
            let mut cfg = rx(ip("127.0.0.1:0"));
            cfg.reuseport = reuseport;
            let first = bound(&cfg);
            let mut second = first.for_thread(false).unwrap();
            assert_eq!(second.local_addr(), first.local_addr());
            second.listen().unwrap();
            second.enable().unwrap();
            let dst = first.local_addr();
            first.unbind();
            ping_pong(&mut second, dst).await;
        }
    });
}

#[test]
fn inherited_listener() {
    run(async {
        let l = TcpListener::bind("127.0.0.1:0").unwrap();
        let dst = Address::Ip(l.local_addr().unwrap());
        let n = l.into_raw_fd();
        let mut r = enabled(&rx(addr(AddrKind::Fd(n))));
        assert_eq!(r.info().name, "tcpv4");
        assert_eq!(r.local_addr(), dst);
        ping_pong(&mut r, dst).await;
        let cfg = rx(addr(AddrKind::Fd(9999)));
        let e = protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).err().unwrap();
        assert_eq!(e.text, "cannot use file descriptor '9999' (Bad file descriptor)");
    });
}

#[test]
fn connections_through_a_socketpair() {
    run(async {
        let (a, b) = std::os::unix::net::UnixDatagram::pair().unwrap();
        let (a, b) = (a.into_raw_fd(), b.into_raw_fd());
        let mut r = enabled(&rx(addr(AddrKind::Sockpair(a))));
        ping_pong(&mut r, Address::Fd(b)).await;
        ping_pong(&mut r, Address::Fd(b)).await;
    });
}

#[test]
fn refused_connections_fail_either_way() {
    run(async {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let e = dial(Address::Ip(free)).await.err().unwrap();
        assert_eq!(e.kind(), io::ErrorKind::ConnectionRefused);
        let to = ConnectTo { dst: Address::Ip(free), ..ConnectTo::default() };
        let mut c = protocol_of(&to.dst).connect(&to).unwrap();
        let e = poll_fn(|cx| c.poll_connect_send(cx, &[IoSlice::new(b"x")])).await.err().unwrap();
        assert_eq!(e.kind(), io::ErrorKind::ConnectionRefused);
        let e = dial(Address::Unix("/nonexistent/socket".into())).await.err().unwrap();
        assert_eq!(e.kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn first_bytes_confirm_a_connection() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let to = ConnectTo { dst: r.local_addr(), ..ConnectTo::default() };
        let mut c = protocol_of(&to.dst).connect(&to).unwrap();
        let (_t, n) = poll_fn(|cx| c.poll_connect_send(cx, &[IoSlice::new(b"hel"), IoSlice::new(b"lo")]))
            .await
            .unwrap();
        assert_eq!(n, 5);
        let mut a = poll_fn(|cx| r.poll_accept(cx)).await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(read(&mut *a.transport, &mut buf).await.unwrap(), 5);
    });
}

#[test]
fn a_full_socket_blocks_until_it_is_read() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let mut peer = TcpStream::connect(("127.0.0.1", dst.port())).unwrap();
        let mut s = poll_fn(|cx| r.poll_accept(cx)).await.unwrap().transport;
        let chunk = vec![7_u8; 1 << 16];
        let mut total = 0;
        loop {
            let full = poll_fn(|cx| {
                Poll::Ready(match s.poll_write(cx, &chunk, false) {
                    Poll::Ready(n) => Some(n.unwrap()),
                    Poll::Pending => None,
                })
            })
            .await;
            match full {
                Some(n) => total += n,
                None => break,
            }
        }
        let reader = std::thread::spawn(move || {
            let mut n = 0;
            let mut buf = vec![0; 1 << 16];
            loop {
                match peer.read(&mut buf).unwrap() {
                    0 => return n,
                    k => n += k,
                }
            }
        });
        total += write(&mut *s, &chunk).await.unwrap();
        drop(s);
        assert_eq!(reader.join().unwrap(), total);
    });
}

#[test]
fn splice_moves_a_stream() {
    run(async {
        let mut r = enabled(&rx(ip("127.0.0.1:0")));
        let dst = r.local_addr();
        let (mut from_client, mut from) = pair(&mut r, dst.clone()).await;
        let mut to_client = TcpStream::connect(("127.0.0.1", dst.port())).unwrap();
        let mut to = poll_fn(|cx| r.poll_accept(cx)).await.unwrap().transport;
        let sent: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        let copy = sent.clone();
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            to_client.write_all(b"ignored").unwrap();
            to_client.read_to_end(&mut got).unwrap();
            assert!(got == copy);
        });
        let feed = async {
            let mut at = 0;
            while at < sent.len() {
                at += write(&mut *from_client, &sent[at..]).await.unwrap();
            }
            poll_fn(|cx| from_client.poll_shutdown(cx)).await.unwrap();
        };
        let relay = async {
            let mut pipe = Pipe::take().unwrap();
            while poll_fn(|cx| pipe.poll_fill(cx, &mut *from, 1 << 20)).await.unwrap().unwrap() > 0 {
                poll_fn(|cx| pipe.poll_drain(cx, &mut *to, false)).await.unwrap().unwrap();
            }
            assert!(pipe.is_empty());
            let mut buf = [0; 16];
            assert_eq!(read(&mut *to, &mut buf).await.unwrap(), 7);
            poll_fn(|cx| to.poll_shutdown(cx)).await.unwrap();
        };
        tokio::join!(feed, relay);
        reader.join().unwrap();
    });
}

#[test]
fn a_dirty_pipe_is_not_reused() {
    let mut pipe = Pipe::take().unwrap();
    let (mut a, b) = std::os::unix::net::UnixStream::pair().unwrap();
    a.write_all(b"secret").unwrap();
    assert_eq!(pipe.fill(std::os::fd::AsFd::as_fd(&b), 100).unwrap(), 6);
    drop(pipe);
    let clean = Pipe::take().unwrap();
    assert!(clean.is_empty());
    let mut fresh = clean;
    let (c, mut d) = std::os::unix::net::UnixStream::pair().unwrap();
    assert_eq!(fresh.drain(std::os::fd::AsFd::as_fd(&c), false).map_err(|e| e.kind()).unwrap_or(0), 0);
    d.set_nonblocking(true).unwrap();
    assert!(d.read(&mut [0; 8]).is_err());
}

#[test]
fn a_protocol_to_come_refuses() {
    let cfg = rx(addr(AddrKind::Quic("127.0.0.1:1".parse().unwrap())));
    let e = protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).err().unwrap();
    assert!(e.text.contains("not supported by Hawser yet"), "{}", e.text);
}

#[test]
fn names_of_protocols_are_unique() {
    let mut names: Vec<_> = crate::PROTOCOLS.iter().map(|p| p.info().name).collect();
    names.sort_unstable();
    let n = names.len();
    names.dedup();
    assert_eq!(names.len(), n);
}

//! Datagram receivers in one runtime.

use crate::{Receiver, RxConfig, protocol_for};
use hawser_cfg::model::{Addr, AddrKind, BindOpts};
use std::future::poll_fn;
use std::net::UdpSocket;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

fn rx(kind: AddrKind, opts: BindOpts) -> RxConfig {
    let text = "x".into();
    let addr = Addr { kind, port_offset: None, port_missing: false, port_high: 0, dgram: true, text };
    let mut cfg = RxConfig::new(addr, Arc::new(opts));
    cfg.reuseport = true;
    cfg
}

fn ip(s: &str) -> RxConfig {
    rx(AddrKind::Ip(s.parse().unwrap()), BindOpts::default())
}

fn bound(cfg: &RxConfig) -> Box<dyn Receiver> {
    let mut warnings = Vec::new();
    let mut r = protocol_for(&cfg.addr).bind(cfg, &mut warnings).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert!(r.info().dgram);
    r.listen().unwrap();
    r
}

fn run(f: impl Future<Output = ()>) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async { tokio::time::timeout(Duration::from_secs(10), f).await.unwrap() });
}

async fn next(r: &mut Box<dyn Receiver>, room: usize) -> (Vec<u8>, crate::Address) {
    let mut buf = vec![0; room];
    let (n, from) = poll_fn(|cx| r.poll_receive(cx, &mut buf)).await.unwrap();
    buf.truncate(n);
    (buf, from)
}

#[test]
fn udp_datagrams_come_with_their_sender_and_are_cut_at_the_buffer() {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        run(async {
            let mut r = bound(&ip(at));
            assert_eq!(r.info().name, if at.starts_with('[') { "udp6" } else { "udp4" });
            r.enable().unwrap();
            let client = UdpSocket::bind(at).unwrap();
            let to = (r.local_addr().ip().unwrap(), r.local_addr().port());
            for text in ["one", "twotwo", ""] {
                client.send_to(text.as_bytes(), to).unwrap();
            }
            let (text, from) = next(&mut r, 100).await;
            assert_eq!(
                (text.as_slice(), from),
                (b"one".as_slice(), crate::Address::Ip(client.local_addr().unwrap()))
            );
            assert_eq!(next(&mut r, 3).await.0, b"two");
            assert_eq!(next(&mut r, 3).await.0, b"");
        });
    }
}

#[test]
fn a_suspended_receiver_gets_nothing_until_it_is_resumed() {
    run(async {
        // A port that the kernel chose would be lost with the connection.
        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut r = bound(&ip(&free.to_string()));
        let to = ("127.0.0.1", r.local_addr().port());
        r.enable().unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(r.suspend().unwrap());
        // Refused by the kernel, or nowhere.
        let _ = client.send_to(b"lost", to);
        assert!(r.receive(&mut [0; 9]).is_err());
        r.resume().unwrap();
        let _ = client.send_to(b"here", to);
        let _ = client.send_to(b"here", to);
        assert_eq!(next(&mut r, 9).await.0, b"here");
    });
}

#[test]
fn threads_have_sockets_of_their_own_on_the_address() {
    run(async {
        let first = bound(&ip("127.0.0.1:0"));
        let second = first.for_thread(false).unwrap();
        assert_eq!(first.local_addr(), second.local_addr());
        let inode =
            |r: &dyn Receiver| std::fs::read_link(format!("/proc/self/fd/{}", r.fd().unwrap())).unwrap();
        assert_ne!(inode(&*first), inode(&*second));
        let shared = first.for_thread(true).unwrap();
        assert_eq!(inode(&*first), inode(&*shared));
    });
}

#[test]
fn a_path_takes_its_place_when_the_receiver_listens() {
    run(async {
        let path = std::env::temp_dir().join(format!("hawser-dgram-{}", std::process::id()));
        let opts = BindOpts { mode: Some(0o600), ..BindOpts::default() };
        let mut r = bound(&rx(AddrKind::Unix(path.clone()), opts));
        assert_eq!(r.info().name, "uxdg");
        r.enable().unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.send_to(b"hello", &path).unwrap();
        assert_eq!(next(&mut r, 9).await.0, b"hello");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn inherited_sockets_must_be_of_the_kind() {
    run(async {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = socket.local_addr().unwrap();
        let mut r = bound(&rx(AddrKind::Fd(socket.into_raw_fd()), BindOpts::default()));
        r.enable().unwrap();
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", to).unwrap();
        assert_eq!(next(&mut r, 9).await.0, b"x");
        let stream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let cfg = rx(AddrKind::Fd(stream.into_raw_fd()), BindOpts::default());
        assert!(protocol_for(&cfg.addr).bind(&cfg, &mut Vec::new()).is_err());
    });
}

#[test]
fn an_old_process_can_give_its_sockets() {
    let first = bound(&ip("127.0.0.1:0"));
    let port = first.local_addr().port();
    let mut cfg = ip(&format!("127.0.0.1:{port}"));
    cfg.handed = Some(Arc::new(crate::handover::Handed::new(vec![first.export().unwrap()])));
    let inode = |r: &dyn Receiver| std::fs::read_link(format!("/proc/self/fd/{}", r.fd().unwrap())).unwrap();
    let second = bound(&cfg);
    assert_eq!(inode(&*first), inode(&*second));
}

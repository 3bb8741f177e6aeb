//! What the kernel knows of a socket after the options of a `bind` or `server` line.

use crate::sysopt::Family;
use crate::{ConnectTo, RxConfig, dial, protocol_for};
use hawser_cfg::model::{Addr, AddrKind, BindOpts};
use rustix::net::sockopt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

fn int(fd: BorrowedFd<'_>, level: i32, name: i32) -> i32 {
    let mut value = 0_i32;
    let mut len = libc::socklen_t::try_from(size_of::<i32>()).unwrap();
    // SAFETY: the descriptor is open; the kernel writes at most `len` bytes into `value`.
    let rc = unsafe {
        let fd = std::os::fd::AsRawFd::as_raw_fd(&fd);
        libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut len)
    };
    assert_eq!(rc, 0, "option {name}");
    value
}

/// The listening socket of a line, and the warnings that it cost.
fn listening(at: &str, opts: BindOpts) -> (OwnedFd, Vec<String>) {
    let addr = Addr {
        kind: AddrKind::Ip(at.parse().unwrap()),
        port_offset: None,
        port_missing: false,
        port_high: 0,
        dgram: false,
        text: at.into(),
    };
    let mut cfg = RxConfig::new(addr, Arc::new(opts));
    (cfg.reuseport, cfg.keepalive, cfg.rcvbuf) = (true, Some((3, 40, 5)), 30_000);
    let mut warnings = Vec::new();
    let mut rx = match protocol_for(&cfg.addr).bind(&cfg, &mut warnings) {
        Ok(rx) => rx,
        Err(e) => panic!("{}", e.text),
    };
    rx.listen().unwrap();
    (rx.export().unwrap().fd, warnings)
}

#[test]
fn bind_lines() {
    let opts = BindOpts {
        backlog: Some(7),
        defer_accept: true,
        mss: Some(1200),
        tcp_ut: Some(9000),
        tfo: true,
        tcp_ss: Some(1),
        cc: Some("reno".into()),
        ..BindOpts::default()
    };
    let (fd, warnings) = listening("127.0.0.1:0", opts);
    assert_eq!(warnings, Vec::<String>::new());
    let tcp = |name| int(fd.as_fd(), libc::IPPROTO_TCP, name);
    assert!(tcp(libc::TCP_DEFER_ACCEPT) > 0);
    assert_eq!((tcp(libc::TCP_MAXSEG), tcp(libc::TCP_USER_TIMEOUT), tcp(27)), (1200, 9000, 1));
    assert!(tcp(libc::TCP_FASTOPEN) > 0);
    assert_eq!((tcp(libc::TCP_KEEPCNT), tcp(libc::TCP_KEEPIDLE), tcp(libc::TCP_KEEPINTVL)), (3, 40, 5));
    assert_eq!((tcp(libc::TCP_NODELAY), sockopt::tcp_congestion(&fd).unwrap()), (1, "reno".into()));
    assert!(sockopt::socket_reuseport(&fd).unwrap() && sockopt::socket_reuseaddr(&fd).unwrap());
    assert_eq!(sockopt::socket_recv_buffer_size(&fd).unwrap(), 60_000, "the kernel doubles it");
    let (fd, _) = listening("127.0.0.1:0", BindOpts::default());
    let tcp = |name| int(fd.as_fd(), libc::IPPROTO_TCP, name);
    assert_eq!((tcp(libc::TCP_DEFER_ACCEPT), tcp(libc::TCP_FASTOPEN), tcp(27)), (0, 0, 0));
}

#[test]
fn families_and_foreign_addresses() {
    for (v6only, v4v6) in [(true, false), (false, true), (true, true)] {
        let (fd, _) = listening("[::]:0", BindOpts { v6only, v4v6, ..BindOpts::default() });
        // `v6only` is the stronger one.
        assert_eq!(sockopt::ipv6_v6only(&fd).unwrap(), v6only);
    }
    let (fd, warnings) = listening("127.0.0.1:0", BindOpts { transparent: true, ..BindOpts::default() });
    let on = int(fd.as_fd(), libc::SOL_IP, libc::IP_TRANSPARENT) == 1;
    // Rights are needed for it.
    assert!(on != warnings.iter().any(|w| w.contains("transparent")), "{warnings:?}");
    let (fd, warnings) =
        listening("127.0.0.1:0", BindOpts { interface: Some("lo".into()), ..BindOpts::default() });
    let device = socket2::SockRef::from(&fd).device().unwrap();
    assert!(device == Some(b"lo".to_vec()) || warnings.iter().any(|w| w.contains("'lo'")), "{device:?}");
}

#[test]
fn server_lines() {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let l = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = ConnectTo {
            dst: crate::Address::Ip(l.local_addr().unwrap()),
            tcp_ut: 7000,
            tfo: true,
            cc: Some("reno".into()),
            keepalive: Some((4, 50, 6)),
            tos: Some(0x20),
            rcvbuf: 30_000,
            ..ConnectTo::default()
        };
        let mut line = dial(&to, None).unwrap();
        let t = std::future::poll_fn(|cx| line.poll_connect_send(cx, &[std::io::IoSlice::new(b"x")])).await;
        let t = t.unwrap().0;
        let fd = t.raw_fd().unwrap();
        let tcp = |name| int(fd, libc::IPPROTO_TCP, name);
        assert_eq!(
            (tcp(libc::TCP_USER_TIMEOUT), tcp(libc::TCP_KEEPCNT), tcp(libc::TCP_KEEPIDLE)),
            (7000, 4, 50)
        );
        assert_eq!(sockopt::tcp_congestion(fd).unwrap(), "reno");
        assert_eq!(int(fd, libc::IPPROTO_IP, libc::IP_TOS), 0x20);
        assert_eq!(sockopt::socket_recv_buffer_size(fd).unwrap(), 60_000);
        assert_eq!(Family::of(&to.dst), Family::V4);
    });
}

#[test]
fn segments_below_what_the_peer_allows() {
    let (fd, warnings) = listening("127.0.0.1:0", BindOpts { mss: Some(-1000), ..BindOpts::default() });
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(sockopt::socket_domain(&fd).unwrap(), rustix::net::AddressFamily::INET);
}

#[test]
fn a_socket_of_another_process_forgets_its_options() {
    let opts = BindOpts {
        defer_accept: true,
        tcp_ut: Some(9000),
        tfo: true,
        tcp_ss: Some(1),
        ..BindOpts::default()
    };
    let (fd, _) = listening("127.0.0.1:0", opts);
    crate::tcp::forget(fd.as_fd());
    for name in [libc::TCP_DEFER_ACCEPT, libc::TCP_USER_TIMEOUT, libc::TCP_FASTOPEN, 27] {
        assert_eq!(int(fd.as_fd(), libc::IPPROTO_TCP, name), 0, "{name}");
    }
    assert!(!sockopt::socket_keepalive(&fd).unwrap());
}

//! Sockets that change hands between two ends of one process.

use super::*;
use crate::sock::Sock;
use crate::sysopt::Family;
use hawser_cfg::model::{Addr, AddrKind, BindOpts};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

fn listener() -> (TcpListener, Listening) {
    let l = TcpListener::bind("127.0.0.1:0").unwrap();
    let fd = OwnedFd::from(l.try_clone().unwrap());
    (l, Listening { fd, namespace: String::new(), interface: "lo".into() })
}

fn line(at: std::net::SocketAddr, interface: Option<&str>) -> RxConfig {
    let addr = Addr {
        kind: AddrKind::Ip(at),
        port_offset: None,
        port_missing: false,
        port_high: at.port(),
        dgram: false,
        text: "".into(),
    };
    RxConfig::new(addr, Arc::new(BindOpts { interface: interface.map(Into::into), ..BindOpts::default() }))
}

/// Gives sockets to whoever asks at a path; returns what came over.
fn over(sockets: Vec<Listening>) -> Result<Vec<Listening>, String> {
    let path = std::env::temp_dir().join(format!("handover-{}-{}", std::process::id(), sockets.len()));
    let _ = std::fs::remove_file(&path);
    let door = UnixListener::bind(&path).unwrap();
    let giver = std::thread::spawn(move || {
        let (mut stream, _) = door.accept().unwrap();
        let mut ask = [0; 10];
        stream.read_exact(&mut ask).unwrap();
        assert_eq!(&ask, b"_getsocks\n");
        stream.set_nonblocking(true).unwrap();
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        rt.block_on(async {
            let mut t = Sock::accepted(OwnedFd::from(stream), Family::Unix, Address::Unknown).unwrap();
            let sockets: Vec<_> = sockets.into_iter().map(Arc::new).collect();
            give(&mut t, &sockets).await
        })
    });
    let got = ask(&path);
    giver.join().unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    got
}

#[test]
fn many_sockets_in_several_messages() {
    let pairs: Vec<_> = (0..300).map(|_| listener()).collect();
    let ports: Vec<u16> = pairs.iter().map(|p| p.0.local_addr().unwrap().port()).collect();
    let (kept, sent): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let got = over(sent).unwrap();
    let seen: Vec<u16> = got
        .iter()
        .map(|l| {
            assert_eq!((l.namespace.as_str(), l.interface.as_str()), ("", "lo"));
            Address::from_sys(&net::getsockname(&l.fd).unwrap()).port()
        })
        .collect();
    assert_eq!(seen, ports);
    drop(kept);
}

#[test]
fn only_what_fits_is_taken_and_only_once() {
    let (l, sent) = listener();
    let at = l.local_addr().unwrap();
    let handed = Handed::new(over(vec![sent]).unwrap());
    let addr = Address::Ip(at);
    assert!(handed.take(&line(at, None), &addr).is_none(), "another interface");
    assert!(handed.take(&line(at, Some("lo")), &Address::Ip("127.0.0.1:1".parse().unwrap())).is_none());
    let fd = handed.take(&line(at, Some("lo")), &addr).unwrap();
    assert!(handed.take(&line(at, Some("lo")), &addr).is_none());
    assert_eq!(handed.close(), 0);
    drop(l);
    std::net::TcpStream::connect(at).unwrap();
    drop(fd);
    assert!(std::net::TcpStream::connect(at).is_err());
}

#[test]
fn an_old_process_that_says_nothing_or_nonsense() {
    for answer in [&b""[..], b"\xff\xff\xff\xff", b"\x01\0\0\0", b"\x01\0\0\0xxxxxxxx"] {
        let path = std::env::temp_dir().join(format!("handover-{}-bad{}", std::process::id(), answer.len()));
        let _ = std::fs::remove_file(&path);
        let door = UnixListener::bind(&path).unwrap();
        let giver = std::thread::spawn(move || {
            let mut stream = door.accept().unwrap().0;
            stream.write_all(answer).unwrap();
        });
        assert!(ask(&path).is_err(), "{answer:?}");
        giver.join().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    assert!(ask(Path::new("/nonexistent/sock")).unwrap_err().contains("'/nonexistent/sock'"));
}

#[test]
fn temporary_names() {
    let path = Path::new("/run/s");
    assert!(is_temporary(Path::new("/run/s.12.tmp"), path));
    for other in ["/run/s..tmp", "/run/s.x.tmp", "/run/s", "/run/sx.12.tmp"] {
        assert!(!is_temporary(Path::new(other), path), "{other}");
    }
}

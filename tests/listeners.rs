//! Listeners: pausing, resuming and closing them, and what the kernel knows of their options.

use hawser_testkit::process::temp_dir;
use hawser_testkit::wire::get;
use hawser_testkit::{Hawser, binary, free_port, until};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn cli(sock: &Path, command: &str) -> String {
    let mut out = String::new();
    if let Ok(mut s) = UnixStream::connect(sock) {
        let _ = s.write_all(format!("{command}\n").as_bytes());
        let _ = s.read_to_string(&mut out);
    }
    out.trim().to_owned()
}

fn accepts(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn frontends_are_disabled_enabled_and_shut_down() {
    let dir = temp_dir();
    let sock = dir.join("stats");
    let (a, b) = (free_port(), free_port());
    let cfg = format!(
        "global\n  nbthread 2\n  stats socket {} level admin expose-fd listeners\ndefaults\n  mode http\n  timeout client 2s\n\
         frontend a\n  bind 127.0.0.1:{a}\n  http-request return status 200\n\
         frontend b\n  bind 127.0.0.1:{b}\n  http-request return status 204\n",
        sock.display()
    );
    let h = Hawser::start(bin(), &cfg, &[a, b]);
    assert_eq!(cli(&sock, "disable frontend"), "A frontend name is expected.");
    assert_eq!(cli(&sock, "disable frontend x"), "No such frontend.");
    assert_eq!(cli(&sock, "enable frontend a"), "All sockets are already enabled.");
    assert_eq!(cli(&sock, "disable frontend a"), "");
    assert!(until(20_000, || !accepts(a)), "{}", h.stderr());
    assert_eq!(cli(&sock, "disable frontend a"), "All sockets are already disabled.");
    assert_eq!(get(b, "/").status, 204, "the other one is not concerned");
    assert_eq!(cli(&sock, "enable frontend a"), "");
    assert!(until(20_000, || accepts(a)), "{}", h.stderr());
    assert_eq!(get(a, "/").status, 200);
    assert_eq!(cli(&sock, "shutdown frontend a"), "");
    assert!(until(20_000, || !accepts(a)), "{}", h.stderr());
    assert_eq!(cli(&sock, "shutdown frontend a"), "Frontend was already shut down.");
    assert_eq!(cli(&sock, "enable frontend a"), "Frontend was previously shut down, cannot enable.");
    assert_eq!(cli(&sock, "disable frontend a"), "Frontend was previously shut down, cannot disable.");
    assert!(std::net::TcpListener::bind(("127.0.0.1", a)).is_ok(), "nobody holds the port");
    assert_eq!(get(b, "/").status, 204);
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn signals_pause_and_resume_every_frontend() {
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout client 2s\nfrontend a\n  bind 127.0.0.1:{port}\n  http-request return status 200\n"
    );
    let h = Hawser::start(bin(), &cfg, &[port]);
    for _ in 0..2 {
        h.signal(libc::SIGTTOU);
        assert!(until(20_000, || !accepts(port)), "{}", h.stderr());
        h.signal(libc::SIGTTIN);
        assert!(until(20_000, || accepts(port)), "{}", h.stderr());
        assert_eq!(get(port, "/").status, 200);
    }
}

#[test]
fn the_sockets_of_the_runtime_api_are_listed() {
    let dir = temp_dir();
    let (sock, port) = (dir.join("stats"), free_port());
    let cfg = format!(
        "global\n  stats socket {} level admin\n  stats socket ipv4@127.0.0.1:{port} level user\n  stats socket abns@api-{port} level operator\n",
        sock.display()
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let list = cli(&sock, "show cli sockets");
    let want = format!(
        "# socket lvl processes\nunix@{} admin all\nipv4@127.0.0.1:{port} user all\nabns@api-{port} operator all",
        sock.display()
    );
    assert_eq!(list, want);
    let _ = std::fs::remove_dir_all(dir);
}

/// Multipath TCP where the kernel has it: plain clients are served, and the server is reached.
#[test]
fn multipath_tcp() {
    let (front, back) = (free_port(), free_port());
    let cfg = format!(
        "defaults\n  mode http\n  timeout client 2s\n  timeout connect 2s\n  timeout server 2s\n\
         frontend b\n  bind mptcp@127.0.0.1:{back}\n  http-request return status 200\n\
         listen f\n  bind 127.0.0.1:{front}\n  server s mptcp@127.0.0.1:{back}\n"
    );
    if std::fs::read_to_string("/proc/sys/net/mptcp/enabled").is_ok_and(|on| on.trim() == "1") {
        let _h = Hawser::start(bin(), &cfg, &[front, back]);
        assert_eq!(get(front, "/").status, 200);
    } else {
        println!("skipped: the kernel has no multipath TCP");
    }
}

/// The tool of network namespaces; false where it may not do that.
fn ip(args: &[&str]) -> bool {
    std::process::Command::new("ip").args(args).output().is_ok_and(|o| o.status.success())
}

/// `namespace *`: where the client's PROXY header says, if the configuration knows that namespace.
#[test]
fn the_namespace_of_a_client() {
    let name = format!("hawser-test-c{}", std::process::id());
    if !ip(&["netns", "add", &name]) {
        println!("skipped: no right to make a network namespace");
        return;
    }
    let up = ip(&["-n", &name, "link", "set", "lo", "up"]);
    let (front, back) = (free_port(), free_port());
    let cfg = format!(
        "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 500ms\n\
         frontend in\n  bind 127.0.0.1:{back} namespace {name} accept-proxy\n  http-request return status 200 content-type \
         text/plain lf-string in:%[fc_pp_tlv(0x30)]\n\
         frontend out\n  bind 127.0.0.1:{back} accept-proxy\n  http-request return status 200 content-type text/plain string out\n\
         listen f\n  bind 127.0.0.1:{front} accept-proxy\n  server s 127.0.0.1:{back} namespace * send-proxy-v2\n"
    );
    let h = Hawser::start(bin(), &cfg, &[front]);
    let ask = |namespace: &str| {
        let len = namespace.len() as u8;
        let mut head = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0".to_vec();
        head.extend([15 + len, 127, 0, 0, 1, 127, 0, 0, 1, 1, 2, 3, 4, 0x30, 0, len]);
        head.extend(namespace.as_bytes());
        head.extend(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        hawser_testkit::wire::ask(front, &head).text()
    };
    let answers = [ask(&name), ask("another"), ask(&name)];
    drop(h);
    ip(&["netns", "del", &name]);
    assert!(up);
    assert_eq!(answers, [format!("in:{name}"), "out".into(), format!("in:{name}")]);
}

/// A frontend in a network namespace is reached by a server line that names it, and by nobody else.
#[test]
fn network_namespaces() {
    let name = format!("hawser-test-{}", std::process::id());
    if !ip(&["netns", "add", &name]) {
        println!("skipped: no right to make a network namespace");
        return;
    }
    let up = ip(&["-n", &name, "link", "set", "lo", "up"]);
    let (front, back) = (free_port(), free_port());
    let cfg = format!(
        "defaults\n  mode http\n  timeout client 2s\n  timeout connect 2s\n  timeout server 2s\n\
         frontend b\n  bind 127.0.0.1:{back} namespace {name}\n  http-request return status 200\n\
         listen f\n  bind 127.0.0.1:{front}\n  server s 127.0.0.1:{back} namespace {name}\n"
    );
    let h = Hawser::start(bin(), &cfg, &[front]);
    let (status, outside) = (get(front, "/").status, accepts(back));
    drop(h);
    ip(&["netns", "del", &name]);
    assert!(up);
    assert_eq!((status, outside), (200, false));
}

/// The SYN packet of the client, as the kernel saved it.
#[test]
fn saved_syn_packets() {
    let port = free_port();
    let cfg = format!(
        "defaults\n  mode http\n  timeout client 2s\nfrontend f\n  bind 127.0.0.1:{port} tcp-ss 1\n  \
         http-request return status 200 hdr syn %[fc_saved_syn,hex]\n"
    );
    let _h = Hawser::start(bin(), &cfg, &[port]);
    let syn = get(port, "/").field("syn").unwrap_or_default().to_owned();
    // IPv4, TCP, from and to 127.0.0.1.
    assert!(syn.starts_with("45") && syn[24..].starts_with("7F0000017F000001"), "{syn}");
    let at: SocketAddr = ([127, 0, 0, 1], port).into();
    assert!(syn[40..].contains(&format!("{:04X}", at.port())), "{syn}");
}

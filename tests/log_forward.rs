//! `log-forward` sections: datagrams and streams of messages in, datagrams out. The lines are HAProxy's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hawser_testkit::process::check;
use hawser_testkit::wire::ask;
use hawser_testkit::{Hawser, LogSink, Origin, binary, free_port, pause, until};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// A section that listens for streams and datagrams on one port, and its targets' lines after the address. One thread:
/// HAProxy's change the order of datagrams.
fn world(options: &str, targets: &[&str]) -> (Hawser, u16, Vec<LogSink>) {
    let port = free_port();
    let sinks: Vec<LogSink> = targets.iter().map(|_| LogSink::new()).collect();
    let logs: String =
        targets.iter().zip(&sinks).map(|(t, s)| format!("  log 127.0.0.1:{} {t}\n", s.port())).collect();
    let cfg = format!(
        "global\n  nbthread 1\n  stats socket {{dir}}/api level admin\n\
         log-forward f\n  dgram-bind 127.0.0.1:{port}\n  bind 127.0.0.1:{port}\n{logs}{options}\n"
    );
    (Hawser::start(bin(), &cfg, &[port]), port, sinks)
}

fn send(port: u16, messages: &[&str]) {
    let s = UdpSocket::bind("127.0.0.1:0").unwrap();
    for m in messages {
        s.send_to(m.as_bytes(), ("127.0.0.1", port)).unwrap();
    }
}

const BSD: &str = "<34>Oct  1 22:14:15 mymachine su[12]: failed";
const RFC5424: &str = "<165>1 2003-08-04T05:14:15.003-07:00 h t p i [a b=\"c\"] m";

#[test]
fn messages_keep_their_format_or_get_the_targets() {
    let (_h, port, sinks) =
        world("", &["local3", "format rfc3164 local3", "format rfc5424 local3", "format raw local3"]);
    send(port, &[BSD, RFC5424]);
    for (sink, of_bsd, of_5424) in [
        (&sinks[0], format!("{BSD}\n"), format!("{RFC5424}\n")),
        (&sinks[1], format!("{BSD}\n"), "<165>Aug  4 05:14:15 h t[p]: m\n".to_owned()),
        (&sinks[3], "failed\n".to_owned(), "m\n".to_owned()),
    ] {
        sink.wait_for(of_5424.trim_end());
        assert_eq!(sink.lines(), [of_bsd, of_5424]);
    }
    let l = sinks[2].wait_for("failed");
    // The year is that of the message's last October.
    assert!(
        l.starts_with("<34>1 20") && l.ends_with("-10-01T22:14:15-00:00 mymachine su 12 - - failed\n"),
        "{l}"
    );
    assert_eq!(sinks[2].wait_for("<165>"), format!("{RFC5424}\n"));
}

#[test]
fn what_is_missing_comes_from_the_section_and_the_sender() {
    for (option, plain, named) in [
        ("", "127.0.0.1", "mymachine"),
        ("option host fill", "127.0.0.1", "mymachine"),
        ("option host keep", "-", "mymachine"),
        ("option host replace", "127.0.0.1", "127.0.0.1"),
        ("option host append", "127.0.0.1", "mymachine,127.0.0.1"),
    ] {
        let (_h, port, sinks) = world(option, &["format rfc5424 local3"]);
        send(port, &["no priority", BSD]);
        let l = sinks[0].wait_for("no priority");
        let f: Vec<&str> = l.trim_end().split(' ').collect();
        assert_eq!(
            (f[0], f[2], &f[3..]),
            ("<152>1", plain, &["-", "-", "-", "-", "no", "priority"][..]),
            "{l}"
        );
        let l = sinks[0].wait_for("failed");
        assert_eq!(l.split(' ').nth(2), Some(named), "{option}: {l}");
    }
}

#[test]
fn messages_that_are_not_parsed_stay_as_they_are() {
    let (_h, port, sinks) =
        world("  option dont-parse-log\n", &["format raw local3", "format priority local3"]);
    send(port, &["<34>Oct 11 22:14:15 h", "<34>1 - - x"]);
    sinks[0].wait_for("x");
    assert_eq!(sinks[0].lines(), ["<34>Oct 11 22:14:15 h\n", "<34>1 - - x\n"]);
    sinks[1].wait_for("<152><34>1 - - x");
}

#[test]
fn levels_and_samples_choose_among_targets() {
    let (_h, port, sinks) = world(
        "",
        &[
            "format raw local3 notice",
            "format raw sample 1:2 local3",
            "format raw sample 2:2 local3",
            "local3 info err",
        ],
    );
    send(port, &["<3>error", "<7>debug", "<5>notice", "<6>info"]);
    for (n, want) in
        [(0, &["error\n", "notice\n"][..]), (1, &["error\n", "notice\n"]), (2, &["debug\n", "info\n"])]
    {
        assert!(until(20_000, || sinks[n].lines().len() >= 2), "{n}");
        assert_eq!(sinks[n].lines(), want, "{n}");
    }
    sinks[3].wait_for("info");
    let levels: Vec<String> = sinks[3].lines().iter().map(|l| l[..3].to_owned()).collect();
    assert_eq!(levels, ["<3>", "<5>", "<6>"]);
}

#[test]
fn streams_count_octets_or_end_lines() {
    let (_h, port, sinks) = world("", &["format raw local3"]);
    let mut c = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let stream = "<34>one\n<34>two\r\n8 <34>a\nbc7 <34>abc<34>th";
    for piece in [&stream.as_bytes()[..19], &stream.as_bytes()[19..], b"ree\n"] {
        c.write_all(piece).unwrap();
        pause(50);
    }
    sinks[0].wait_for("three");
    assert_eq!(sinks[0].lines(), ["one\n", "two\n", "a\nbc\n", "abc\n", "three\n"]);
    // Its end is no end of a message.
    c.write_all(b"<34>cut").unwrap();
    drop(c);
    let mut c = TcpStream::connect(("127.0.0.1", port)).unwrap();
    c.write_all(b"<34>last\n").unwrap();
    sinks[0].wait_for("last");
    assert_eq!(sinks[0].lines().len(), 6);
}

#[test]
fn lines_are_assumed_where_the_section_says_so() {
    let (_h, port, sinks) = world("  option assume-rfc6587-ntf\n", &["format raw local3"]);
    let mut c = TcpStream::connect(("127.0.0.1", port)).unwrap();
    c.write_all(b"4 <1>x\n\nhello\n").unwrap();
    sinks[0].wait_for("hello");
    assert_eq!(sinks[0].lines(), ["4 <1>x\n", "hello\n"]);
}

/// Whether the other side closes the connection within 20 seconds.
fn is_closed(c: &mut TcpStream) -> bool {
    c.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    match c.read(&mut [0; 10]) {
        Ok(n) => n == 0,
        Err(e) => e.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn streams_that_cannot_be_followed_are_closed() {
    let (_h, port, _sinks) = world("", &["format raw local3"]);
    let long = format!("<34>{}\n", "x".repeat(20_000));
    for wrong in ["hello\n", "\n", "0 x", "12a <34>x\n", "99999999 x", &long] {
        let mut c = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _ = c.write_all(wrong.as_bytes());
        assert!(is_closed(&mut c), "{:.20}", wrong);
    }
}

/// As the manual says; HAProxy 3.4.0 never closes them.
#[test]
fn silent_streams_are_closed_and_few_are_allowed() {
    let (_h, port, sinks) = world("  maxconn 1\n  timeout client 3s\n", &["format raw local3"]);
    let mut first = TcpStream::connect(("127.0.0.1", port)).unwrap();
    first.write_all(b"<34>first\n").unwrap();
    sinks[0].wait_for("first");
    let mut second = TcpStream::connect(("127.0.0.1", port)).unwrap();
    second.write_all(b"<34>second\n").unwrap();
    pause(200);
    assert_eq!(sinks[0].lines(), ["first\n"]);
    assert!(is_closed(&mut first));
    sinks[0].wait_for("second");
}

#[test]
fn unix_sockets_have_no_address_to_fill_in() {
    let sink = LogSink::new();
    let cfg = format!(
        "log-forward f\n  dgram-bind unix@{{dir}}/dgram mode 600\n  bind unix@{{dir}}/stream\n  log 127.0.0.1:{} format rfc5424 local3\n",
        sink.port()
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let at = |name| h.dir().join(name);
    assert!(until(20_000, || UnixStream::connect(at("stream")).is_ok()));
    let s = UnixDatagram::unbound().unwrap();
    s.send_to(b"<34>over datagrams", at("dgram")).unwrap();
    assert!(sink.wait_for("over datagrams").ends_with(" - - - - - over datagrams\n"));
    UnixStream::connect(at("stream")).unwrap().write_all(b"<34>over a stream\n").unwrap();
    assert!(sink.wait_for("over a stream").ends_with(" - - - - - over a stream\n"));
}

#[test]
fn long_messages_are_cut_and_empty_ones_dropped() {
    let (_h, port, sinks) = world("", &["len 100 local3"]);
    let long = format!("<34>Oct 11 22:14:15 h t: {}", "m".repeat(30_000));
    send(port, &["", "<34>Oct 11 22:14:15 h ", &long, "<34>Oct 11 22:14:15 h t: end"]);
    sinks[0].wait_for("t: end");
    assert_eq!(sinks[0].lines().len(), 2);
    let l = sinks[0].wait_for("mmm");
    assert_eq!((l.len(), l.ends_with("mmm\n")), (100, true), "{l}");
}

/// The runtime API's answer to a command.
fn api(h: &Hawser, command: &str) -> String {
    let mut c = UnixStream::connect(h.dir().join("api")).unwrap();
    c.write_all(format!("{command}\n").as_bytes()).unwrap();
    let mut out = String::new();
    c.read_to_string(&mut out).unwrap();
    out
}

#[test]
fn received_messages_are_counted() {
    let (h, port, sinks) = world("", &["format raw local3"]);
    send(port, &["<34>one", "", "<34>three"]);
    sinks[0].wait_for("three");
    let info = api(&h, "show info");
    assert!(info.contains("\nCumRecvLogs: 3\n"), "{info}");
}

/// A sender's datagrams stay in their order, whatever the number of threads.
#[test]
fn threads_keep_the_order_of_a_sender() {
    let (udp, sink) = (free_port(), LogSink::new());
    let cfg = format!(
        "global\n  nbthread 4\nlog-forward f\n  dgram-bind 127.0.0.1:{udp}\n  dgram-bind unix@{{dir}}/dgram\n  \
         bind 127.0.0.1:{udp}\n  log 127.0.0.1:{} format raw local3\n",
        sink.port()
    );
    let h = Hawser::start(bin(), &cfg, &[udp]);
    let (ip, unix) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UnixDatagram::unbound().unwrap());
    for n in 0..100 {
        ip.send_to(format!("<34>ip {n:02}").as_bytes(), ("127.0.0.1", udp)).unwrap();
        unix.send_to(format!("<34>unix {n:02}").as_bytes(), h.dir().join("dgram")).unwrap();
        if n % 10 == 9 {
            pause(5);
        }
    }
    for kind in ["ip ", "unix "] {
        let lines = || -> Vec<String> { sink.lines().into_iter().filter(|l| l.starts_with(kind)).collect() };
        assert!(until(20_000, || lines().len() == 100), "{kind}: {}", lines().len());
        assert!(lines().is_sorted(), "{:?}", lines());
    }
}

/// A section and a proxy share the threads; whoever floods the one, the other answers.
#[test]
fn a_flood_of_datagrams_leaves_time_for_others() {
    let o = Origin::fixed("a", "hello");
    let (http, udp, sink) = (free_port(), free_port(), LogSink::new());
    let cfg = format!(
        "global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n\
         log-forward f\n  dgram-bind 127.0.0.1:{udp}\n  log 127.0.0.1:{} format raw local3\n\
         listen l\n  bind 127.0.0.1:{http}\n  server s 127.0.0.1:{}\n",
        sink.port(),
        o.port()
    );
    let _h = Hawser::start(bin(), &cfg, &[http]);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|s| {
        s.spawn(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = socket.send_to(b"<34>x", ("127.0.0.1", udp));
            }
        });
        sink.wait_for("x");
        for _ in 0..20 {
            assert_eq!(ask(http, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").body, b"hello");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// A soft stop waits for the connections that are open. (HAProxy 3.4.0 does not end after them.)
#[test]
fn a_stopping_process_serves_its_streams_to_their_end() {
    let (mut h, port, sinks) = world("", &["format raw local3"]);
    let mut c = TcpStream::connect(("127.0.0.1", port)).unwrap();
    c.write_all(b"<34>before\n").unwrap();
    sinks[0].wait_for("before");
    h.signal(libc::SIGUSR1);
    assert!(until(20_000, || TcpStream::connect(("127.0.0.1", port)).is_err()));
    c.write_all(b"<34>after\n").unwrap();
    sinks[0].wait_for("after");
    assert!(h.exited().is_none());
    assert!(h.stderr().contains("Proxy f stopped (cumulated conns: FE: "), "{}", h.stderr());
    drop(c);
    assert!(until(20_000, || h.exited().is_some()));
}

#[test]
fn mistakes_are_told() {
    for (lines, want) in [
        ("dgram-bind tcp@127.0.0.1:5514", "stream-type address not acceptable in 'tcp@127.0.0.1:5514'"),
        ("bind udp@127.0.0.1:5514", "dgram-type address not acceptable in 'udp@127.0.0.1:5514'"),
        ("option host x", "option 'host' expects {replace|fill|keep|append}."),
        ("option httplog", "unknown option 'httplog' in log-forward section."),
        ("timeout server 3s", "unknown keyword 'timeout server' in log-forward section."),
        ("maxconn", "'maxconn' expects an integer argument."),
    ] {
        let r = check(bin(), &format!("log-forward f\n  dgram-bind 127.0.0.1:5515\n  {lines}\n"), &[]);
        assert!(r.code == 1 && r.err.contains(want), "{lines}: {}", r.err);
    }
    let r = check(bin(), "log-forward f\n", &[]);
    assert!(r.code == 2 && r.err.contains("frontend 'f' has no 'bind' directive."), "{}", r.err);
}

//! Reverse HTTP: a device that dials out, an edge that sends requests back. Each end is Hawser or, where the
//! environment names one (`HAWSER_TEST_HAPROXY`), a real HAProxy of 3.x.

#![expect(clippy::print_stdout, reason = "tests say why they fail")]

use hawser_testkit::load::Load;
use hawser_testkit::logs::LogSink;
use hawser_testkit::net::now;
use hawser_testkit::process::check;
use hawser_testkit::tools::{reference, setting};
use hawser_testkit::wire::ask;
use hawser_testkit::{Client, Hawser, Origin, binary, free_port, pause, until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// Binaries of edge and device to try.
fn pairs() -> Vec<(String, String)> {
    let ours = bin().to_owned();
    let mut pairs = vec![(ours.clone(), ours.clone())];
    if let Some(other) = reference() {
        pairs.push((other.clone(), ours.clone()));
        pairs.push((ours, other));
    }
    pairs
}

const HEAD: &str = "global\n  expose-experimental-directives\n  nbthread 2\n  stats socket {dir}/cli level admin\n\
                    defaults\n  mode http\n  timeout connect 1s\n  timeout client 20s\n  timeout server 20s\n";

/// Ports of an edge: for clients, for devices.
#[derive(Clone, Copy)]
struct Ports {
    public: u16,
    private: u16,
}

impl Ports {
    fn new() -> Self {
        Self { public: free_port(), private: free_port() }
    }

    fn edge_cfg(self, backend: &str) -> String {
        let Self { public, private } = self;
        format!(
            "{HEAD}frontend pub\n  bind 127.0.0.1:{public}\n  use_backend rev\n\
             frontend priv\n  bind 127.0.0.1:{private} proto h2\n  tcp-request session attach-srv rev/dev\n\
             backend rev\n  {backend}\n  server dev rhttp@\n"
        )
    }

    fn edge(self, bin: &str, backend: &str) -> Hawser {
        Hawser::start(bin, &self.edge_cfg(backend), &[self.public, self.private])
    }

    fn device_cfg(self, origin: u16, bind: &str) -> String {
        let private = self.private;
        format!(
            "{HEAD}frontend fe\n  bind rhttp@be/srv {bind}\n  use_backend origin\n\
             backend be\n  server srv 127.0.0.1:{private} proto h2\n\
             backend origin\n  server o 127.0.0.1:{origin}\n"
        )
    }

    fn device(self, bin: &str, origin: u16, bind: &str) -> Hawser {
        Hawser::start(bin, &self.device_cfg(origin, bind), &[])
    }

    /// Waits until requests reach the origin.
    fn up(self) {
        let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answered = || std::panic::catch_unwind(|| ask(self.public, get).status).is_ok_and(|s| s == 200);
        assert!(until(20_000, answered), "the tunnel never came up");
    }
}

/// Answers with what it was sent.
fn echo() -> Origin {
    Origin::http(|r| {
        let mut out = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", r.body.len()).into_bytes();
        out.extend_from_slice(&r.body);
        out
    })
}

/// What the runtime API says.
fn cli(h: &Hawser, command: &str) -> String {
    h.cli("cli", command)
}

/// Lines of the edge's `show rhttp`, in words.
fn agents(edge: &Hawser) -> Vec<Vec<String>> {
    let out = cli(edge, "show rhttp");
    let attached = out.split("# dialling").next().unwrap_or_default();
    let lines = attached.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    lines.map(|l| l.split(' ').map(str::to_owned).collect()).collect()
}

/// One exchange with a body both ways on a connection; its status, 0 when the body came back changed.
fn exchange(c: &mut Client, n: usize) -> u16 {
    let body: Vec<u8> = (0..n).map(|i| (i * 7 + n) as u8).collect();
    let mut req = format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n").into_bytes();
    req.extend_from_slice(&body);
    let r = c.ask(&req);
    if r.status == 200 && r.body != body { 0 } else { r.status }
}

/// Sizes of bodies.
fn small(i: usize) -> usize {
    i * 37 % 3000
}

/// So large that nobody keeps them to send them again.
fn large(i: usize) -> usize {
    200_000 + i % 1000
}

/// Clients that send bodies of such sizes.
fn load(port: u16, clients: usize, size: fn(usize) -> usize) -> Load {
    Load::start(clients, move |i| {
        // A connection for each request: what ends between two of them is nobody's loss.
        let once = || std::panic::catch_unwind(|| exchange(&mut Client::connect(port), size(i)));
        // The kernel resets connections that arrive at the very moment when a listener closes.
        let again = |_| {
            pause(20);
            once()
        };
        let status = once().or_else(again).or_else(again).unwrap_or_default();
        if status != 200 {
            println!("a request was answered {status}");
        }
        status == 200
    })
}

/// Waits until some more requests were answered well, and a while at least.
fn goes_on(load: &Load) {
    pause(200);
    assert!(load.goes_on(10), "nothing is answered any more");
}

/// Requests of the test below, `HAWSER_TEST_REQUESTS` or enough for every day.
fn requests() -> usize {
    setting("HAWSER_TEST_REQUESTS").and_then(|n| n.parse().ok()).unwrap_or(400)
}

#[test]
fn requests_with_bodies_cross_the_tunnel() {
    for (edge_bin, device_bin) in pairs() {
        let (p, origin) = (Ports::new(), echo());
        // A thread of HAProxy's edge without a connection of its own would refuse.
        let cfg = p.edge_cfg("").replace("nbthread 2", "nbthread 1");
        let _edge = Hawser::start(&edge_bin, &cfg, &[p.public, p.private]);
        let _device = p.device(&device_bin, origin.port(), "nbconn 2");
        p.up();
        let mut c = Client::connect(p.public);
        for n in [0, 1, 100, 16_383, 16_384, 70_000, 400_000] {
            assert_eq!(exchange(&mut c, n), 200, "{n} bytes, {edge_bin} to {device_bin}");
        }
        let client = |n: usize| {
            std::thread::spawn(move || {
                let mut c = Client::connect(p.public);
                let sizes = (0..requests() / 8).map(|i| (i * 131 + n * 17) % 5000);
                sizes.filter(|size| exchange(&mut c, *size) == 200).count()
            })
        };
        let clients: Vec<_> = (0..8).map(client).collect();
        let good: usize = clients.into_iter().map(|c| c.join().unwrap()).sum();
        assert_eq!(good, requests() / 8 * 8, "{edge_bin} to {device_bin}");
        println!("{good} requests, {edge_bin} to {device_bin}");
    }
}

#[test]
fn an_edge_that_comes_back_is_found_again() {
    for (edge_bin, device_bin) in pairs() {
        let (p, origin) = (Ports::new(), echo());
        let mut edge = p.edge(&edge_bin, "");
        let _device = p.device(&device_bin, origin.port(), "");
        p.up();
        edge.signal(libc::SIGKILL);
        edge.wait(20_000);
        drop(edge);
        pause(100);
        let _edge = p.edge(&edge_bin, "");
        p.up();
    }
}

#[test]
fn as_many_connections_as_wanted_over_all_threads() {
    let (p, origin) = (Ports::new(), echo());
    let edge = p.edge(bin(), "");
    let device = p.device(bin(), origin.port(), "nbconn 4");
    assert!(until(20_000, || agents(&edge).len() == 4), "{:?}", agents(&edge));
    assert!(until(20_000, || cli(&device, "show rhttp").contains("fe be/srv 4 4 0 2,2 4 ")));
    // They stay.
    pause(300);
    assert_eq!(agents(&edge).len(), 4);
    for mut c in (0..20).map(|_| Client::connect(p.public)) {
        assert_eq!(exchange(&mut c, 50), 200);
    }
    let streams: Vec<u32> = agents(&edge).iter().map(|a| a[8].parse().unwrap()).collect();
    assert_eq!(streams.iter().sum::<u32>(), 20);
    let stats = cli(&edge, "show stat");
    let row = stats.lines().find(|l| l.starts_with("priv,FRONTEND,")).unwrap();
    let sessions: u32 = row.split(',').nth(7).unwrap().parse().unwrap();
    assert!(sessions >= 4, "those that were turned around: {row}");
}

#[test]
fn the_pool_bounds_what_is_attached() {
    let (p, origin) = (Ports::new(), echo());
    let edge = p.edge(bin(), "default-server pool-max-conn 1");
    let device = p.device(bin(), origin.port(), "nbconn 2");
    p.up();
    assert!(until(20_000, || cli(&device, "show rhttp").contains("the peer closed ")));
    assert_eq!(agents(&edge).len(), 1);
    assert_eq!(exchange(&mut Client::connect(p.public), 50), 200);
}

#[test]
fn every_thread_uses_the_one_connection() {
    let mut devices = vec![bin().to_owned()];
    devices.extend(reference());
    for device_bin in devices {
        let (p, origin) = (Ports::new(), echo());
        let edge = p.edge(bin(), "");
        let _device = p.device(&device_bin, origin.port(), "");
        p.up();
        let load = load(p.public, 16, small);
        pause(1000);
        assert!(load.goes_on(100), "too slow to tell");
        let (good, bad) = load.end();
        assert_eq!(bad, 0, "of {good}, device {device_bin}");
        assert_eq!(agents(&edge).len(), 1);
    }
}

#[test]
fn without_an_agent_there_is_no_answer_and_no_wait() {
    let p = Ports::new();
    let _edge = p.edge(bin(), "timeout connect 8s");
    let start = now();
    let r = ask(p.public, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(r.status, 503);
    assert!(start.elapsed() < Duration::from_secs(5), "it waited as long as for a connection");
}

#[test]
fn timeout_queue_holds_requests_until_an_agent_comes() {
    let (p, origin) = (Ports::new(), echo());
    let _edge = p.edge(bin(), "timeout queue 8s");
    let mut c = Client::connect(p.public);
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    pause(100);
    let _device = p.device(bin(), origin.port(), "");
    assert_eq!(c.recv().status, 200);
    let p = Ports::new();
    let _edge = p.edge(bin(), "timeout queue 200ms");
    assert_eq!(ask(p.public, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 503);
}

#[test]
fn a_new_device_takes_over_without_a_loss() {
    let (p, origin) = (Ports::new(), echo());
    let _edge = p.edge(bin(), "");
    let mut old = p.device(bin(), origin.port(), "nbconn 2");
    p.up();
    let load = load(p.public, 4, small);
    for _ in 0..3 {
        goes_on(&load);
        let pid = old.pid().to_string();
        let new = Hawser::start_with(bin(), &p.device_cfg(origin.port(), "nbconn 2"), &[], &["-sf", &pid]);
        assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0), "the old process stays");
        old = new;
    }
    goes_on(&load);
    let (good, bad) = load.end();
    assert_eq!(bad, 0, "of {good}");
}

#[test]
fn a_new_edge_takes_over_without_a_loss() {
    let (p, origin) = (Ports::new(), echo());
    let mut old = p.edge(bin(), "");
    let _device = p.device(bin(), origin.port(), "nbconn 2");
    p.up();
    let load = load(p.public, 4, small);
    for _ in 0..3 {
        goes_on(&load);
        let pid = old.pid().to_string();
        let new = Hawser::start_with(bin(), &p.edge_cfg(""), &[], &["-sf", &pid]);
        assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0), "the old process stays");
        old = new;
    }
    goes_on(&load);
    let (good, bad) = load.end();
    assert_eq!(bad, 0, "of {good}");
}

/// Reloads of both ends, in turn, while bodies are under way that cannot be sent a second time.
#[test]
fn reloads_break_no_upload() {
    let (p, origin) = (Ports::new(), echo());
    let (edge_cfg, device_cfg) = (p.edge_cfg(""), p.device_cfg(origin.port(), "nbconn 2"));
    let mut ends = [p.edge(bin(), ""), p.device(bin(), origin.port(), "nbconn 2")];
    p.up();
    let load = load(p.public, 32, large);
    for (i, cfg) in [&edge_cfg, &device_cfg].into_iter().cycle().enumerate().take(reloads()) {
        goes_on(&load);
        let old = &mut ends[i % 2];
        let pid = old.pid().to_string();
        let new = Hawser::start_with(bin(), cfg, &[], &["-sf", &pid]);
        assert_eq!(old.wait(20_000).and_then(|s| s.code()), Some(0), "the old process stays");
        *old = new;
    }
    goes_on(&load);
    let (good, bad) = load.end();
    println!("{good} uploads");
    assert_eq!(bad, 0, "of {good}");
}

/// Of the test above.
fn reloads() -> usize {
    setting("HAWSER_TEST_RELOADS").and_then(|n| n.parse().ok()).unwrap_or(4)
}

#[test]
fn names_lead_to_agents() {
    let (ports, public) = ([free_port(), free_port()], free_port());
    let origins = [Origin::fixed("one", "1"), Origin::fixed("two", "2")];
    let edge = format!(
        "{HEAD}frontend pub\n  bind 127.0.0.1:{public}\n  use_backend rev\n\
         frontend priv\n  bind 127.0.0.1:{},127.0.0.1:{} proto h2\n\
         \x20 tcp-request session attach-srv rev/dev name dst_port\n\
         backend rev\n  server dev rhttp@ pool-conn-name req.hdr(x-agent)\n",
        ports[0], ports[1]
    );
    let edge = Hawser::start(bin(), &edge, &[public]);
    let device = |i: usize| {
        let p = Ports { public, private: ports[i] };
        p.device(bin(), origins[i].port(), "")
    };
    let _devices = [device(0), device(1)];
    assert!(until(20_000, || agents(&edge).len() == 2));
    let get = |agent: u16| ask(public, format!("GET / HTTP/1.1\r\nHost: a\r\nX-Agent: {agent}\r\n\r\n"));
    for _ in 0..3 {
        assert_eq!((get(ports[0]).text(), get(ports[1]).text()), ("1".into(), "2".into()));
    }
    assert_eq!(get(1).status, 503);
    let mut names: Vec<String> = agents(&edge).iter().map(|a| a[3].clone()).collect();
    names.sort();
    let mut expected = ports.map(|p| p.to_string());
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn checks_tell_whether_an_agent_is_there() {
    let (p, logs) = (Ports::new(), LogSink::new());
    let backend = format!(
        "option httpchk GET /check\n  timeout check 10s\n  log 127.0.0.1:{} local0\n  option log-health-checks\n\
         \x20 default-server check inter 100 rise 2 fall 2",
        logs.port()
    );
    let edge = p.edge(bin(), &backend);
    logs.wait_for("Health check for server rev/dev failed, reason: Socket error");
    logs.wait_for("Server rev/dev is DOWN.");
    assert_eq!(ask(p.public, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 503);
    let answers = |status: u16| {
        Origin::http(move |_| format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").into_bytes())
    };
    let origin = answers(200);
    let device = p.device(bin(), origin.port(), "");
    logs.wait_for("Health check for server rev/dev succeeded, reason: Layer7 check passed, code: 200,");
    logs.wait_for("Server rev/dev is UP.");
    assert_eq!(ask(p.public, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    drop(device);
    let down = |edge: &Hawser| {
        cli(edge, "show stat").lines().any(|l| l.starts_with("rev,dev,") && l.contains(",DOWN,"))
    };
    assert!(until(20_000, || down(&edge)));
    // One that answers, but not well.
    let origin = answers(500);
    let _device = p.device(bin(), origin.port(), "");
    logs.wait_for("reason: Layer7 wrong status, code: 500");
    assert!(down(&edge));
}

/// SETTINGS, empty.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

#[test]
fn a_silent_agent_is_let_go() {
    let p = Ports::new();
    let cfg = p.edge_cfg("").replace("server dev rhttp@", "server dev rhttp@ idle-ping 1s");
    let edge = Hawser::start(bin(), &cfg, &[p.public, p.private]);
    let mut agent = TcpStream::connect(("127.0.0.1", p.private)).unwrap();
    agent.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &SETTINGS].concat()).unwrap();
    assert!(until(20_000, || agents(&edge).len() == 1));
    assert!(until(15_000, || agents(&edge).is_empty()), "{:?}", agents(&edge));
    // One that never gets that far is not attached at all.
    let mut other = TcpStream::connect(("127.0.0.1", p.private)).unwrap();
    other.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    other.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut end = Vec::new();
    let closed = other.read_to_end(&mut end);
    assert!(!matches!(&closed, Err(e) if e.kind() == std::io::ErrorKind::WouldBlock), "{closed:?}");
    assert!(agents(&edge).is_empty());
}

#[test]
fn a_silent_edge_is_left() {
    let l = TcpListener::bind("127.0.0.1:0").unwrap();
    let p = Ports { public: 0, private: l.local_addr().unwrap().port() };
    let device = p.device(bin(), free_port(), "idle-ping 1s");
    let (mut first, _) = l.accept().unwrap();
    first.write_all(&SETTINGS).unwrap();
    let up = |n: u32| move |out: &str| out.contains(&format!("fe be/srv 1 {n} 0 "));
    assert!(until(20_000, || up(1)(&cli(&device, "show rhttp"))), "{}", cli(&device, "show rhttp"));
    let (_second, _) = l.accept().unwrap();
    first.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut end = Vec::new();
    let _ = first.read_to_end(&mut end);
    // Preface, SETTINGS and what goes with them, and at last a PING without an answer.
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0];
    assert!(end.windows(9).any(|w| w == ping), "{end:?}");
}

#[test]
fn idle_tunnels_outlive_the_timeouts_of_clients() {
    let (p, origin) = (Ports::new(), echo());
    let edge = p.edge(bin(), "");
    let cfg = p.device_cfg(origin.port(), "").replace("timeout client 20s", "timeout client 150ms");
    let _device = Hawser::start(bin(), &cfg, &[]);
    assert!(until(20_000, || agents(&edge).len() == 1));
    pause(700);
    let ids: Vec<String> = agents(&edge).iter().map(|a| a[2].clone()).collect();
    assert_eq!(ids, ["1"], "the first connection is still the one");
}

#[test]
fn what_is_wrong_is_said_as_haproxy_says_it() {
    const SERVERS: &str = "backend be\n server srv 127.0.0.1:9000 proto h2\n server rev rhttp@\n server tr 0.0.0.0:0 proto h2\n\
                           server h1 127.0.0.1:9000\nbackend named\n server rev rhttp@ pool-conn-name src\n";
    let fails = |front: &str, text: &str| {
        let cfg = format!("{HEAD}frontend fe\n{front}\n{SERVERS}").replace("{dir}", "/tmp");
        let r = check(bin(), &cfg, &[]);
        assert!(r.code != 0 && r.err.contains(text), "{front}:\n{}", r.err);
    };
    let attach = |rule: &str, text: &str| {
        fails(&format!(" bind 127.0.0.1:9998 proto h2\n tcp-request session attach-srv {rule}"), text);
    };
    let p = "] : Proxy 'fe': attach-srv rule";
    attach("", &format!("{p}: invalid server name ''."));
    attach("be", &format!("{p}: invalid server name 'be'."));
    attach("nobe/x", &format!("{p}: no such backend 'nobe/x'."));
    attach("be/no", &format!("{p}: no such server 'be/no'."));
    attach("be/rev name src", "has a name argument while server 'be/rev' does not use pool-conn-name");
    attach("named/rev", "has no name argument while server 'named/rev' uses pool-conn-name");
    attach("be/rev name", "missing name value");
    attach(
        "be/rev foo",
        "'tcp-request session attach-srv' only accepts 'if' or 'unless', in frontend 'fe' (got 'foo')",
    );
    let bind = |options: &str, text: &str| fails(&format!(" bind rhttp@be/srv {options}"), text);
    bind("nbconn", "'bind rhttp@be/srv' in section 'frontend' : 'nbconn' : missing value.");
    bind("nbconn 0", "'nbconn' : invalid value 0, must be > 0.");
    for option in ["maxconn 3", "accept-proxy", "proto h2", "backlog 3"] {
        let name = option.split(' ').next().unwrap_or_default();
        bind(option, &format!("'{name}' option is not accepted for reverse HTTP"));
    }
    bind("idle-ping x", "unexpected character 'x' in 'idle-ping' argument on bind line.");
    fails(" bind 127.0.0.1:9998 nbconn 2", "'nbconn' : only valid for reverse HTTP listeners.");
    fails(" bind 127.0.0.1:9998,rhttp@be/srv", "'bind' : Cannot mix reverse HTTP bind with others.");
    fails(
        " bind 127.0.0.1:9998\nbackend b2\n mode tcp\n server rev rhttp@",
        "backend 'b2' : server rev uses reverse HTTP addressing which can only be used with HTTP mode.",
    );
    fails(" mode tcp\n bind rhttp@be/srv", "MUX protocol 'h2' is not usable for 'bind rhttp@be/srv'");
}

#[test]
fn nothing_of_it_without_being_asked_for() {
    let cfg = "defaults\n mode http\nfrontend fe\n bind rhttp@be/srv nbconn 3\n tcp-request session attach-srv be/srv\n\
               backend be\n server srv rhttp@\n";
    let r = check(bin(), cfg, &[]);
    let must = "is experimental, must be allowed via a global 'expose-experimental-directives'";
    for what in ["Address 'rhttp@be/srv'", "'nbconn'", "'attach-srv' action", "Address 'rhttp@'"] {
        assert!(r.err.contains(&format!("{what} {must}")), "{what}:\n{}", r.err);
    }
}

/// These are found when the listener starts; ours are found by `-c` too.
#[test]
fn a_server_that_cannot_be_dialled_is_refused() {
    let cases = [
        ("nobe/srv", "No such backend: 'nobe'"),
        ("be/nosrv", "No such server: 'be/nosrv'"),
        ("be", "Invalid server name: 'be'"),
        ("be/rev", "Cannot use reverse HTTP server 'be/rev' as target to a reverse bind"),
        ("be/tr", "Cannot use transparent server 'be/tr' as target to a reverse bind"),
        ("be/h1", "Cannot reverse connect with server 'be/h1' unless HTTP/2 is activated on it"),
        ("be/dyn", "Cannot reverse connect with server 'be/dyn' which uses dynamic source address setting"),
        ("via/srv", "Cannot reverse connect with server 'via/srv' which uses dynamic source address setting"),
    ];
    for (target, text) in cases {
        let cfg = format!(
            "{HEAD}frontend fe\n bind rhttp@{target}\n\
             backend be\n server srv 127.0.0.1:9000 proto h2\n server rev rhttp@\n server tr 0.0.0.0:0 proto h2\n\
             \x20server h1 127.0.0.1:9000\n server dyn 127.0.0.1:9000 proto h2 source 0.0.0.0 usesrc clientip\n\
             backend via\n source 0.0.0.0 usesrc clientip\n server srv 127.0.0.1:9000 proto h2\n"
        );
        let mut started = Hawser::start(bin(), &cfg, &[]);
        assert_eq!(started.wait(20_000).and_then(|s| s.code()), Some(1), "{target}: {}", started.stderr());
        assert!(started.stderr().contains(text), "{target}: {}", started.stderr());
        assert!(started.stderr().contains("for frontend fe: protocol rev: "), "{}", started.stderr());
        let r = check(bin(), &cfg.replace("{dir}", "/tmp"), &[]);
        assert!(r.code != 0 && r.err.contains(text), "{target}: {}", r.err);
    }
}

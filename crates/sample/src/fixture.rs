//! A session, a stream and a process to evaluate things in, for tests.

use crate::compile::CompileCx;
use crate::ctx::{Ctx, Runtime, ServerFacts, Writes};
use crate::facts::{ProxyFacts, RequestLine, Sess, Strm};
use crate::vars::ProcVars;
use bytes::Bytes;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Addr, AddrKind, Config, Proxy, ProxyKind, RuleLine, Server, ServerOpts, Userlist};
use hawser_cfg::pos::{Pos, Word};
use hawser_http::{Head, Version};
use hawser_proto::{Address, clock};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Everything that a context borrows from.
pub(crate) struct Fixture {
    pub(crate) config: Config,
    pub(crate) sess: Sess,
    pub(crate) strm: Strm,
    pub(crate) req: Head,
    pub(crate) res: Option<Head>,
    pub(crate) proc_vars: ProcVars,
    pub(crate) writes: Writes,
}

fn ip(port: u16) -> Address {
    Address::Ip(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}

/// Frontend `f`, backend `b` with a server `s`, user list `ul`.
fn config() -> Config {
    let proxy = |name: &str, kind| Proxy { name: name.into(), kind, ..Proxy::default() };
    let mut b = proxy("b", ProxyKind::Backend);
    let addr = Addr {
        kind: AddrKind::Ip(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1)),
        port_offset: None,
        port_missing: false,
        port_high: 1,
        dgram: false,
        text: "127.0.0.1:1".into(),
    };
    b.servers.push(Server { pos: Pos::default(), name: "s".into(), addr, opts: ServerOpts::default() });
    let line =
        |text: &str| RuleLine { pos: Pos::default(), words: text.split(' ').map(Word::synthetic).collect() };
    let users = Userlist {
        name: "ul".into(),
        pos: Pos::default(),
        lines: vec![
            line("group g1 users u1"),
            line("user u1 insecure-password p1"),
            line("user u2 insecure-password p2 groups g2"),
            line("group g2"),
        ],
    };
    Config {
        files: vec!["t.cfg".into()],
        proxies: vec![proxy("f", ProxyKind::Frontend), b],
        userlists: vec![users],
        ..Config::default()
    }
}

impl Fixture {
    /// `GET /p/a?q=1` from 127.0.0.1:57922, answered with 200 by `s`.
    pub(crate) fn new() -> Self {
        let now = clock::now();
        let fe = ProxyFacts { name: "fe".into(), id: 2, http: true, ..ProxyFacts::default() };
        let mut sess =
            Sess::new(Arc::new(fe), now, UNIX_EPOCH + Duration::from_micros(1_795_423_070_455_000));
        (sess.src, sess.dst) = (ip(57922), ip(18776));
        (sess.fc_src, sess.fc_dst) = (ip(57922), ip(18776));
        sess.listener_id = 1;
        sess.fc_http_major = 1;
        let mut strm = Strm {
            backend: Some(Arc::new(ProxyFacts {
                name: "be".into(),
                id: 3,
                index: 1,
                ..ProxyFacts::default()
            })),
            server: Some("srv".into()),
            server_id: 1,
            bc_src: ip(55390),
            bc_dst: ip(18779),
            bytes_in: 82,
            bytes_out: 82,
            status: 200,
            conns: [1, 1, 0, 0],
            unique_id: Some(Bytes::from_static(b"X0")),
            req_captures: vec![Some(Bytes::from_static(b"u\"a {|}#\\]")), None],
            res_captures: vec![Some(Bytes::from_static(b"re s\"p{|}#"))],
            req_cookie: Some(Bytes::from_static(b"CK=ck1")),
            request_line: Some(RequestLine {
                line: Bytes::from_static(b"GET /p/a?q=1 HTTP/1.1"),
                method_len: 3,
                target_len: 8,
            }),
            ..Strm::default()
        };
        let at = |ms| Some(now + Duration::from_millis(ms));
        strm.t.handshake_end = at(1);
        strm.t.request_start = at(3);
        strm.t.request_end = at(7);
        strm.t.queue_end = at(15);
        strm.t.connect_end = at(31);
        strm.t.response_start = at(63);
        strm.t.end = at(127);
        let mut config = config();
        config.env.set("FOO", "bar");
        Self {
            config,
            sess,
            strm,
            req: Head::request(b"GET", b"/p/a?q=1", Version::H11),
            res: None,
            proc_vars: ProcVars::default(),
            writes: Writes::default(),
        }
    }

    /// With a request in text: start line and fields.
    pub(crate) fn with_request(text: &str) -> Self {
        let mut f = Self::new();
        let mut lines = text.lines();
        let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let version = if words[2] == "HTTP/1.0" { Version::H10 } else { Version::H11 };
        f.req = Head::request(words[0].as_bytes(), words[1].as_bytes(), version);
        for l in lines {
            let (name, value) = l.split_once(':').expect("a field");
            f.req.add(name.as_bytes(), value.trim().as_bytes());
        }
        let line = words.join(" ");
        f.strm.request_line = Some(RequestLine {
            method_len: u32::try_from(words[0].len()).expect("short"),
            target_len: u32::try_from(words[1].len()).expect("short"),
            line: Bytes::from(line),
        });
        f
    }

    pub(crate) fn ctx(&self) -> Ctx<'_> {
        Ctx {
            sess: Some(&self.sess),
            strm: Some(&self.strm),
            req: Some(&self.req),
            res: self.res.as_ref(),
            proc_vars: Some(&self.proc_vars),
            rt: Some(&Process),
            writes: Some(&self.writes),
            ..Ctx::EMPTY
        }
    }

    /// Calls with a compilation context in the frontend, at no particular place.
    pub(crate) fn compile<R>(&self, f: impl FnOnce(&mut CompileCx<'_>) -> R) -> R {
        let mut diags = Diags::default();
        let mut cx = CompileCx::new(&self.config, &mut diags);
        cx.proxy = Some(0);
        "http-request set-var".clone_into(&mut cx.what);
        f(&mut cx)
    }
}

/// The running process.
struct Process;

impl Runtime for Process {
    fn usable_servers(&self, _: usize) -> Option<u32> {
        Some(1)
    }
    fn find_frontend(&self, name: &str) -> Option<usize> {
        (name == "f").then_some(0)
    }
    fn find_proxy(&self, name: &str) -> Option<usize> {
        (name == "b").then_some(1)
    }
    fn find_server(&self, backend: usize, name: &str) -> Option<usize> {
        (backend == 1 && name == "s").then_some(0)
    }
    fn server(&self, _: usize, _: usize) -> Option<ServerFacts> {
        Some(ServerFacts { up: true, weight: 5, ..ServerFacts::default() })
    }
    fn be_conn(&self, _: usize) -> Option<u32> {
        Some(0)
    }
    fn fe_conn(&self, _: usize) -> Option<u32> {
        Some(1)
    }
    fn queued(&self, _: usize) -> Option<u32> {
        Some(0)
    }
}

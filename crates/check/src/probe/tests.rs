//! Checks against servers on local sockets, with HAProxy's texts.

use super::*;
use crate::check::reason;
use crate::pool::NoPool;
use crate::script::tests::{proxy, script};
use hawser_balance::resolve::Resolver;
use hawser_balance::{Backend, CompileEnv, NoEvents};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{self, Addr, AddrKind, Config, Timeouts};
use hawser_sample::facts::ProxyFacts;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// What a server does with a connection.
#[derive(Clone, Copy)]
enum Peer {
    /// Sends the first text, reads once, sends the second, closes.
    Talk(&'static str, &'static str),
    /// The same, but resets.
    Reset,
    /// Reads and never answers.
    Silent,
    /// Sends and waits.
    Banner(&'static str),
}

pub(crate) fn backend(addr: AddrKind, o: impl FnOnce(&mut model::ServerOpts)) -> Arc<Backend> {
    let addr = Addr {
        kind: addr,
        port_offset: None,
        port_missing: false,
        port_high: 0,
        dgram: false,
        text: "".into(),
    };
    let mut opts = model::ServerOpts::default();
    opts.check = true;
    o(&mut opts);
    let mut p = proxy("", &[]);
    p.servers = vec![model::Server { pos: Default::default(), name: "s1".into(), addr, opts }];
    let env = CompileEnv {
        config: &Config::default(),
        facts: Arc::new(ProxyFacts { name: "be".into(), ..ProxyFacts::default() }),
        threads: 1,
        default_fullconn: 1,
        resolver: &Resolver::libc(false),
        states: None,
        events: Arc::new(NoEvents),
        now: 1,
    };
    hawser_balance::compile(&p, &env, &mut Diags::default())
}

async fn serve(peer: Peer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(talk(stream, peer));
        }
    });
    addr
}

async fn talk(mut s: TcpStream, peer: Peer) -> std::io::Result<()> {
    let mut buf = [0; 4096];
    match peer {
        Peer::Talk(first, second) => {
            s.write_all(first.as_bytes()).await?;
            let _ = s.read(&mut buf).await?;
            s.write_all(second.as_bytes()).await?;
        }
        Peer::Reset => {
            let _ = s.read(&mut buf).await?;
            s.set_zero_linger()?;
        }
        Peer::Silent => while s.read(&mut buf).await? > 0 {},
        Peer::Banner(text) => {
            s.write_all(text.as_bytes()).await?;
            while s.read(&mut buf).await? > 0 {}
        }
    }
    Ok(())
}

fn check(addr: AddrKind, option: &str, rules: &[&str]) -> Outcome {
    check_with(|| async { addr }, option, rules)
}

/// Runs a check with a `timeout check` and `timeout connect` that a machine which stalls for a moment does not reach.
fn check_with<F>(addr: impl FnOnce() -> F, option: &str, rules: &[&str]) -> Outcome
where
    F: Future<Output = AddrKind>,
{
    let (script, diags) = script(option, rules);
    assert!(diags.list.is_empty(), "{:?}", diags.list);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let be = backend(addr().await, |_| ());
        let timeouts = Timeouts { check: Some(800), connect: Some(700), ..Timeouts::default() };
        let settings = Settings::new(&be.servers[0], &timeouts);
        let probe = Probe {
            script: &script,
            settings: &settings,
            server: &be.servers[0],
            to: &ConnectTo::default(),
            state: None,
            bufsize: 16_384,
            mux: None,
            pool: &NoPool,
            backend: 0,
        };
        probe.run().await
    })
}

/// Text of the outcome without its duration.
fn text(o: &Outcome) -> String {
    reason(o).split(", check duration").next().unwrap_or_default().into()
}

fn against(peer: Peer, option: &str, rules: &[&str]) -> String {
    text(&check_with(|| async move { AddrKind::Ip(serve(peer).await) }, option, rules))
}

const R200: Peer =
    Peer::Talk("", "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nX-A: foo, bar\r\n\r\nhello world");
const R500: Peer = Peer::Talk("", "HTTP/1.1 500 Oops There\r\ncontent-length: 5\r\n\r\nerror");
const R404: Peer = Peer::Talk("", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
const NO_REASON: Peer = Peer::Talk("", "HTTP/1.1 503\r\n\r\n");
const BANNER: Peer = Peer::Talk("220 hello\r\n", "250 ok\r\n");

#[test]
fn connections() {
    let refused = "127.0.0.1:1".parse().map(AddrKind::Ip).unwrap();
    let o = check(refused, "", &[]);
    assert_eq!(
        text(&o),
        "Layer4 connection problem, info: \"ECONNREFUSED returned by OS (Connection refused)\""
    );
    let missing = AddrKind::Unix(PathBuf::from("/nonexistent/hawser.sock"));
    let o = check(missing, "", &[]);
    assert_eq!(text(&o), "Socket error, info: \"General socket error (No such file or directory)\"");
    assert_eq!(against(Peer::Silent, "", &[]), "Layer4 check passed");
    assert_eq!(against(Peer::Silent, "tcp-check", &[]), "Layer4 check passed");
    assert_eq!(
        against(Peer::Silent, "tcp-check", &["tcp-check connect"]),
        "Layer4 check passed, info: \"(tcp-check)\""
    );
    assert_eq!(
        against(Peer::Silent, "tcp-check", &["tcp-check comment hop", "tcp-check connect port 1"]),
        "Layer4 connection problem, info: \"ECONNREFUSED returned by OS (Connection refused) at step 2 of tcp-check \
         (connect port 1) comment: 'hop'\""
    );
    assert_eq!(
        against(Peer::Silent, "httpchk", &["http-check connect port 1 comment x"]),
        "Layer4 connection problem, info: \"ECONNREFUSED returned by OS (Connection refused)\""
    );
}

#[test]
fn services() {
    let redis = |answer| against(Peer::Talk("", answer), "redis-check", &[]);
    assert_eq!(redis("+PONG\r\n"), "Layer7 check passed, code: 0, info: \"Redis server is ok\"");
    assert_eq!(redis("-ERR x\r\n"), "Layer7 wrong status, code: 0, info: \"-ERR x\"");
    assert_eq!(against(Peer::Silent, "redis-check", &[]), "Layer7 timeout");
    let smtp = Peer::Talk("220 hello\r\n", "500 what\r\n");
    assert_eq!(against(smtp, "smtpchk", &[]), "Layer7 wrong status, code: 500, info: \"what\"");
    assert_eq!(against(Peer::Talk("", "\x16\x03"), "ssl-hello-chk", &[]), "Layer6 check passed");
    assert_eq!(against(Peer::Silent, "ssl-hello-chk", &[]), "Layer6 timeout");
    let mysql = Peer::Banner("\x05\0\0\0\x0a5.7\0");
    assert_eq!(against(mysql, "mysql-check", &[]), "Layer7 check passed, code: 0");
    assert_eq!(
        against(Peer::Talk("", ""), "ssl-hello-chk", &[]),
        "Layer6 invalid response, info: \"TCPCHK got an empty response at step 2\""
    );
}

#[test]
fn http_checks() {
    let cases: &[(Peer, &[&str], &str)] = &[
        (R200, &[], "Layer7 check passed, code: 200"),
        (R500, &[], "Layer7 wrong status, code: 500, info: \"Oops There\""),
        (R404, &[], "Layer7 wrong status, code: 404, info: \"Not Found\""),
        (
            NO_REASON,
            &[],
            "Layer7 wrong status, code: 503, info: \"TCPCHK did not match content(status codes) at step 2\"",
        ),
        (Peer::Reset, &[], "Socket error, info: \"ECONNRESET returned by OS (Connection reset by peer)\""),
        (Peer::Talk("", ""), &[], "Socket error"),
        (Peer::Talk("", "hello world\r\n\r\n"), &[], "Socket error"),
        (Peer::Talk("", "HTTP/1.1 200 OK\r\ncontent-le"), &[], "Socket error"),
        (Peer::Silent, &[], "Layer7 timeout"),
        (R200, &["http-check expect status 201,300-400"], "Layer7 wrong status, code: 200, info: \"OK\""),
        (R200, &["http-check expect ! status 200"], "Layer7 wrong status, code: 200, info: \"OK\""),
        (R200, &["http-check expect !status 500"], "Layer7 check passed, code: 200"),
        (R200, &["http-check expect rstatus ^3"], "Layer7 wrong status, code: 200, info: \"OK\""),
        (R200, &["http-check expect string hello"], "Layer7 check passed, code: 200"),
        (
            R200,
            &["http-check expect string nothere"],
            "Layer7 invalid response, info: \"HTTP content check did not match\"",
        ),
        (
            R200,
            &["http-check expect ! string hello"],
            "Layer7 invalid response, info: \"HTTP check matched unwanted content\"",
        ),
        (
            R200,
            &["http-check expect rstring ^w"],
            "Layer7 invalid response, info: \"HTTP content check did not match\"",
        ),
        (R200, &["http-check expect rstring w.r"], "Layer7 check passed, code: 200"),
        (
            R404,
            &["http-check expect string x"],
            "Layer7 invalid response, info: \"HTTP content check could not find a response body\"",
        ),
        (
            R200,
            &["http-check expect comment my_comment string nothere"],
            "Layer7 invalid response, info: \"HTTP content check did not match comment: my comment\"",
        ),
        (
            R500,
            &["http-check expect comment foo status 200"],
            "Layer7 wrong status, code: 500, info: \"Oops There comment: foo\"",
        ),
        (R200, &["http-check expect hdr name x-a value foo"], "Layer7 check passed, code: 200"),
        (R200, &["http-check expect hdr name -m beg X- value -m end ar"], "Layer7 check passed, code: 200"),
        (
            R200,
            &["http-check expect hdr name x-a value -m beg baz"],
            "Layer7 wrong status, code: 200, info: \"OK\"",
        ),
        (
            R200,
            &["http-check expect fhdr name x-a value foo"],
            "Layer7 wrong status, code: 200, info: \"OK\"",
        ),
        (R200, &["http-check expect fhdr name x-a value -m sub ,"], "Layer7 check passed, code: 200"),
        (R200, &["http-check expect ! hdr name x-a"], "Layer7 wrong status, code: 200, info: \"OK\""),
        (
            NO_REASON,
            &["http-check expect rstatus ^3"],
            "Layer7 wrong status, code: 503, info: \"TCPCHK did not match content (regex) at step 1\"",
        ),
        (
            NO_REASON,
            &["http-check expect hdr name foo"],
            "Layer7 wrong status, code: 503, info: \"TCPCHK did not match content (header pattern) at step 1\"",
        ),
        (R404, &["http-check disable-on-404"], "Layer7 check conditionally passed, code: 404"),
        (
            R404,
            &["http-check disable-on-404", "http-check expect status 404"],
            "Layer7 check conditionally passed, code: 404",
        ),
        (R200, &["http-check disable-on-404"], "Layer7 check passed, code: 200"),
        (
            R200,
            &["http-check expect status 200", "http-check expect string world"],
            "Layer7 check passed, code: 200",
        ),
        (
            R200,
            &["http-check expect on-success got_%[status] status 200"],
            "Layer7 check passed, code: 200, info: \"got 200\"",
        ),
        (R200, &["http-check expect status-code int(7) string hello"], "Layer7 check passed, code: 7"),
        (
            R200,
            &["http-check expect error-status L7OKC string nothere"],
            "Layer7 check conditionally passed, code: 200, info: \"HTTP content check did not match\"",
        ),
    ];
    for (peer, rules, want) in cases {
        assert_eq!(against(*peer, "httpchk", rules), *want, "{rules:?}");
    }
}

#[test]
fn tcp_checks() {
    let tout = "Layer7 timeout, info: \" at step 1 of tcp-check";
    let quiet = Peer::Banner("220 hello\r\n");
    let cases: &[(Peer, &[&str], &str)] = &[
        (BANNER, &["tcp-check expect string 220"], "Layer7 check passed, code: 0, info: \"(tcp-check)\""),
        (quiet, &["tcp-check expect string 221"], &format!("{tout} (expect string '221')\"")),
        (quiet, &["tcp-check expect rstring ^23[0-9]"], &format!("{tout} (expect regex)\"")),
        (quiet, &["tcp-check expect rbinary ^3233"], &format!("{tout} (expect binary regex)\"")),
        (
            quiet,
            &["tcp-check expect tout-status L4TOUT min-recv 500 rstring zzz"],
            "Layer4 timeout, info: \" at step 1 of tcp-check (expect regex)\"",
        ),
        // What is unwanted may still come, unless min-recv tells how much is enough.
        (quiet, &["tcp-check expect ! string 221"], &format!("{tout} (expect string '221')\"")),
        (
            quiet,
            &["tcp-check expect min-recv 3 ! string 221"],
            "Layer7 check passed, code: 0, info: \"(tcp-check)\"",
        ),
        (
            BANNER,
            &["tcp-check expect ! string 220"],
            "Layer7 invalid response, info: \"TCPCHK matched unwanted content '220' at step 1\"",
        ),
        (
            BANNER,
            &["tcp-check expect ! rstring 220"],
            "Layer7 invalid response, info: \"TCPCHK matched unwanted content (regex) at step 1\"",
        ),
        (
            BANNER,
            &["tcp-check expect rstring ^22[0-9]"],
            "Layer7 check passed, code: 0, info: \"(tcp-check)\"",
        ),
        (BANNER, &["tcp-check expect binary 323230"], "Layer7 check passed, code: 0, info: \"(tcp-check)\""),
        (
            BANNER,
            &["tcp-check expect rbinary ^323230"],
            "Layer7 check passed, code: 0, info: \"(tcp-check)\"",
        ),
        (
            BANNER,
            &[
                "tcp-check connect",
                "tcp-check expect string 220",
                "tcp-check send QUIT\\r\\n",
                "tcp-check expect string 250 ok-status L4OK",
            ],
            "Layer4 check passed, info: \"(tcp-check)\"",
        ),
        (
            BANNER,
            &["tcp-check send-binary 41420d0a", "tcp-check expect comment foo_bar string 251"],
            "Layer7 invalid response, info: \"TCPCHK did not match content '251' at step 2 comment: foo bar\"",
        ),
        (
            BANNER,
            &["tcp-check send A", "tcp-check expect binary 7a7a"],
            "Layer7 invalid response, info: \"TCPCHK did not match content (binary) at step 2\"",
        ),
        (
            quiet,
            &["tcp-check expect min-recv 0 string zz"],
            "Layer7 invalid response, info: \"TCPCHK did not match content 'zz' at step 1\"",
        ),
        (
            quiet,
            &["tcp-check expect min-recv 0 error-status L7OKC string zz"],
            "Layer7 check conditionally passed, code: 0, info: \"TCPCHK did not match content 'zz' at step 1\"",
        ),
        (
            quiet,
            &["tcp-check expect min-recv 0 on-error my_%[str(x)] string zz"],
            "Layer7 invalid response, info: \"my x\"",
        ),
        (
            BANNER,
            &["tcp-check expect on-success my_%[str(x)] string 220"],
            "Layer7 check passed, code: 0, info: \"my x\"",
        ),
        (
            BANNER,
            &["tcp-check send-lf %[str(abc)]", "tcp-check expect string-lf %[str(250)]"],
            "Layer7 check passed, code: 0, info: \"(tcp-check)\"",
        ),
        (
            Peer::Talk("", ""),
            &["tcp-check send x", "tcp-check expect string zz"],
            "Layer7 invalid response, info: \"TCPCHK got an empty response at step 2\"",
        ),
        (
            Peer::Reset,
            &["tcp-check send x", "tcp-check expect string zz"],
            "Socket error, info: \"ECONNRESET returned by OS (Connection reset by peer) at step 2 of tcp-check (expect string 'zz')\"",
        ),
        (
            Peer::Silent,
            &["tcp-check send x", "tcp-check expect comment c string zz"],
            "Layer7 timeout, info: \" at step 2 of tcp-check (expect string 'zz') comment: 'c'\"",
        ),
    ];
    for (peer, rules, want) in cases {
        assert_eq!(against(*peer, "tcp-check", rules), *want, "{rules:?}");
    }
}

#[test]
fn connecting_takes_no_longer_than_its_timeout() {
    // The backlog of this listener is full once its one place is taken: further SYNs go unanswered.
    let addr = || async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let addr = listener.local_addr().unwrap();
        for _ in 0..3 {
            let connect = TcpStream::connect(addr);
            if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(20), connect).await {
                std::mem::forget(stream);
            }
        }
        std::mem::forget(listener);
        AddrKind::Ip(addr)
    };
    let o = check_with(addr, "", &[]);
    assert_eq!(text(&o), "Layer4 timeout");
    assert!((700..8000).contains(&o.duration), "{}", o.duration);
}

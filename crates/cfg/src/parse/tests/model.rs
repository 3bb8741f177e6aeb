//! What lines put into the model.

use super::{config, listen};
use crate::model::{AddrKind, CheckKind, ErrorKind, LogAddr, Proxy, Reuse, opt};

fn proxy(lines: &str) -> Proxy {
    let mut c = config(&listen(lines));
    c.proxies.remove(0)
}

#[test]
fn listeners() {
    let p =
        proxy("bind 127.0.0.1:81,:::82 name x maxconn 5 accept-proxy v6only backlog 7 mss -500 thread 1-2");
    let b = &p.binds[1];
    assert_eq!(b.addrs.len(), 2);
    let o = &b.opts;
    assert_eq!((o.name.as_deref(), o.maxconn, o.backlog, o.mss), (Some("x"), Some(5), Some(7), Some(-500)));
    assert!(o.accept_proxy && o.v6only && !o.v4v6);
}

#[test]
fn unix_sockets_follow_unix_bind() {
    let text = listen("bind /a.sock\nbind unix@/b.sock mode 600");
    let c = config(&format!("global\nunix-bind prefix /run mode 666 gid 7\n{text}"));
    let socket = |i: usize| {
        let b = &c.proxies[0].binds[i];
        let AddrKind::Unix(path) = &b.addrs[0].kind else { panic!() };
        (path.to_str().unwrap().to_owned(), b.opts.mode, b.opts.gid)
    };
    assert_eq!(socket(1), ("/run/a.sock".to_owned(), Some(0o666), Some(7)));
    assert_eq!(socket(2), ("/run/b.sock".to_owned(), Some(0o600), Some(7)));
    assert_eq!(c.proxies[0].binds[0].opts.mode, None);
}

#[test]
fn addresses_take_environment_variables() {
    let p = proxy("bind 127.0.0.1:$PORT\nserver s 10.0.0.1:${PORT}");
    let AddrKind::Ip(listener) = p.binds[1].addrs[0].kind else { panic!() };
    let AddrKind::Ip(server) = p.servers[0].addr.kind else { panic!() };
    assert_eq!((listener.port(), server.port()), (8080, 8080));
}

#[test]
fn servers() {
    let p = proxy(
        "default-server check inter 5s fall 7\nserver a 1.2.3.4:80 weight 9 maxconn 3 backup cookie c\n\
         server b 1.2.3.4:80 no-check source 10.0.0.9 interface eth0 send-proxy-v2\nserver-template t 2-3 1.2.3.4:80 id 8\n",
    );
    let names: Vec<&str> = p.servers.iter().map(|s| &*s.name).collect();
    assert_eq!(names, ["a", "b", "t2", "t3"]);
    let a = &p.servers[0].opts;
    assert_eq!(
        (a.check, a.inter, a.fall, a.weight, a.maxconn, a.backup),
        (true, Some(5000), Some(7), Some(9), Some(3), true)
    );
    assert_eq!(a.cookie.as_deref(), Some("c"));
    let b = &p.servers[1].opts;
    assert_eq!(
        (b.check, b.send_proxy_v2, b.source.as_ref().unwrap().interface.as_deref()),
        (false, true, Some("eth0"))
    );
    assert_eq!((p.servers[2].opts.id, p.servers[3].opts.id), (Some(8), Some(9)));
    // Servers are up at once only below a line with defaults.
    let states = |lines: &str| -> Vec<Option<String>> {
        proxy(lines).servers.iter().map(|s| s.opts.init_state.clone()).collect()
    };
    let two = "default-server inter 5s\nserver b 1.2.3.4:80\nserver c 1.2.3.4:80 init-state down\n";
    let want = [None, Some("up".to_owned()), Some("down".to_owned())];
    assert_eq!(states(&format!("server a 1.2.3.4:80\n{two}")), want);
}

#[test]
fn options_and_timeouts() {
    let p = proxy(
        "option tcpka\noption http-no-delay\noption redispatch 2\nhttp-reuse always\ntimeout tunnel 1h\n\
         timeout http-keep-alive 0\nclitcpka-cnt 3\nsrvtcpka-idle 5m\noption httpchk HEAD /x\nretries 0",
    );
    assert!(p.options.has(opt::CLITCPKA | opt::SRVTCPKA | opt::HTTP_NO_DELAY));
    assert_eq!((p.redispatch, p.reuse, p.retries), (2, Some(Reuse::Always), Some(0)));
    assert_eq!((p.timeouts.tunnel, p.timeouts.http_keep_alive), (Some(3_600_000), Some(0)));
    assert_eq!((p.clitcpka.cnt, p.srvtcpka.idle), (Some(3), Some(300)));
    assert!(matches!(&p.check_kind, CheckKind::Http(words) if words.len() == 2));
}

#[test]
fn rules_keep_their_words() {
    let p = proxy(
        "http-request set-header X \"a b\" if { path /x }\nredirect location / if HTTP\nhttp-request deny\n\
         tcp-request content accept if HTTP\nacl a path /a\nuse-server s if a\nserver s 1.2.3.4:80",
    );
    let words: Vec<&str> = p.rules.http_req[0].words.iter().map(|w| w.as_str()).collect();
    assert_eq!(words, ["set-header", "X", "a b", "if", "{", "path", "/x", "}"]);
    // The redirect runs last, whatever its place.
    let first: Vec<&str> = p.rules.http_req.iter().map(|r| r.words[0].as_str()).collect();
    assert_eq!((first, p.redirects), (vec!["set-header", "deny", "redirect"], 1));
    assert_eq!((p.rules.tcp_req_cont.len(), p.acls.len(), p.use_server.len()), (1, 1, 1));
}

#[test]
fn logs() {
    let p = proxy(
        "log global\nlog 127.0.0.1 len 2000 format raw sample 1:2 local3 notice err\nlog stdout local0\n\
         log /dev/log daemon",
    );
    assert!(p.logs[0].global && p.logs.len() == 4);
    let l = &p.logs[1];
    assert_eq!(l.addr, Some(LogAddr::Udp("127.0.0.1:514".parse().unwrap())));
    assert_eq!((l.len, l.facility, l.level, l.min_level), (2000, 19, 5, 3));
    assert_eq!((l.format.as_deref(), l.sample.clone()), (Some("raw"), Some((vec![(1, 1)], 2))));
    assert_eq!((&p.logs[2].addr, p.logs[3].facility), (&Some(LogAddr::Fd(1)), 3));
}

#[test]
fn error_documents() {
    let p = proxy("errorloc303 503 http://x/\nhttp-error status 404 content-type text/plain string no");
    assert!(
        matches!(&p.errors[0].kind, ErrorKind::Loc { code: 503, status: 303, url } if url == "http://x/")
    );
    assert!(matches!(&p.errors[1].kind, ErrorKind::HttpError(words) if words.len() == 6));
}

#[test]
fn proxies_are_found_by_name() {
    let c = config(&format!("{}backend b\nfrontend f\nbind :1\ntimeout client 1s\n", listen("")));
    assert_eq!(c.proxy("b").map(|p| &*p.name), Some("b"));
    assert!(c.backend("f").is_none() && c.backend("l").is_some() && c.proxy("x").is_none());
}

#[test]
fn sections_besides_proxies() {
    let c = config("userlist u\ngroup g users a\nuser a insecure-password x\nuserlist v\nhttp-errors e\n");
    assert_eq!((c.userlists.len(), c.userlists[0].lines.len(), c.http_errors.len()), (2, 2, 1));
}

//! The statistics page: where it is, what it shows, who may see it, and what administrators do with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hawser_testkit::h2client::H2;
use hawser_testkit::wire::{Response, ask, get};
use hawser_testkit::{Client, Hawser, LogSink, Origin, api, binary, free_port, until};
use std::io::Read;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

const DEFAULTS: &str = "defaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n  timeout http-request 8s\n";

/// What is served by `listen` sections and the like, below common defaults.
fn serve(sections: &str, ports: &[u16]) -> Hawser {
    Hawser::start(
        bin(),
        &format!("global\n  stats socket {{dir}}/st level admin\n{DEFAULTS}{sections}"),
        ports,
    )
}

fn command(h: &Hawser, line: &str) -> String {
    h.cli("st", line)
}

/// Sends an order, with more fields for its head.
fn post_with(port: u16, path: &str, fields: &str, body: &str) -> Response {
    ask(
        port,
        format!("POST {path} HTTP/1.1\r\nHost: lb\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()),
    )
}

/// Sends an order; where the browser is sent.
fn post(port: u16, path: &str, body: &str) -> String {
    let r = post_with(port, path, "", body);
    assert_eq!((r.status, r.body.len()), (303, 0), "{}", r.head);
    assert_eq!(r.field("cache-control"), Some("no-cache"));
    r.field("location").unwrap().to_owned()
}

/// A column of the CSV export.
fn column(port: u16, path: &str, row: &str, name: &str) -> String {
    api::column(&get(port, &format!("{path};csv")).text(), row, name)
}

#[test]
fn a_page_of_tables() {
    let (port, plain) = (free_port(), free_port());
    let origin = Origin::fixed("a", "hello");
    let h = serve(
        &format!(
            "listen l\n  bind 127.0.0.1:{port} name one\n  option socket-stats\n  stats enable\n  stats uri /s\n\
             \x20 stats refresh 9s\n  stats show-node host-7\n  stats show-desc about this\n  stats show-legends\n\
             \x20 cookie C insert\n  server up 127.0.0.1:{0} cookie c1\n  server off 127.0.0.1:{0} disabled backup\n\
             frontend f\n  bind 127.0.0.1:{plain}\n  stats uri /\n  stats scope .\n  stats hide-version\n",
            origin.port()
        ),
        &[port, plain],
    );
    let r = get(port, "/s");
    assert_eq!((r.status, r.field("content-type")), (200, Some("text/html")));
    assert_eq!((r.field("cache-control"), r.field("refresh")), (Some("no-cache"), Some("9")));
    let html = r.text();
    for part in [
        format!("<h2>Statistics Report for pid {} on host-7: about this</h2>", h.pid()),
        "<a name=\"l\"></a>".into(),
        "<a name=\"l/Frontend\"></a>".into(),
        "<a name=\"l/+one\"></a>".into(),
        "<a name=\"l/up\"></a>".into(),
        "<a name=\"l/Backend\"></a>".into(),
        "<a class=px href=\"#f\">f</a>".into(),
        "<tr class=\"frontend\">".into(),
        "<tr class=\"active_no_check\">".into(),
        "<tr class=\"maintain\">".into(),
        "<tr class=\"backend\">".into(),
        "cap: proxy, mode: http, id: ".into(),
        format!("IPv4: 127.0.0.1:{}, id: 1, rid: 0, cookie: 'c1'", origin.port()),
        "cookie: 'C'".into(),
    ] {
        assert!(html.contains(&part), "{part}: {html}");
    }
    assert!(!html.contains("checkbox") && html.trim_end().ends_with("</body></html>"));
    // One proxy, and nothing of the process but its number.
    let html = get(plain, "/").text();
    assert!(html.contains("#f/Frontend") && !html.contains("#l/"), "{html}");
    assert!(!html.contains("host-7") && !html.contains("IPv4: "));
    assert_eq!(get(plain, "/").field("refresh"), None);
}

#[test]
fn exports_are_those_of_the_command_line() {
    let port = free_port();
    let h = serve(
        &format!(
            "listen li\n  bind 127.0.0.1:{port}\n  stats uri /s\n  stats show-legends\n\
             \x20 server a 127.0.0.1:1\n  server b 127.0.0.1:1 disabled\nbackend other\n  server c 127.0.0.1:1\n"
        ),
        &[port],
    );
    // Some columns count what this test does.
    let stable = |csv: &str| -> Vec<String> {
        let keep = |l: &str| {
            l.split(',')
                .enumerate()
                .filter(|(i, _)| (9..25).contains(i) || *i < 2)
                .map(|c| c.1.to_owned())
                .collect::<Vec<_>>()
                .join(",")
        };
        csv.lines()
            .map(keep)
            .filter(|l| !l.starts_with("li,FRONT") && !l.starts_with("li,BACK") && l.len() > 1)
            .collect()
    };
    let r = get(port, "/s;csv");
    assert_eq!(r.field("content-type"), Some("text/plain"));
    assert_eq!(r.text().lines().next(), command(&h, "show stat").lines().next());
    assert_eq!(stable(&r.text()), stable(&command(&h, "show stat")));
    let less = get(port, "/s;csv;no-maint?scope=LI").text();
    assert!(less.contains("\nli,a,") && !less.contains("\nli,b,") && !less.contains("\nother,"), "{less}");
    let r = get(port, "/s;json-schema");
    assert_eq!(r.field("content-type"), Some("application/json"));
    assert_eq!(r.text().trim_end(), command(&h, "show schema json").trim_end());
    let r = get(port, "/s;json");
    assert_eq!(r.field("content-type"), Some("application/json"));
    assert!(r.text().starts_with("[[{\"objType\":\"Frontend\",\"proxyId\":2,"), "{}", r.text());
    assert!(r.text().trim_end().ends_with("}]]"));
    let r = get(port, "/s;typed");
    assert_eq!(r.field("content-type"), Some("text/plain"));
    assert!(r.text().starts_with("F.2.0.0.pxname.1:KNSV:str:li\n"), "{}", r.text());
}

#[test]
fn a_page_answers_what_starts_with_its_uri() {
    let (front, back) = (free_port(), free_port());
    let origin = Origin::fixed("a", "hello");
    let _h = serve(
        &format!(
            "frontend f\n  bind 127.0.0.1:{front}\n  stats uri /s?x\n  http-request deny if {{ path_end /no }}\n\
             \x20 http-request allow if {{ path /allowed }}\n  redirect location /elsewhere unless {{ path /b }}\n\
             \x20 default_backend b\n\
             backend b\n  stats enable\n  server a 127.0.0.1:{0}\n\
             listen m\n  bind 127.0.0.1:{back}\n  stats uri /s\n  server a 127.0.0.1:{0}\n",
            origin.port()
        ),
        &[front, back],
    );
    let title = |r: &Response| r.text().contains("<h2>Statistics Report");
    for target in ["/s?x", "/s?xyz;up", "http://localhost/s?x"] {
        assert!(title(&get(front, target)), "{target}");
    }
    // Rules come first, redirects last; nothing lets a request past those.
    assert_eq!(get(front, "/s?x/no").status, 200);
    assert_eq!(get(front, "/no?x").status, 403);
    for target in ["/s", "/S?x", "/x/s?x", "/haproxy?stats", "/allowed"] {
        assert_eq!(get(front, target).field("location"), Some("/elsewhere"), "{target}");
    }
    assert_eq!(get(front, "/b").text(), "hello");
    for method in ["PUT", "OPTIONS", "DELETE", "get"] {
        let r = ask(back, format!("{method} /s HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(r.text(), "hello", "{method}");
    }
    let mut c = Client::connect(back);
    c.send("HEAD /s HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(c.recv_for("HEAD").field("content-type"), Some("text/html"));
    let r = ask(back, "GET /s HTTP/1.0\r\n\r\n");
    assert!(title(&r) && r.field("transfer-encoding").is_none(), "{}", r.head);
    let mut h2 = H2::connect(back);
    h2.get(1, "/s;csv");
    assert_eq!(h2.outcome(1).status(), 200);
}

#[test]
fn pages_of_backends_come_after_their_rules() {
    let port = free_port();
    let _h = serve(
        &format!(
            "frontend f\n  bind 127.0.0.1:{port}\n  default_backend b\n\
             backend b\n  stats enable\n  http-request deny if {{ hdr(x) 1 }}\n  redirect location /r\n"
        ),
        &[port],
    );
    assert_eq!(get(port, "/haproxy?stats").status, 200);
    assert_eq!(get(port, "/").field("location"), Some("/r"));
    assert_eq!(ask(port, "GET /haproxy?stats HTTP/1.1\r\nHost: h\r\nx: 1\r\n\r\n").status, 403);
    // Only a frontend's own answers are what it intercepts.
    assert_eq!(column(port, "/haproxy?stats", "f,FRONTEND", "intercepted"), "0");
}

#[test]
fn users_log_in() {
    let (port, other, log) = (free_port(), free_port(), LogSink::new());
    let _h = serve(
        &format!(
            "listen l\n  bind 127.0.0.1:{port}\n  log 127.0.0.1:{} local0\n  option httplog\n  stats uri /s\n\
             \x20 stats auth admin:se:cret\n  stats auth other:\n  stats realm Who\\ goes\n\
             \x20 http-after-response set-header x-after 1\n  http-response set-header x-res 1\n\
             listen m\n  bind 127.0.0.1:{other}\n  stats auth a:b\n",
            log.port()
        ),
        &[port, other],
    );
    let with = |credentials: &str| {
        let r =
            ask(port, format!("GET /s HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {credentials}\r\n\r\n"));
        (r.status, r.field("x-after").is_some(), r.field("x-res").is_some())
    };
    let r = get(port, "/s");
    assert_eq!((r.status, r.field("www-authenticate")), (401, Some("Basic realm=\"Who goes\"")));
    assert!(!r.text().contains("Statistics"));
    // admin:se:cret, other:, admin:secret, nobody:x
    assert_eq!(with("YWRtaW46c2U6Y3JldA=="), (200, true, false));
    assert_eq!(with("b3RoZXI6"), (200, true, false));
    assert_eq!(with("YWRtaW46c2VjcmV0"), (401, true, false));
    assert_eq!(with("bm9ib2R5Ong="), (401, true, false));
    // Orders need the same.
    assert_eq!(post_with(port, "/s", "", "b=l&action=maint").status, 401);
    let r = get(other, "/haproxy?stats");
    assert_eq!(r.field("www-authenticate"), Some("Basic realm=\"HAProxy Statistics\""));
    let line = log.wait_for(" 200 ");
    assert!(line.contains(" l l/<STATS> ") && line.contains(" - - LR-- "), "{line}");
    // In HAProxy's logs, refusals have the status 400.
    let refused =
        |l: &String| l.contains(" l l/<STATS> ") && !l.contains(" 200 ") && l.contains(" - - LR-- ");
    assert!(log.lines().iter().any(refused), "{:?}", log.lines());
}

#[test]
fn rules_decide_who_sees_it() {
    let port = free_port();
    let _h = serve(
        &format!(
            "userlist u\n  user a insecure-password b\n\
             listen l\n  bind 127.0.0.1:{port}\n  stats uri /s\n\
             \x20 stats http-request deny if {{ path_end secret }}\n\
             \x20 stats http-request auth if {{ path_end login }} !{{ http_auth(u) }}\n\
             \x20 stats http-request auth realm Own if {{ path_end own }}\n\
             \x20 stats http-request return status 207 if {{ path_end return }}\n\
             \x20 stats http-request allow\n"
        ),
        &[port],
    );
    assert_eq!(get(port, "/s/secret").status, 403);
    let r = get(port, "/s/login");
    assert_eq!((r.status, r.field("www-authenticate")), (401, Some("Basic realm=\"HAProxy Statistics\"")));
    assert_eq!(get(port, "/s/own").field("www-authenticate"), Some("Basic realm=\"Own\""));
    let r = ask(port, "GET /s/login HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YTpi\r\n\r\n");
    assert_eq!(r.status, 200);
    assert_eq!((get(port, "/s/return").status, get(port, "/s").status), (207, 200));
}

#[test]
fn settings_come_from_defaults_or_from_the_proxy() {
    let (one, two, three) = (free_port(), free_port(), free_port());
    let _h = serve(
        &format!(
            "  stats uri /d\n  stats refresh 4\n  stats auth a:b\n\
             listen one\n  bind 127.0.0.1:{one}\n\
             listen two\n  bind 127.0.0.1:{two}\n  stats scope two\n\
             listen three\n  bind 127.0.0.1:{three}\n  stats hide-version\n"
        ),
        &[one, two, three],
    );
    assert_eq!(get(one, "/d").status, 401);
    let r = ask(one, "GET /d HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YTpi\r\n\r\n");
    assert_eq!((r.status, r.field("refresh")), (200, Some("4")));
    // A line of its own replaces all of them, even one that makes no page.
    let r = get(two, "/haproxy?stats;csv");
    assert_eq!((r.status, r.field("refresh"), get(two, "/d").status), (200, None, 503));
    assert!(r.text().contains("\ntwo,") && !r.text().contains("\none,"));
    assert_eq!((get(three, "/d").status, get(three, "/haproxy?stats").status), (503, 503));
}

struct Managed {
    h: Hawser,
    port: u16,
    reader: u16,
    _origin: Origin,
}

/// A page with an administrator, and one with a reader, of the same servers.
fn managed() -> Managed {
    let (port, reader) = (free_port(), free_port());
    let origin = Origin::fixed("a", "hello");
    let h = serve(
        &format!(
            "frontend f\n  bind 127.0.0.1:{port}\n  stats uri /s\n  stats admin if {{ src 127.0.0.1 }}\n\
             \x20 default_backend b\n\
             frontend r\n  bind 127.0.0.1:{reader}\n  stats uri /s\n  stats admin unless {{ src 127.0.0.1 }}\n\
             backend b\n  id 77\n  server x 127.0.0.1:{0}\n  server y 127.0.0.1:{0} check inter 100ms\n\
             \x20 server z 127.0.0.1:{0} track b/y\n",
            origin.port()
        ),
        &[port, reader],
    );
    Managed { h, port, reader, _origin: origin }
}

impl Managed {
    fn order(&self, body: &str) -> String {
        post(self.port, "/s", body).replace("/s;st=", "")
    }

    fn status(&self, server: &str) -> String {
        column(self.port, "/s", &format!("b,{server}"), "status")
    }
}

#[test]
fn administrators_change_servers() {
    let m = managed();
    for (body, outcome) in [
        ("", "NONE"),
        ("s=x", "NONE"),
        ("s=x&action=maint", "NONE"),
        ("s=x&b=b", "NONE"),
        ("action=maint&b=b", "NONE"),
        ("s=x&action=maint&b=nobody", "ERRP"),
        ("s=x&action=maint&b=f", "ERRP"),
        ("s=x&action=maint&b=%2378", "ERRP"),
        ("s=nobody&action=maint&b=b", "ERRP"),
        ("s=x&action=&b=b", "ERRP"),
        ("s=x&action=what&b=b", "ERRP"),
        ("s=x&action=eagent&b=b", "NONE"),
        ("s=z&action=hdown&b=b", "NONE"),
        ("s=x&action=dhlth&b=b", "NONE"),
        ("s=x&action=enable&b=b", "NONE"),
    ] {
        assert_eq!(m.order(body), outcome, "{body}");
        assert_eq!(m.status("x"), "no check", "{body}");
    }
    for (body, outcome, status) in [
        ("s=x&action=maint&b=b", "DONE", "MAINT"),
        ("s=x&action=maint&b=b", "DONE", "MAINT"),
        ("b=%2377&s=x&s=nobody&action=drain", "PART", "DRAIN"),
        ("s=x&action=ready&b=%2377", "DONE", "no check"),
        ("s=x&action=disable&b=b", "DONE", "MAINT"),
        ("s=x&action=enable&b=b", "DONE", "no check"),
        ("s=x&action=stop&b=b", "DONE", "DRAIN"),
        ("s=x&action=start&b=b", "DONE", "no check"),
        ("s=x&action=hdown&b=b", "DONE", "DOWN"),
        ("s=x&action=hnolb&b=b", "DONE", "NOLB"),
        ("s=x&action=hrunn&b=b", "DONE", "no check"),
    ] {
        assert_eq!((m.order(body).as_str(), m.status("x").as_str()), (outcome, status), "{body}");
    }
    assert!(m.h.stderr().contains("Server b/x is DOWN, changed from Web interface."), "{}", m.h.stderr());
    assert!(m.h.stderr().contains("Server b/x is going DOWN for maintenance ('disable' on stats page)."));
    // The page shows what can be done, and what was.
    let html = get(m.port, "/s;st=PART;norefresh").text();
    assert!(html.contains("<form method=\"post\">") && html.contains("name=\"b\" value=\"#77\""), "{html}");
    assert!(html.contains("type=\"checkbox\" name=\"s\" value=\"x\"") && html.contains("[X]"));
    // Where it was asked for, the way back is the same.
    assert_eq!(post(m.port, "/s;up;scope=be", ""), "/s;st=NONE;up?scope=be");
}

#[test]
fn checks_go_on_from_what_was_forced() {
    let m = managed();
    let stays =
        |status: &str| (0..3).all(|_| (hawser_testkit::pause(120), m.status("y").starts_with(status)).1);
    assert!(until(20_000, || m.status("y") == "UP"));
    assert_eq!(m.order("s=y&action=dhlth&b=b"), "DONE");
    assert_eq!(m.status("y"), "no check");
    assert_eq!(m.order("s=y&action=hdown&b=b"), "DONE");
    assert!(stays("DOWN"), "{}", m.status("y"));
    assert_eq!(m.status("z"), "DOWN");
    assert_eq!(m.order("s=y&action=ehlth&b=b"), "DONE");
    assert!(until(20_000, || m.status("y") == "UP" && m.status("z") == "UP"));
    // Two good checks take it up again.
    assert_eq!(m.order("s=y&action=hdown&b=b"), "DONE");
    assert!(until(20_000, || m.status("y") == "UP"));
}

#[test]
fn sessions_are_ended() {
    let (port, tcp) = (free_port(), free_port());
    let origin = Origin::raw(|mut s, _| {
        let mut b = [0; 64];
        while s.read(&mut b).is_ok_and(|n| n > 0) {}
    });
    let _h = serve(
        &format!(
            "frontend f\n  bind 127.0.0.1:{port}\n  stats uri /s\n  stats admin if TRUE\n\
             listen t\n  mode tcp\n  bind 127.0.0.1:{tcp}\n  server a 127.0.0.1:{}\n",
            origin.port()
        ),
        &[port],
    );
    let mut c = Client::connect(tcp);
    c.send("hello");
    assert!(until(20_000, || column(port, "/s", "t,a", "scur") == "1"));
    assert_eq!(post(port, "/s", "s=a&action=shutdown&b=t"), "/s;st=DONE");
    assert!(c.closed_within(20_000));
}

#[test]
fn readers_change_nothing() {
    let m = managed();
    let html = get(m.reader, "/s").text();
    assert!(html.contains("#b/x") && !html.contains("checkbox") && !html.contains("method=\"post\""));
    assert_eq!(post(m.reader, "/s", "s=x&action=maint&b=b"), "/s;st=DENY");
    assert_eq!(m.status("x"), "no check");
}

#[test]
fn orders_may_take_their_time() {
    let m = managed();
    let mut c = Client::connect(m.port);
    c.send("POST /s HTTP/1.1\r\nHost: lb\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(c.recv().status, 100);
    c.send("10\r\ns=x&action=maint\r\n");
    hawser_testkit::pause(100);
    c.send("4\r\n&b=b\r\n0\r\n\r\n");
    let r = c.recv();
    assert_eq!((r.status, r.field("location")), (303, Some("/s;st=DONE")));
    // What does not fit a buffer is refused, and the connection is of no use any more.
    assert_eq!(m.order(&format!("{}action=ready&b=b", "s=x&".repeat(8000))), "EXCD");
    assert_eq!(m.order(&format!("s={}&action=ready&b=b", "x".repeat(3000))), "ERRP");
    assert_eq!(m.status("x"), "MAINT");
}

/// HAProxy 3.4.0 carries such orders out; later versions do not.
#[test]
fn orders_of_other_sites_are_refused() {
    let m = managed();
    let order = |fields: &str| {
        let r = post_with(m.port, "/s", fields, "s=x&action=maint&b=b");
        (r.status, r.field("location").unwrap_or_default().replace("/s;st=", ""))
    };
    for evil in ["Origin: http://evil\r\n", "Origin: null\r\n", "Referer: http://evil/lb\r\n"] {
        assert_eq!(order(evil), (303, "DENY".into()), "{evil}");
        assert_eq!(m.status("x"), "no check", "{evil}");
    }
    assert_eq!(order("Origin: http://lb\r\nReferer: http://evil/\r\n"), (303, "DONE".into()));
    assert_eq!(m.status("x"), "MAINT");
}

/// HAProxy 3.4.0 changes servers outside of the scope too; later versions do not.
#[test]
fn orders_stay_within_the_scope() {
    let port = free_port();
    let _h = serve(
        &format!(
            "frontend all\n  bind 127.0.0.1:{port}\n  stats uri /all\n  default_backend mine\n\
             backend mine\n  stats uri /s\n  stats scope .\n  stats admin if TRUE\n  server x 127.0.0.1:1\n\
             backend other\n  id 99\n  server x 127.0.0.1:1\n"
        ),
        &[port],
    );
    for body in ["s=x&action=maint&b=other", "s=x&action=maint&b=%2399", "s=x&action=maint&b=nobody"] {
        assert_eq!(post(port, "/s", body), "/s;st=DENY", "{body}");
    }
    assert_eq!(column(port, "/all", "other,x", "status"), "no check");
    assert_eq!(post(port, "/s", "s=x&action=maint&b=mine"), "/s;st=DONE");
    assert_eq!(column(port, "/all", "mine,x", "status"), "MAINT");
}

#[test]
fn words_of_a_uri_are_not_shown_as_html() {
    let m = managed();
    for path in ["/s?scope=<b>", "/s;scope=\"><script>", "/s;st=<b>x", "/s?scope=%3Cb%3E"] {
        let r = ask(m.port, format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let html = r.text();
        assert!(
            !html.contains("scope=<b>") && !html.contains("value=\"<") && !html.contains("\"><script"),
            "{path}"
        );
        assert!(!html.contains("%3Cb"), "{path}: {html}");
    }
}

#[test]
fn checks_of_the_statistics() {
    let (port, nobody) = (free_port(), free_port());
    let origin = Origin::fixed("a", "hello");
    let h = serve(
        &format!(
            "listen l\n  bind 127.0.0.1:{port}\n  stats uri /s\n  stats admin if TRUE\n\
             \x20 server good 127.0.0.1:{0} check inter 100ms\n\
             \x20 server bad 127.0.0.1:{nobody} check inter 100ms\n\
             \x20 server off 127.0.0.1:{0} check inter 100ms disabled\n",
            origin.port()
        ),
        &[port],
    );
    let value = |row: &str, name: &str| column(port, "/s", row, name);
    assert!(until(20_000, || value("l,good", "status") == "UP" && value("l,bad", "status") == "DOWN"));
    // A server that was never up has not failed; one that is fails once, until it is down.
    assert_eq!((value("l,bad", "chkfail"), value("l,bad", "chkdown")), ("0".into(), "1".into()));
    for name in ["check_status", "check_desc", "check_rise", "check_health", "last_chk"] {
        assert_eq!(value("l,off", name), "", "{name}");
    }
    assert_eq!(value("l,off", "chkfail"), "0");
    post(port, "/s", "s=good&b=l&action=maint");
    assert_eq!(value("l,good", "check_status"), "");
    // Levels below that of operators see neither addresses nor algorithms.
    assert_eq!((value("l,bad", "addr"), value("l,BACKEND", "algo")), (String::new(), String::new()));
    assert!(command(&h, "show stat").contains(&format!("127.0.0.1:{nobody}")));
}

#[test]
fn long_lists_are_whole() {
    let port = free_port();
    let _h = serve(
        &format!(
            "listen l\n  bind 127.0.0.1:{port}\n  stats uri /s\n  stats admin if TRUE\n\
             \x20 server-template t 1-175 127.0.0.1:1\nbackend b\n  server-template u 1-50 127.0.0.1:1\nbackend none\n"
        ),
        &[port],
    );
    let html = get(port, "/s").text();
    let of = |part: &str| html.matches(part).count();
    assert_eq!(
        [of("value=\"t"), of("value=\"u"), of("method=\"post\""), of("hidden\" name=\"b\"")],
        [175, 50, 2, 2]
    );
    assert_eq!([of("<tr class=\"backend\">"), of("<tr class=\"frontend\">"), of("class=px")], [3, 1, 3]);
    let csv = get(port, "/s;csv").text();
    let names: Vec<&str> = csv.lines().skip(1).filter_map(|l| l.split(',').nth(1)).collect();
    assert_eq!(
        (names.len(), names[0], names[175], names[176]),
        (1 + 175 + 1 + 50 + 1 + 1, "FRONTEND", "t175", "BACKEND")
    );
}

//! `show stat`: columns, filters, formats, and what is counted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hawser_testkit::h2::H2Server;
use hawser_testkit::h2client::{H2, request};
use hawser_testkit::wire::{ask, get};
use hawser_testkit::{Client, Hawser, Origin, api, binary, free_port, until};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// The columns of HAProxy 3.4 in their order.
const HEADER: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,\
status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,\
rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,\
req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,\
ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,\
agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,\
connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,\
safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,agg_check_status,srid,\
sess_other,h1sess,h2sess,h3sess,req_other,h1req,h2req,h3req,proto,priv_idle_cur,reqbin,reqbout,resbin,resbout,-,\
ssl_sess,ssl_reused_sess,ssl_failed_handshake,ssl_ocsp_staple,ssl_failed_ocsp_staple,h2_headers_rcvd,h2_data_rcvd,\
h2_settings_rcvd,h2_rst_stream_rcvd,h2_goaway_rcvd,h2_detected_conn_protocol_errors,h2_detected_strm_protocol_errors,\
h2_rst_stream_resp,h2_goaway_resp,h2_open_connections,h2_backend_open_streams,h2_total_connections,\
h2_backend_total_streams,h1_open_connections,h1_open_streams,h1_total_connections,h1_total_streams,h1_bytes_in,\
h1_bytes_out,h1_spliced_bytes_in,h1_spliced_bytes_out,";

struct Setup {
    h: Hawser,
    fe: u16,
    li: u16,
    _o: Origin,
}

fn setup() -> Setup {
    let (fe, li) = (free_port(), free_port());
    let o = Origin::fixed("a", "hello");
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\n  maxconn 100\n\
         defaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n\
         frontend fe\n  bind 127.0.0.1:{fe} name one\n  maxconn 50\n  option socket-stats\n\
         \x20 http-request return status 204 if {{ path /own }}\n  http-request deny if {{ path /no }}\n\
         \x20 use_backend be\n\
         listen li\n  id 20\n  bind 127.0.0.1:{li}\n  mode tcp\n  balance source\n  fullconn 77\n\
         \x20 server a 127.0.0.1:{0} weight 5 maxconn 10 maxqueue 8\n  server b 127.0.0.1:1 disabled\n\
         \x20 server c 127.0.0.1:1 check inter 100ms fall 1 backup\n\
         backend be\n  balance roundrobin\n  server s1 127.0.0.1:{0}\n  server s2 127.0.0.1:{0} id 9\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let socket = h.dir().join("st");
    // No probe of a port must be counted.
    assert!(until(20_000, || UnixStream::connect(&socket).is_ok()), "{}", h.stderr());
    Setup { h, fe, li, _o: o }
}

impl Setup {
    fn cli(&self, line: &str) -> String {
        self.h.cli("st", line)
    }

    /// The value of a column in the row of a proxy and a name.
    fn value(&self, px: &str, sv: &str, column: &str) -> String {
        api::column(&self.cli("show stat"), &format!("{px},{sv}"), column)
    }

    fn number(&self, px: &str, sv: &str, column: &str) -> u64 {
        self.value(px, sv, column).parse().unwrap()
    }
}

/// Names of the rows of a CSV dump.
fn rows(text: &str) -> Vec<String> {
    let lines = text.lines().skip(1).filter(|l| !l.is_empty());
    lines.map(|l| l.split(',').take(2).collect::<Vec<_>>().join("/")).collect()
}

#[test]
fn columns_stand_where_tools_expect_them() {
    let s = setup();
    let text = s.cli("show stat");
    assert_eq!(text.lines().next().unwrap(), HEADER);
    for line in text.lines().filter(|l| !l.is_empty()) {
        assert_eq!(line.matches(',').count(), HEADER.matches(',').count(), "{line}");
    }
    let all = [
        "fe/FRONTEND",
        "fe/one",
        "li/FRONTEND",
        "li/a",
        "li/b",
        "li/c",
        "li/BACKEND",
        "be/s1",
        "be/s2",
        "be/BACKEND",
    ];
    assert_eq!(rows(&text), all);
}

#[test]
fn words_select_rows_and_formats() {
    let s = setup();
    assert!(until(20_000, || s.value("li", "c", "status") == "DOWN"));
    let shown = |line: &str| rows(&s.cli(line));
    assert_eq!(shown("show stat li 4 -1"), ["li/a", "li/b", "li/c"]);
    assert_eq!(shown("show stat 20 2 -1"), ["li/BACKEND"]);
    assert_eq!(shown("show stat -1 4 9"), ["be/s2"]);
    assert_eq!(shown("show stat fe -1 -1"), ["fe/FRONTEND", "fe/one"]);
    assert_eq!(s.cli("show stat nobody 1 -1"), "No such proxy.\n\n");
    let servers = |text: &str| {
        let rows = rows(text).into_iter().filter(|r| r.starts_with("li/") && !r.ends_with("END"));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(servers(&s.cli("show stat no-maint")), ["li/a", "li/c"]);
    assert_eq!(servers(&s.cli("show stat up")), ["li/a"]);
    assert!(s.cli("show stat up").contains(",UP (1/3),"));
    let typed = s.cli("show stat be 2 -1 typed");
    assert!(
        typed.contains(".0.0.pxname.1:KNSV:str:be\n") && typed.contains(".0.19.act.1:MGPV:u32:2\n"),
        "{typed}"
    );
    assert!(typed.lines().all(|l| l.is_empty() || l.starts_with("B.")), "{typed}");
    assert!(s.cli("show stat be 2 -1 typed desc").lines().all(|l| l.is_empty() || l.ends_with('"')));
    let json = s.cli("show stat be 2 -1 json");
    let head = "[[{\"objType\":\"Backend\",\"proxyId\":";
    assert!(json.starts_with(head) && json.ends_with("}]]\n\n"), "{json}");
    assert!(
        s.cli("show schema json").starts_with("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",")
    );
}

#[test]
fn http2_is_counted_by_side() {
    let port = free_port();
    let o = Origin::raw(|io, _| {
        let _: std::io::Result<()> = H2Server::accept(io, &[]).and_then(|mut c| {
            loop {
                let (stream, _) = c.request()?;
                c.respond(stream, b"ok")?;
            }
        });
    });
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\n\
         defaults\n  mode http\n  timeout connect 2s\n  timeout client 8s\n  timeout server 8s\n\
         listen l\n  bind 127.0.0.1:{port} proto h2\n  http-reuse always\n  server s 127.0.0.1:{} proto h2\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let socket = h.dir().join("st");
    assert!(until(20_000, || UnixStream::connect(&socket).is_ok()), "{}", h.stderr());
    let s = Setup { h, fe: port, li: 0, _o: o };
    let mut c = H2::connect(port);
    for stream in [1, 3] {
        c.headers(stream, &request("POST", "/"), false);
        c.data(stream, b"x", true);
        assert_eq!(c.outcome(stream).status(), 200);
    }
    let mut bad = request("GET", "/").to_vec();
    bad.push(("connection", "close"));
    c.headers(5, &bad, true);
    assert!(c.outcome(5).reset.is_some());
    assert!(until(20_000, || s.number("l", "BACKEND", "h2_backend_open_streams") == 0));
    for (sv, column, want) in [
        ("FRONTEND", "h2_headers_rcvd", 3),
        ("FRONTEND", "h2_data_rcvd", 2),
        ("FRONTEND", "h2_rst_stream_rcvd", 0),
        ("FRONTEND", "h2_detected_strm_protocol_errors", 1),
        ("FRONTEND", "h2_detected_conn_protocol_errors", 0),
        ("FRONTEND", "h2_rst_stream_resp", 1),
        ("FRONTEND", "h2_goaway_resp", 0),
        ("FRONTEND", "h2_open_connections", 1),
        ("FRONTEND", "h2_total_connections", 1),
        ("FRONTEND", "req_tot", 2),
        ("FRONTEND", "ereq", 0),
        ("BACKEND", "h2_headers_rcvd", 2),
        ("BACKEND", "h2_data_rcvd", 2),
        ("BACKEND", "h2_open_connections", 1),
        ("BACKEND", "h2_total_connections", 1),
        ("BACKEND", "h2_backend_total_streams", 2),
        ("BACKEND", "h1_open_connections", 0),
        ("BACKEND", "h1_total_connections", 0),
        ("BACKEND", "h1_total_streams", 0),
        ("BACKEND", "h1_bytes_in", 0),
        ("BACKEND", "h1_bytes_out", 0),
    ] {
        assert_eq!(s.number("l", sv, column), want, "{column} of {sv}");
    }
}

#[test]
fn what_happens_is_counted() {
    let s = setup();
    for (path, status) in [("/", 200), ("/", 200), ("/own", 204), ("/no", 403)] {
        assert_eq!(get(s.fe, path).status, status);
    }
    ask(s.fe, "GET / HTTP/1.1 bad\r\n\r\n");
    let mut open = Client::connect(s.fe);
    assert_eq!(open.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    assert_eq!(get(s.li, "/").status, 200);
    // A stream's counts appear when it ends.
    assert!(until(20_000, || s.number("li", "FRONTEND", "bout") > 0));
    for (px, sv, column, want) in [
        ("fe", "FRONTEND", "stot", 6),
        ("fe", "FRONTEND", "scur", 1),
        ("fe", "FRONTEND", "slim", 50),
        ("fe", "FRONTEND", "h1sess", 6),
        ("fe", "FRONTEND", "hrsp_2xx", 4),
        ("fe", "FRONTEND", "hrsp_4xx", 2),
        ("fe", "FRONTEND", "dreq", 1),
        ("fe", "FRONTEND", "ereq", 1),
        ("fe", "FRONTEND", "intercepted", 1),
        ("fe", "FRONTEND", "h1_open_connections", 1),
        ("fe", "one", "stot", 6),
        ("li", "FRONTEND", "sess_other", 1),
        ("li", "FRONTEND", "slim", 100),
        ("li", "BACKEND", "slim", 77),
        ("li", "a", "qlimit", 8),
        ("li", "a", "slim", 10),
        ("li", "a", "weight", 5),
        ("li", "a", "stot", 1),
        ("be", "s1", "hrsp_2xx", 2),
        ("be", "s2", "lbtot", 1),
        ("be", "BACKEND", "stot", 3),
        ("be", "BACKEND", "act", 2),
    ] {
        assert_eq!(s.number(px, sv, column), want, "{column} of {px}/{sv}");
    }
    for (px, sv, column, want) in [
        ("fe", "FRONTEND", "status", "OPEN"),
        ("li", "b", "status", "MAINT"),
        ("be", "s1", "status", "no check"),
        ("li", "BACKEND", "algo", "source"),
        ("li", "BACKEND", "mode", "tcp"),
        ("fe", "one", "proto", "tcpv4"),
        ("be", "s1", "qlimit", ""),
        ("li", "a", "hrsp_2xx", ""),
    ] {
        assert_eq!(s.value(px, sv, column), want, "{column} of {px}/{sv}");
    }
    assert!(s.number("fe", "FRONTEND", "bin") > 100 && s.number("be", "BACKEND", "bout") > 100);
}

/// `option contstats`: bytes are counted while they pass, not only when their stream ends.
#[test]
fn bytes_are_counted_while_they_pass() {
    let o = Origin::raw(|mut s, _| {
        let mut b = [0; 64];
        while let Ok(n @ 1..) = s.read(&mut b) {
            let _ = s.write_all(&b[..n]);
        }
    });
    let deaf = Origin::raw(|mut s, _| _ = s.read_to_end(&mut Vec::new()));
    let [often, once, http] = [free_port(), free_port(), free_port()];
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\ndefaults\n  mode tcp\n  timeout connect 2s\n  timeout client 60s\n  \
         timeout server 60s\nlisten often\n  bind 127.0.0.1:{often}\n  option contstats\n  option socket-stats\n  \
         server s 127.0.0.1:{0}\nlisten once\n  bind 127.0.0.1:{once}\n  server s 127.0.0.1:{0}\n\
         listen http\n  mode http\n  bind 127.0.0.1:{http}\n  option contstats\n  server s 127.0.0.1:{1}\n",
        o.port(),
        deaf.port()
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let number = |row: &str, column: &str| -> u64 {
        api::column(&h.cli("st", "show stat"), row, column).parse().unwrap()
    };
    assert_eq!(number("often,FRONTEND", "bin"), 0);
    let [mut a, mut b] = [Client::connect(often), Client::connect(once)];
    for c in [&mut a, &mut b] {
        c.send("hello");
        assert_eq!(c.take(5), b"hello");
    }
    let known = |row: &str| (number(row, "bin"), number(row, "bout"));
    // HAProxy does it every five seconds.
    let all = || ["BACKEND", "FRONTEND", "s", "sock-1"].map(|name| known(&format!("often,{name}")));
    assert!(until(20_000, || all() == [(5, 5); 4]), "{:?}", all());
    assert_eq!(known("once,FRONTEND"), (0, 0));
    drop((a, b));
    assert!(until(20_000, || known("once,s") == (5, 5)));
    assert!(until(20_000, || number("often,s", "scur") == 0));
    assert_eq!([known("often,FRONTEND"), known("often,BACKEND"), known("often,s")], [(5, 5); 3]);
    // A body that is on its way.
    let mut c = Client::connect(http);
    c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n").send(vec![b'x'; 500]);
    assert!(until(20_000, || number("http,s", "bin") >= 500), "{}", number("http,s", "bin"));
}

/// A request's body was received whatever became of the response.
#[test]
fn bodies_of_failed_requests_are_counted() {
    let o = Origin::raw(|mut s, _| {
        let (mut all, mut b) = (Vec::new(), [0; 4096]);
        while let Ok(n @ 1..) = s.read(&mut b) {
            all.extend(&b[..n]);
            if all.ends_with(b"abc") && !all.starts_with(b"POST /silent") {
                let _ = s.write_all(b"HTTP/1.1 200 OK\r\nX-No: 1\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    let port = free_port();
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 5s\n  \
         timeout server 2s\nlisten l\n  bind 127.0.0.1:{port}\n  http-response deny if {{ res.hdr(x-no) 1 }}\n  \
         server s 127.0.0.1:{}\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[port]);
    let received = || -> Vec<u64> {
        let csv = h.cli("st", "show stat");
        ["FRONTEND", "s", "BACKEND"]
            .iter()
            .map(|n| api::column(&csv, &format!("l,{n}"), "bin").parse().unwrap())
            .collect()
    };
    let body = format!("{}abc", "x".repeat(1997));
    for (n, (path, status)) in [("/silent", 504), ("/denied", 502)].into_iter().enumerate() {
        let mut c = Client::connect(port);
        // Head and body come apart, or they would be counted at once.
        c.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"));
        hawser_testkit::pause(50);
        c.send(&body);
        assert_eq!(c.recv().status, status);
        drop(c);
        let least = 2000 * (n as u64 + 1);
        assert!(until(20_000, || received().iter().all(|b| *b > least)), "{path}: {:?}", received());
    }
}

/// Who is dropped was denied something, whichever rules did it; to be hung up on is an answer too.
#[test]
fn dropped_clients_are_counted() {
    let [http, tcp] = [free_port(), free_port()];
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\ndefaults\n  mode http\n  timeout client 2s\n\
         frontend f\n  bind 127.0.0.1:{http}\n  option socket-stats\n  http-request reject if {{ path /reject }}\n  \
         http-request silent-drop\nfrontend t\n  bind 127.0.0.1:{tcp}\n  option socket-stats\n  \
         tcp-request connection silent-drop\n"
    );
    let h = Hawser::start(bin(), &cfg, &[]);
    let counts = |row: &str| {
        let csv = h.cli("st", "show stat");
        ["dreq", "hrsp_other", "dcon"].map(|c| api::column(&csv, row, c)).join(" ")
    };
    assert_eq!(counts("f,FRONTEND"), "0 0 0");
    for (path, seen) in [("/reject", "1 1 0"), ("/drop", "2 2 0")] {
        let mut c = Client::connect(http);
        c.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(until(3000, || counts("f,FRONTEND") == seen), "{path}: {}", counts("f,FRONTEND"));
    }
    assert!(counts("f,sock-1").starts_with("2 "), "{}", counts("f,sock-1"));
    let _c = Client::connect(tcp);
    assert!(until(3000, || counts("t,FRONTEND") == "1 0 0"), "{}", counts("t,FRONTEND"));
}

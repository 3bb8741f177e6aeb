//! Stick tables: what they count, whom they keep on which server, what the runtime API makes of them.

use hawser_testkit::wire::{ask, get};
use hawser_testkit::{Client, Hawser, Origin, binary, free_port, until};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// What all configurations begin with.
const HEAD: &str = "global\n  stats socket {dir}/st level admin\ndefaults\n  mode http\n  timeout connect 2s\n  \
                    timeout client 5s\n  timeout server 5s\n  balance roundrobin\n";

/// The answer of the runtime API, without empty lines.
fn cli(h: &Hawser, line: &str) -> Vec<String> {
    h.cli("st", line).lines().filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

/// A table's entries: what follows the key, without its expiry.
fn entries(h: &Hawser, table: &str) -> Vec<String> {
    let part = |l: &String| {
        let (_, rest) = l.split_once(": ")?;
        let words = rest.split(' ').filter(|w| !w.starts_with("exp=") && !w.starts_with("shard="));
        Some(words.collect::<Vec<_>>().join(" "))
    };
    cli(h, &format!("show table {table}")).iter().skip(1).filter_map(part).collect()
}

/// A request with a key in a field.
fn keyed(port: u16, path: &str, key: &str) -> hawser_testkit::wire::Response {
    ask(port, format!("GET {path} HTTP/1.1\r\nHost: x\r\nX-Key: {key}\r\n\r\n"))
}

/// An origin that answers `/NNN` with that status, and tells its name.
fn origin(name: &'static str) -> Origin {
    Origin::http(move |r| {
        let path = r.line().split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let status = path.parse::<u16>().unwrap_or(200);
        let cookie =
            path.strip_prefix("set/").map(|k| format!("Set-Cookie: sid={k}\r\n")).unwrap_or_default();
        format!("HTTP/1.1 {status} X\r\n{cookie}X-Name: {name}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    })
}

#[test]
fn counters_tell_what_clients_do() {
    let (o, p) = (origin("o"), free_port());
    let cfg = format!(
        "{HEAD}frontend f\n  bind 127.0.0.1:{p}\n  \
         stick-table type ip size 100 expire 1m store conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,glitch_cnt\n  \
         tcp-request connection track-sc0 src\n  http-request track-sc1 path table paths\n  \
         http-request deny if {{ path /deny }}\n  http-request return status 404 if {{ path /own }}\n  \
         http-request auth if {{ path /auth }}\n  http-request sc-inc-gpc0(1) if {{ path /200 }}\n  \
         http-request sc-add-gpc(1,1) 5 if {{ path /200 }}\n  http-request sc-set-gpt0(1) 9 if {{ path /200 }}\n  \
         http-after-response set-header x-now %[sc0_http_req_cnt],%[sc0_tracked],%[sc1_key],%[sc1_get_gpc0],%[sc_get_gpc(1,1)]\n  \
         default_backend b\nbackend b\n  server s 127.0.0.1:{}\n\
         backend paths\n  stick-table type string len 20 size 100 expire 1m store http_req_cnt,gpc(2),gpt(1)\n",
        o.port()
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let status = |path| get(p, path).status;
    assert_eq!(
        ["/200", "/404", "/500", "/501", "/deny", "/own", "/auth"].map(status),
        [200, 404, 500, 501, 403, 404, 401]
    );
    let r = get(p, "/200");
    assert_eq!(r.field("x-now"), Some("8,1,/200,2,10"));
    assert_eq!(ask(p, "GET / HTTP/1.1\r\nbad field\r\n\r\n").status, 400);
    let counted = "key=127.0.0.1 use=0 conn_cnt=9 conn_cur=0 sess_cnt=9 http_req_cnt=9 http_err_cnt=4 http_fail_cnt=1 glitch_cnt=1";
    assert!(until(20_000, || entries(&h, "f") == [counted]), "{:?}", entries(&h, "f"));
    let path = "key=/200 use=0 http_req_cnt=2 gpt0=9 gpc0=2 gpc1=10";
    assert!(entries(&h, "paths").iter().any(|e| e == path), "{:?}", entries(&h, "paths"));
}

#[test]
fn an_idle_connection_keeps_its_entry() {
    let p = free_port();
    let cfg = format!(
        "{HEAD}frontend f\n  bind 127.0.0.1:{p}\n  stick-table type ip size 1 expire 100ms store conn_cur\n  \
         tcp-request connection track-sc0 src\n  http-request return status 200\n"
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let mut c = Client::connect(p);
    c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(until(20_000, || entries(&h, "f") == ["key=127.0.0.1 use=1 conn_cur=1"]));
    // Long beyond its time.
    hawser_testkit::pause(400);
    assert_eq!(entries(&h, "f"), ["key=127.0.0.1 use=1 conn_cur=1"]);
    assert_eq!(cli(&h, "clear table f key 127.0.0.1"), ["Entry currently in use, cannot remove"]);
    assert_eq!(cli(&h, "set table f key 10.0.0.1"), ["Unable to allocate a new entry"]);
    drop(c);
    assert!(until(20_000, || entries(&h, "f").is_empty()), "{:?}", entries(&h, "f"));
    assert_eq!(cli(&h, "show table"), ["# table: f, type: ip, size:1, used:0"]);
}

/// HAProxy forgets one of the older entries here, not always the oldest.
#[test]
fn full_tables_forget_the_oldest_or_refuse() {
    let p = free_port();
    let cfg = format!(
        "{HEAD}frontend f\n  bind 127.0.0.1:{p}\n  http-request track-sc0 hdr(x-key) table two\n  \
         http-request track-sc1 hdr(x-key) table keeps\n  http-request return status 200 \
         hdr x-in %[sc0_http_req_cnt],%[sc1_http_req_cnt],%[table_cnt(two)],%[table_avl(keeps)],%[hdr(x-key),in_table(keeps)]\n\
         backend two\n  stick-table type string size 2 expire 1m store http_req_cnt\n\
         backend keeps\n  stick-table type string size 2 expire 1m nopurge store http_req_cnt\n"
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let idle = || ["two", "keeps"].iter().all(|t| entries(&h, t).iter().all(|e| e.contains("use=0")));
    let seen = |key| {
        // Whoever was answered before may still be at it; tables tell moments apart by the millisecond.
        assert!(until(20_000, idle));
        hawser_testkit::pause(5);
        keyed(p, "/", key).field("x-in").map(str::to_owned)
    };
    let all: Vec<_> = ["a", "b", "a", "c", "a", "b"].map(seen).into_iter().flatten().collect();
    assert_eq!(all, ["1,1,1,1,1", "1,1,2,0,1", "2,2,2,0,1", "1,,2,0,0", "3,3,2,0,1", "1,2,2,0,1"]);
}

#[test]
fn clients_stick_to_their_servers() {
    let (a, b, c, p) = (origin("a"), origin("b"), origin("c"), free_port());
    let (a, b, c) = (a.port(), b.port(), c.port());
    let cfg = format!(
        "{HEAD}frontend f\n  bind 127.0.0.1:{p}\n  use_backend match if {{ path_beg /match }}\n  \
         use_backend learn if {{ path_beg /set/ /learn }}\n  use_backend addr if {{ path_beg /addr }}\n  \
         use_backend free if {{ path_beg /free }}\n  default_backend on\n\
         backend on\n  stick-table type string size 100 expire 1m\n  stick on hdr(x-key)\n  \
         server a 127.0.0.1:{a} id 11\n  server b 127.0.0.1:{b} id 12\n\
         backend free\n  stick on hdr(x-key) table on\n  server c 127.0.0.1:{c} non-stick\n\
         backend match\n  stick match hdr(x-key) table on\n  server z 127.0.0.1:{c} id 12\n  server y 127.0.0.1:{b} id 11\n\
         backend learn\n  stick-table type string size 100 expire 1m\n  stick store-response res.cook(sid)\n  \
         stick match req.cook(sid)\n  server a 127.0.0.1:{a}\n  server b 127.0.0.1:{b}\n\
         backend addr\n  stick-table type string size 100 expire 1m srvkey addr\n  stick on hdr(x-key)\n  \
         server a 127.0.0.1:{a}\n  server b 127.0.0.1:{b}\n"
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let name = |path: &str, key: &str| keyed(p, path, key).field("x-name").unwrap_or("-").to_owned();
    let (one, two) = (name("/", "1"), name("/", "2"));
    assert_ne!(one, two, "round robin");
    assert_eq!(
        ["1", "1", "2", "1", "2"].map(|k| name("/", k)),
        [&one, &one, &two, &one, &two].map(Clone::clone)
    );
    let id = |name: &str| if name == "a" { 11 } else { 12 };
    let entry = |key, name| format!("key={key} use=0 server_id={} server_key={name}", id(name));
    let mut listed = entries(&h, "on");
    listed.sort();
    assert_eq!(listed, [entry(1, &one), entry(2, &two)]);
    assert_eq!(name("/free", "3"), "c");
    assert_eq!(entries(&h, "on").len(), 2, "nobody sticks to that server");
    // Another backend has no servers of these names: there the ids count.
    let by_id = |name: &str| if name == "a" { "b" } else { "c" };
    assert_eq!(["1", "2", "1"].map(|k| name("/match", k)), [&one, &two, &one].map(|n| by_id(n).to_owned()));
    let (x, y) = (name("/set/x", "-"), name("/set/y", "-"));
    assert_ne!(x, y);
    let learnt = |sid: &str| {
        let request = format!("GET /learn HTTP/1.1\r\nHost: x\r\nCookie: sid={sid}\r\n\r\n");
        ask(p, request).field("x-name").unwrap_or("-").to_owned()
    };
    assert_eq!(["x", "y", "y", "x", "x"].map(learnt), [&x, &y, &y, &x, &x].map(Clone::clone));
    let (id, port) = if name("/addr", "1") == "a" { (1, a) } else { (2, b) };
    assert_eq!(entries(&h, "addr"), [format!("key=1 use=0 server_id={id} server_key=127.0.0.1:{port}")]);
    assert_eq!(name("/addr", "1"), name("/addr", "1"));
}

/// Commands and what is answered; `#` stands for the address of an entry.
#[rustfmt::skip]
const COMMANDS: &[(&str, &[&str])] = &[
    ("show table", &["# table: n, type: integer, size:2048, used:0", "# table: s, type: string, size:1024, used:0", "# table: a, type: ip, size:10, used:0"]),
    ("set table a key 1.2.3.4 data.gpc0 5 data.gpc0_rate 7", &[]),
    ("show table a", &["# table: a, type: ip, size:10, used:1", "#: key=1.2.3.4 use=0 exp=0 shard=0 gpc0=5 gpc0_rate(10000)=7"]),
    ("show table a key 1.2.3.4", &["# table: a, type: ip, size:10, used:1", "#: key=1.2.3.4 use=0 exp=0 shard=0 gpc0=5 gpc0_rate(10000)=7"]),
    ("show table a key 1.2.3.5", &[]),
    ("show table a data.gpc0 gt 5", &["# table: a, type: ip, size:10, used:1"]),
    ("show table a data.gpc0 ge 5 data.gpc0_rate eq 7", &["# table: a, type: ip, size:10, used:1", "#: key=1.2.3.4 use=0 exp=0 shard=0 gpc0=5 gpc0_rate(10000)=7"]),
    ("set table a key x", &["Invalid key"]),
    ("set table a key ::ffff:1.2.3.4 data.gpc0 -1", &[]),
    ("clear table a data.gpc0 gt 1", &[]),
    ("show table a", &["# table: a, type: ip, size:10, used:0"]),
    ("set table s key k data.gpc[1] 4 data.gpt[0] 9", &[]),
    ("show table s data.gpc[1] eq 4", &["# table: s, type: string, size:1024, used:1", "#: key=k use=0 exp=0 shard=0 gpt0=9 gpc0=0 gpc1=4"]),
    ("set table s key k data.gpc[2] 4", &["index out of range in this data array"]),
    ("set table s key k data.gpc0 4", &["Data type not stored in this table"]),
    ("set table s key k data.nope 4", &["Unknown data type"]),
    ("set table s key k data.gpc[1] x", &["Require a valid integer value to store"]),
    ("set table s key k x", &["\"data.<type>\" followed by a value expected"]),
    ("clear table s key k", &[]),
    ("show table s", &["# table: s, type: string, size:1024, used:0"]),
    ("set table n key 99", &[]),
    ("show table n", &["# table: n, type: integer, size:2048, used:1", "#: key=99 use=0 exp=0 shard=0 conn_cnt=0"]),
    ("show table nope", &["No such table"]),
    ("show table n data.x eq 1", &["Filter entry #1: Unknown data type"]),
    ("show table n data.conn_cnt is 1", &["Filter entry #1: Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\""]),
    ("show table n data.conn_cnt eq", &["Filter entry #1: Require a valid integer value to compare against"]),
    ("show table n ptr 12", &["Pointer expected (0xffff notation)"]),
    ("show table n ptr 0x12", &["No entry can be found matching ptr."]),
    ("show table n key", &["Key value expected"]),
];

#[test]
fn the_runtime_api_shows_and_changes_tables() {
    let p = free_port();
    let cfg = format!(
        "{HEAD}frontend a\n  bind 127.0.0.1:{p}\n  stick-table type ip size 10 store gpc0,gpc0_rate(10s)\n\
         backend s\n  stick-table type string size 1k store gpc(2),gpt(1)\n\
         backend n\n  stick-table type integer size 2k store conn_cnt\n"
    );
    let h = Hawser::start(bin(), &cfg, &[p]);
    let plain = |l: &String| match l.strip_prefix("0x") {
        Some(rest) => format!("#{}", rest.trim_start_matches(|c: char| c.is_ascii_hexdigit())),
        None => l.clone(),
    };
    for (command, expected) in COMMANDS {
        let answer: Vec<_> = cli(&h, command).iter().map(plain).collect();
        assert_eq!(answer, *expected, "{command}");
    }
    let line = cli(&h, "show table n").remove(1);
    let pointer = line.split(':').next().unwrap();
    assert_eq!(cli(&h, &format!("clear table n ptr {pointer}")), [""; 0]);
    assert_eq!(cli(&h, "show table n").len(), 1);
}

/// The key that is tracked in one table is looked up in another only if keys are the same there.
#[test]
fn other_tables_are_asked_for_keys_of_the_same_kind() {
    let p = free_port();
    let cfg = format!(
        "{HEAD}frontend f\n  bind 127.0.0.1:{p}\n  http-request track-sc0 hdr(x-key) table one\n  \
         http-request track-sc1 hdr(x-key) table two\n  http-request track-sc2 hdr(x-key) table longer\n  \
         http-request sc-inc-gpc0(1)\n  http-request sc-inc-gpc0(2)\n  http-request return status 200 \
         hdr x-in %[sc0_get_gpc0(two)],%[sc0_tracked(two)],%[sc0_get_gpc0(longer)],%[sc0_tracked(longer)]\n\
         backend one\n  stick-table type string len 9 size 9 store conn_cnt\n\
         backend two\n  stick-table type string len 9 size 9 store gpc0\n\
         backend longer\n  stick-table type string len 10 size 9 store gpc0\n"
    );
    let _h = Hawser::start(bin(), &cfg, &[p]);
    let seen = |key| keyed(p, "/", key).field("x-in").map(str::to_owned);
    assert_eq!([seen("key"), seen("key")], [Some("1,1,,0".into()), Some("2,1,,0".into())]);
}

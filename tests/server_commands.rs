//! Commands of the runtime API that show and change servers and counters: `set server`, `show servers state`, …

use hawser_testkit::wire::get;
use hawser_testkit::{Hawser, Origin, api, binary, free_port, until};
use std::io::{Read, Write};

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

fn ask(h: &Hawser, line: &str) -> String {
    let out = h.cli("st", line);
    out.strip_suffix('\n').unwrap_or(&out).to_owned()
}

fn start(frontend: &str, sections: &str, ports: &[u16]) -> Hawser {
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\ndefaults\n  mode http\n  timeout connect 1s\n  \
         timeout client 5s\n  timeout server 5s\nfrontend fe\n  {frontend}\n{sections}"
    );
    Hawser::start(bin(), &cfg, ports)
}

/// A column of `show stat` for a server or a proxy.
fn column(h: &Hawser, row: &str, name: &str) -> String {
    api::column(&ask(h, "show stat"), row, name)
}

#[test]
fn weights_and_their_refusals() {
    let p = free_port();
    let be = "backend be\n  balance roundrobin\n  server a 127.0.0.1:1 weight 5\nbackend st\n  id 77\n  balance static-rr\n  server b 127.0.0.1:1 weight 3\n";
    let h = start(&format!("bind 127.0.0.1:{p}\n  default_backend be"), be, &[p]);
    for (command, answer) in [
        ("get weight be/a", "5 (initial 5)\n"),
        ("get weight #77/#1", "3 (initial 3)\n"),
        ("get weight be", "Require 'backend/server'.\n"),
        ("get weight no/a", "No such backend.\n"),
        ("get weight be/no", "No such server.\n"),
        ("set weight be/a 50%", ""),
        ("get weight be/a", "2 (initial 5)\n"),
        ("set weight be/a 257", "Absolute weight can only be between 0 and 256 inclusive.\n"),
        ("set weight be/a abc", "Empty weight string empty or preceded by garbage\n"),
        ("set weight be/a", "Require <weight> or <weight%>.\n"),
        ("set server be/a weight 9", ""),
        ("get weight be/a", "9 (initial 5)\n"),
        (
            "set weight st/b 2",
            "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.\n",
        ),
        ("set weight st/b 0", ""),
        ("set weight st/b 100%", ""),
        ("user;set weight be/a 1", "\nPermission denied\n"),
        ("set maxconn server be/a 7", ""),
        ("set maxconn server be/a x", "maxconn string empty or preceded by garbage\n"),
        ("set server be/a health x", "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n"),
        ("enable health be/a", "Health check was not configured on this server, cannot enable.\n"),
        ("show backend", "# name\nbe\nst\n"),
    ] {
        assert_eq!(ask(&h, command), answer, "{command}");
    }
    assert_eq!((column(&h, "be,a", "slim"), column(&h, "be,a", "uweight")), ("7".into(), "9".into()));
}

#[test]
fn traffic_follows_states_and_addresses() {
    let (p, one, two) = (free_port(), Origin::fixed("x-o", "one"), Origin::fixed("x-o", "two"));
    let be = format!("backend be\n  server a 127.0.0.1:{}\n", one.port());
    let h = start(&format!("bind 127.0.0.1:{p}\n  default_backend be"), &be, &[p]);
    let body = || get(p, "/").text();
    assert_eq!(body(), "one");
    assert_eq!(ask(&h, "set server be/a state maint"), "");
    assert_eq!((get(p, "/").status, column(&h, "be,a", "status")), (503, "MAINT".into()));
    assert_eq!(ask(&h, "set server be/a state ready"), "");
    assert_eq!((body(), column(&h, "be,a", "status")), ("one".into(), "no check".into()));
    assert_eq!(ask(&h, "set server be/a health down"), "");
    assert_eq!(get(p, "/").status, 503);
    assert_eq!(ask(&h, "set server be/a health up"), "");
    assert_eq!(body(), "one");
    let moved = ask(&h, &format!("set server be/a addr 127.0.0.1 port {}", two.port()));
    let expected =
        format!("port changed from '{}' to '{}' by 'stats socket command'\n", one.port(), two.port());
    assert_eq!(moved, expected);
    // Idle connections lead to where the server was.
    assert_eq!(body(), "two");
    assert_eq!(ask(&h, &format!("set server be/a addr 127.0.0.1 port {}", two.port())), "nothing changed\n");
    assert_eq!(ask(&h, "set server be/a addr nowhere"), "Invalid addr 'nowhere'\n");
}

#[test]
fn a_server_without_address_gets_none() {
    let p = free_port();
    let be = "backend be\n  server a nowhere.invalid:8080 init-addr none\n";
    let h = start(&format!("bind 127.0.0.1:{p}\n  default_backend be"), be, &[p]);
    let refusal =
        "Update for the current server address family is only supported through configuration file.\n";
    assert_eq!(ask(&h, "set server be/a addr 127.0.0.1"), refusal);
    let dump = ask(&h, "show servers state be");
    assert!(dump.contains("\n3 be 1 a - 0 32 1 1 "), "{dump}");
    assert!(dump.ends_with(" nowhere.invalid 8080 - 0 0 - - 0\n"), "{dump}");
}

#[test]
fn states_are_dumped_for_the_next_process() {
    let p = free_port();
    let be = "backend be\n  server a 127.0.0.1:1 weight 5\n  server b 127.0.0.1:2 disabled id 9\n  server c localhost:3\n";
    let h = start(&format!("bind 127.0.0.1:{p}\n  default_backend be"), be, &[p]);
    let dump = ask(&h, "show servers state be");
    let lines: Vec<&str> = dump.lines().collect();
    assert_eq!((lines[0], lines.len()), ("1", 5), "{dump}");
    let columns = lines[1].strip_prefix("# ").unwrap().split(' ').count();
    assert!(lines[1].starts_with("# be_id be_name srv_id srv_name srv_addr srv_op_state"), "{dump}");
    let fields = |i: usize| lines[i].split(' ').collect::<Vec<_>>();
    assert!((2..5).all(|i| fields(i).len() == columns), "{dump}");
    let (a, b, c) = (fields(2), fields(3), fields(4));
    assert_eq!(a[..9], ["3", "be", "1", "a", "127.0.0.1", "2", "0", "5", "5"]);
    assert_eq!(b[..9], ["3", "be", "9", "b", "127.0.0.1", "0", "5", "1", "1"]);
    // Ids that are not written are places: that of a server with its own id is left out.
    assert_eq!((c[2], c[17], c[18]), ("3", "localhost", "3"));
    assert_eq!(ask(&h, "show servers state no"), "Can't find backend.\n");
}

#[test]
fn unpublished_backends_are_passed_over() {
    let (p, one, two) = (free_port(), Origin::fixed("x-o", "one"), Origin::fixed("x-o", "two"));
    let be = format!(
        "backend a\n  server s 127.0.0.1:{}\nbackend b\n  server s 127.0.0.1:{}\nbackend off\n  disabled\n",
        one.port(),
        two.port()
    );
    let fe = format!(
        "bind 127.0.0.1:{p}\n  use_backend off if TRUE\n  use_backend a if TRUE\n  default_backend b"
    );
    let h = start(&fe, &be, &[p]);
    assert_eq!(get(p, "/").text(), "one");
    assert_eq!(ask(&h, "unpublish backend a"), "Backend unpublished.\n");
    assert_eq!(get(p, "/").text(), "two");
    assert_eq!(ask(&h, "publish backend a"), "Backend published.\n");
    assert_eq!(get(p, "/").text(), "one");
    assert_eq!(ask(&h, "publish backend no"), "No such backend.\n");
}

#[test]
fn counters_start_anew() {
    let (p, origin) = (free_port(), Origin::fixed("x-o", "one"));
    let be = format!("backend be\n  server a 127.0.0.1:{}\n", origin.port());
    let h = start(&format!("bind 127.0.0.1:{p}\n  default_backend be"), &be, &[]);
    assert!(until(20_000, || std::net::TcpStream::connect(("127.0.0.1", p)).is_ok()));
    (0..3).for_each(|_| _ = get(p, "/"));
    assert!(until(20_000, || column(&h, "be,a", "stot") == "3"));
    assert_eq!(ask(&h, "clear counters"), "");
    assert_eq!((column(&h, "be,a", "stot"), column(&h, "fe,FRONTEND", "hrsp_2xx")), ("3".into(), "3".into()));
    assert_eq!(ask(&h, "operator;clear counters all"), "\nPermission denied\n");
    assert_eq!(ask(&h, "clear counters all"), "");
    for (row, name) in [
        ("be,a", "stot"),
        ("be,BACKEND", "hrsp_2xx"),
        ("fe,FRONTEND", "hrsp_2xx"),
        ("fe,FRONTEND", "conn_tot"),
    ] {
        assert_eq!(column(&h, row, name), "0", "{row} {name}");
    }
}

#[test]
fn frontends_tell_that_they_are_paused_or_stopped() {
    let p = free_port();
    let h = start(&format!("bind 127.0.0.1:{p}\n  http-request return status 200"), "", &[p]);
    let status = || column(&h, "fe,FRONTEND", "status");
    assert_eq!(status(), "OPEN");
    assert_eq!((ask(&h, "disable frontend fe"), status()), (String::new(), "PAUSED".into()));
    assert_eq!((ask(&h, "enable frontend fe"), status()), (String::new(), "OPEN".into()));
    assert_eq!((ask(&h, "shutdown frontend fe"), status()), (String::new(), "STOP".into()));
}

#[test]
fn variables_of_the_process() {
    let p = free_port();
    let h = start(
        &format!(
            "bind 127.0.0.1:{p}\n  http-request return status 200 lf-string %[var(proc.x)] content-type a/b"
        ),
        "",
        &[p],
    );
    for (command, answer) in [
        ("get var proc.x", "Variable not found.\n"),
        ("set var proc.x int(5)", "This command is restricted to experimental mode only.\n"),
        ("experimental-mode on;set var proc.x int(5);get var proc.x", "\n\nproc.x: type=sint value=<5>\n"),
        ("experimental-mode on;set var proc.x fmt %[int(1)]a", "\n"),
        ("get var proc.x", "proc.x: type=str value=<1a>\n"),
        (
            "experimental-mode on;set var txn.x int(1)",
            "\n'set var': cannot set variable 'txn.x', only scope 'proc' is permitted here.\n",
        ),
    ] {
        assert_eq!(ask(&h, command), answer, "{command}");
    }
    assert_eq!(get(p, "/").text(), "1a");
}

#[test]
fn the_next_process_takes_states_up() {
    let p = free_port();
    let dir = hawser_testkit::process::temp_dir();
    let file = dir.join("states");
    let be = |weight: u32| {
        format!(
            "backend be\n  server a 127.0.0.1:7001 weight 5\n  server b 127.0.0.1:7002\n  server c 127.0.0.1:7003 disabled\n  \
             server d 127.0.0.1:7004 weight {weight}\n  server e localhost:7005\n  server f 127.0.0.1:7006 check inter 1h\n"
        )
    };
    let cfg = |weight| {
        format!(
            "global\n  stats socket {{dir}}/st level admin\n  server-state-file {}\ndefaults\n  mode http\n  \
             timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n  load-server-state-from-file global\n\
             frontend fe\n  bind 127.0.0.1:{p}\n  default_backend be\n{}",
            file.display(),
            be(weight)
        )
    };
    let first = Hawser::start(bin(), &cfg(3), &[p]);
    assert!(first.stderr().contains("Can't open global server state file"), "{}", first.stderr());
    for command in [
        "set server be/a weight 2",
        "set server be/a addr 127.0.0.1 port 7999",
        "set server be/b state drain",
        "set server be/c state ready",
        "set server be/d weight 1",
        "set server be/e addr 127.0.0.9",
        "set server be/f health down",
        "disable health be/f",
    ] {
        ask(&first, command);
    }
    let dump = ask(&first, "show servers state");
    std::fs::write(&file, &dump).unwrap();
    drop(first);
    // The weight of one server is another one now: the configuration wins.
    let second = Hawser::start(bin(), &cfg(4), &[p]);
    let lines = |text: &str| -> Vec<String> {
        let known = |l: &str| l.split(' ').map(str::to_owned).collect::<Vec<_>>();
        // Address, state, reasons, weights; whether it is checked; the port.
        let some = |f: Vec<String>| {
            // Configured and enabled; whether it is paused is another matter.
            let check = f[13].parse::<u8>().unwrap() & 6;
            format!("{} {check} {}", f[3..9].join(" "), f[18])
        };
        text.lines().skip(2).filter(|l| !l.is_empty()).map(|l| some(known(l))).collect()
    };
    let after = lines(&ask(&second, "show servers state"));
    assert_eq!(
        after,
        [
            "a 127.0.0.1 2 0 2 5 0 7999",
            "b 127.0.0.1 2 8 1 1 0 7002",
            "c 127.0.0.1 2 4 1 1 0 7003",
            "d 127.0.0.1 2 0 4 4 0 7004",
            "e 127.0.0.9 2 0 1 1 0 7005",
            "f 127.0.0.1 0 0 1 1 2 7006"
        ]
    );
    let _ = std::fs::remove_dir_all(dir);
}

#[test]
fn counters_tell_who_is_to_blame() {
    let [p, q, r] = [free_port(), free_port(), free_port()];
    // Answers with a part of a response, and no more.
    let slow = Origin::raw(|mut io, _| {
        let mut head = [0; 1024];
        let _ = io.read(&mut head);
        let _ = io.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        let _ = io.read(&mut head);
    });
    let sections = format!(
        "  default_backend slow\nbackend slow\n  server a 127.0.0.1:{}\n\
         frontend f2\n  bind 127.0.0.1:{q}\n  default_backend none\nbackend none\n  server a 127.0.0.1:1 disabled\n\
         frontend f3\n  bind 127.0.0.1:{r}\n  option socket-stats\n  http-request deny\n",
        slow.port()
    );
    let h = start(&format!("bind 127.0.0.1:{p}"), &sections, &[p]);
    let mut client = std::net::TcpStream::connect(("127.0.0.1", p)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut some = [0; 16];
    client.read_exact(&mut some).unwrap();
    drop(client);
    // The server's connection ends with the client's.
    assert!(until(20_000, || column(&h, "slow,BACKEND", "cli_abrt") == "1"), "{}", h.stderr());
    assert_eq!(
        (column(&h, "slow,a", "cli_abrt"), column(&h, "slow,a", "srv_abrt")),
        ("1".into(), "0".into())
    );
    assert_eq!((get(q, "/").status, column(&h, "none,BACKEND", "econ")), (503, "1".into()));
    let bad = hawser_testkit::Client::connect(q).ask("GET\u{1} / HTTP/1.1\r\n\r\n").status;
    assert_eq!((bad, column(&h, "f2,FRONTEND", "req_tot")), (400, "2".into()));
    assert_eq!(column(&h, "f2,FRONTEND", "h1_open_streams"), "0");
    assert_eq!((get(r, "/").status, column(&h, "f3,sock-1", "dreq")), (403, "1".into()));
    assert_eq!((column(&h, "f3,sock-1", "stot"), column(&h, "f3,sock-1", "ereq")), ("1".into(), "0".into()));
}

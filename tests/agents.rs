//! Agents tell the balancer about their servers (manual 5.2 `agent-check`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hawser_testkit::{Hawser, api, binary, free_port, until};
use parking_lot::Mutex;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

fn bin() -> &'static str {
    binary(env!("CARGO_BIN_EXE_hawser"))
}

/// An agent whose answer can be changed, and what it was asked last.
struct Agent {
    port: u16,
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<String>>,
}

impl Agent {
    fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(answer.to_owned()));
        let asked = Arc::<Mutex<String>>::default();
        let (says, hears) = (Arc::clone(&answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut text = [0; 64];
                let n = client.read(&mut text).unwrap_or(0);
                *hears.lock() = String::from_utf8_lossy(&text[..n]).into_owned();
                let line = says.lock().clone();
                let _ = client.write_all(line.as_bytes());
            }
        });
        Self { port, answer, asked }
    }

    fn says(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock());
    }
}

fn column(h: &Hawser, row: &str, name: &str) -> String {
    api::column(&h.cli("st", "show stat"), row, name)
}

/// Waits until a column is that.
fn becomes(h: &Hawser, name: &str, value: &str) {
    let reached = until(10_000, || column(h, "be,a", name) == value);
    assert!(reached, "{name}: {:?}, not {value:?}\n{}", column(h, "be,a", name), h.stderr());
}

/// Server `b` follows `a`.
fn start(agent: &Agent, options: &str) -> Hawser {
    let (p, port) = (free_port(), agent.port);
    let cfg = format!(
        "global\n  stats socket {{dir}}/st level admin\ndefaults\n  mode http\n  timeout connect 1s\n  \
         timeout client 5s\n  timeout server 5s\nfrontend fe\n  bind 127.0.0.1:{p}\n  default_backend be\n\
         backend be\n  balance roundrobin\n  server a 127.0.0.1:1 weight 40 agent-check agent-inter 100 \
         agent-send \"be/a\\n\" agent-port {port} {options}\n  \
         server b 127.0.0.1:1 track a\n"
    );
    Hawser::start(bin(), &cfg, &[p])
}

#[test]
fn words_of_an_agent_are_obeyed() {
    let agent = Agent::start("up\n");
    let h = start(&agent, "");
    becomes(&h, "last_agt", "via agent : up");
    assert_eq!(*agent.asked.lock(), "be/a\n");
    assert_eq!(column(&h, "be,a", "status"), "no check");

    agent.says("50% maxconn:7\n");
    becomes(&h, "weight", "20");
    becomes(&h, "slim", "7");
    becomes(&h, "agent_status", "CHECKED");
    agent.says("drain weight:30,maxconn:8\r\n");
    becomes(&h, "status", "DRAIN (agent)");
    assert_eq!(column(&h, "be,a", "weight"), "30");
    assert_eq!(column(&h, "be,b", "status"), "DRAIN (agent)");
    agent.says("maint\n");
    becomes(&h, "status", "MAINT");
    agent.says("ready stopped # at night\n");
    becomes(&h, "status", "DOWN (agent)");
    becomes(&h, "last_agt", "via agent : stopped (at night)");
    assert_eq!(column(&h, "be,b", "status"), "DOWN (agent)");
    assert_eq!(column(&h, "be,a", "agent_code"), "0");
    // A line without an end changes nothing but the words.
    agent.says("up");
    becomes(&h, "last_agt", "Ignoring incomplete line from agent");
    assert_eq!(column(&h, "be,a", "status"), "DOWN (agent)");
    assert_eq!(
        (column(&h, "be,a", "agent_status").as_str(), column(&h, "be,a", "agent_code").as_str()),
        ("L7STS", "0")
    );
    // Nobody else may revoke that, and what makes no sense changes nothing.
    agent.says("ready nonsense\n");
    becomes(&h, "last_agt", "agent reports an error : nonsense");
    assert_eq!(column(&h, "be,a", "status"), "DOWN (agent)");
    agent.says("up\n");
    becomes(&h, "status", "no check");
    // An agent that says nothing is no reason to think worse of the server.
    agent.says("");
    becomes(&h, "agent_status", "L7RSP");
    assert_eq!(column(&h, "be,a", "status"), "no check");
}

#[test]
fn agents_have_commands() {
    let (agent, other) = (Agent::start("\n"), Agent::start("down\n"));
    let h = start(&agent, "");
    becomes(&h, "agent_status", "CHECKED");
    let state =
        |h: &Hawser| h.cli("st", "show servers state be").lines().nth(2).unwrap_or_default().to_owned();
    assert!(state(&h).contains(" 22 0 0 - "), "{}", state(&h));
    assert!(state(&h).ends_with(&format!(" - {}", agent.port)), "{}", state(&h));

    assert_eq!(h.cli("st", "set server be/a agent down").trim(), "");
    becomes(&h, "status", "DOWN (agent)");
    assert_eq!(h.cli("st", "set server be/a agent up").trim(), "");
    becomes(&h, "status", "no check");
    assert_eq!(
        h.cli("st", "set server be/a agent no").trim(),
        "'set server <srv> agent' expects 'up' or 'down'."
    );

    assert_eq!(h.cli("st", "set server be/a agent-send hello").trim(), "");
    assert!(until(10_000, || *agent.asked.lock() == "hello"));
    assert_eq!(h.cli("st", &format!("set server be/a agent-addr 127.0.0.1 port {}", other.port)).trim(), "");
    becomes(&h, "status", "DOWN (agent)");
    assert_eq!(h.cli("st", &format!("set server be/a agent-port {}", agent.port)).trim(), "");
    assert_eq!(h.cli("st", "disable agent be/a").trim(), "");
    assert!(state(&h).contains(" 18 0 0 - "), "{}", state(&h));
    assert_eq!(column(&h, "be,a", "agent_status"), "");
    let refusal = h.cli("st", "set server be/a agent up");
    assert_eq!(refusal.trim(), "agent checks are not enabled on this server.");
    assert_eq!(h.cli("st", "enable agent be/a").trim(), "");
    becomes(&h, "agent_status", "CHECKED");
}

#[test]
fn checks_do_not_revoke_what_an_agent_says() {
    let agent = Agent::start("down\n");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap().port();
    std::thread::spawn(move || server.incoming().for_each(drop));
    let h = start(&agent, &format!("check inter 50 port {at}"));
    becomes(&h, "status", "DOWN (agent)");
    becomes(&h, "check_status", "L4OK");
    becomes(&h, "check_health", "4");
    assert_eq!(column(&h, "be,a", "status"), "DOWN (agent)");
    agent.says("up\n");
    becomes(&h, "status", "UP");
}

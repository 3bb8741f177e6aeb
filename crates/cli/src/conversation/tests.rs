//! Transcripts: what a client sends and what it gets, byte for byte. The framing was recorded from HAProxy 3.4.

use super::*;
use crate::command::Command;
use crate::state::Environment;
use hawser_proto::ProcessInfo;
use std::sync::Arc;

fn process() -> Process {
    Process {
        version: "3.4.0-test",
        release_date: "2026/01/01",
        pid: 1,
        threads: 2,
        started: clock::now(),
        started_date: clock::wall(),
        boot_ms: 0,
        memmax_mb: 0,
        ulimit_n: 0,
        maxsock: 0,
        hard_maxconn: 1000,
        maxpipes: 0,
        node: "n".into(),
        description: None,
        listeners: 1,
        conns: Arc::new(ProcessInfo::new(500)),
        frontends: Vec::new(),
    }
}

/// Feeds `input` to a connection at `level`; returns what it answers, and whether it closes.
fn talk(level: Level, input: &str) -> (String, bool) {
    let state = State::default();
    state.insert(process());
    state.insert(Environment(vec![("A".into(), "1".into()), ("HOME".into(), "/root".into())]));
    let registry = Registry::new(crate::commands::TABLES);
    let mut c = Conversation::new(level, SeverityOutput::None, Duration::from_secs(10));
    let mut out = String::new();
    c.feed(input.as_bytes());
    while let Some(line) = c.next_line().unwrap() {
        for request in &line {
            let reply = c.execute(request, &state, &registry);
            out.push_str(&c.frame(&reply));
            if c.closing() {
                break;
            }
        }
        out.push_str(&c.end_of_line(&state));
        if c.closing() {
            break;
        }
    }
    out.push_str(c.payload_prompt().unwrap_or_default());
    (out, c.closing())
}

#[test]
fn transcripts() {
    let cases: &[(&str, &str, bool)] = &[
        ("show version\n", "3.4.0-test\n\n", true),
        ("show version", "", false),
        ("show version;show cli level\n", "3.4.0-test\n\nadmin\n\n", true),
        ("show version\nshow cli level\n", "3.4.0-test\n\n", true),
        ("show  version  extra # words\r\n", "3.4.0-test\n\n", true),
        ("\n", "\n", true),
        (";\n", "\n\n", true),
        ("quit\n", "", true),
        ("show version;quit;show version\n", "3.4.0-test\n\n", true),
        ("prompt\nshow version\nquit\n", "\n> 3.4.0-test\n\n> ", true),
        ("prompt\n\n", "\n> \n> ", false),
        ("prompt\n;\n", "\n> \n\n> ", false),
        ("prompt\nshow version;show cli level\n", "\n> 3.4.0-test\n\nadmin\n\n> ", false),
        ("prompt i\nshow version\n", "\n3.4.0-test\n\n", false),
        ("prompt i\nprompt\nshow version\n", "\n\n> 3.4.0-test\n\n> ", false),
        ("prompt n\nshow version\n", "\n", true),
        ("prompt timed\n", "\n[0:00:00:00]> ", false),
        ("prompt i;prompt n;show version\nshow version\n", "\n\n3.4.0-test\n\n", true),
        ("echo a b  c\n", "a b c\n\n", true),
        ("echo\n", "\n\n", true),
        ("echo a\\;b \\x \\\\ c\n", "a;b x \\ c\n\n", true),
        ("show env HOME\n", "HOME=/root\n\n", true),
        ("show env\n", "A=1\nHOME=/root\n\n", true),
        ("show env NOPE\n", "Variable not found\n\n", true),
        ("operator;show cli level;set maxconn global 10\n", "\noperator\n\nPermission denied\n\n", true),
        ("user;show env\n", "\nPermission denied\n\n", true),
        ("user;operator;show cli level\n", "\n\nuser\n\n", true),
        ("set maxconn global\n", "Expects an integer value.\n\n", true),
        ("set maxconn global 1001\n", "Value out of range.\n\n", true),
        ("set maxconn global 10\n", "\n", true),
        ("set maxconn frontend\n", "A frontend name is expected.\n\n", true),
        ("set maxconn frontend x 1\n", "No such frontend.\n\n", true),
        ("set severity-output number;show version\n", "\n[6]: 3.4.0-test\n\n", true),
        (
            "set severity-output string;set timeout x\n",
            "\n[err]: 'set timeout' only supports 'cli'.\n\n",
            true,
        ),
        ("set severity-output x\n", "one of 'none', 'number', 'string' is a required argument\n\n", true),
        ("set timeout cli 10\n", "\n", true),
        ("set timeout cli 0\n", "Invalid timeout value.\n\n", true),
        ("wait 1\n", "Done.\n\n", true),
        ("wait x\n", "Invalid duration.\n\n", true),
        ("wait\n", "Expects a duration in milliseconds.\n\n", true),
        ("expert-mode\n", "expert-mode is OFF\n\n", true),
        ("debug dev exit 0\n", "This command is restricted to expert mode only.\n\n", true),
        ("show sess\n", "'show sess' is not supported by Hawser yet.\n\n", true),
        ("echo x <<\nabc\n\n", "x\n\n", true),
        ("echo x <<X\nabc\n\nX\n", "x\n\n", true),
        ("echo x <<X\nabc\n", "", false),
        ("prompt\nadd map x <<\n", "\n> + ", false),
        ("prompt\necho a <<\nb\n\nshow version\n", "\n> a\n\n> 3.4.0-test\n\n> ", false),
    ];
    for (input, want, closes) in cases {
        assert_eq!(talk(Level::Admin, input), ((*want).to_owned(), *closes), "{input:?}");
    }
}

#[test]
fn unknown_commands_get_suggestions() {
    let (out, _) = talk(Level::Admin, "foo\n");
    let head = "Unknown command: 'foo', but maybe one of the following ones is a better match:\n";
    assert!(out.starts_with(head), "{out}");
    assert!(out.ends_with(": close the connection\n\n"), "{out}");
    // Commands of the master are unknown to a worker.
    assert!(talk(Level::Admin, "reload\n").0.starts_with("Unknown command: 'reload'"));
}

#[test]
fn help_lists_what_works_at_a_level() {
    let (admin, _) = talk(Level::Admin, "help\n");
    assert!(admin.starts_with("The following commands are valid at this level:\n"), "{admin}");
    assert!(admin.contains("\n  set maxconn global <value>              : "), "{admin}");
    assert!(!admin.contains("show sess"), "not built yet");
    let (user, _) = talk(Level::User, "help\n");
    assert!(!user.contains("set maxconn") && user.contains("show info"), "{user}");
    assert_eq!(talk(Level::Admin, "help show info\n").0.lines().filter(|l| l.contains("show ")).count(), 1);
}

#[test]
fn payload_reaches_the_last_command_of_its_line() {
    fn run(call: &mut Call<'_>) -> Reply {
        Reply::info(format!("[{}]", call.payload.unwrap_or("none").escape_debug()))
    }
    static ROWS: &[Command] = &[Command::new("p", "p", Level::User, run, "x")];
    let registry = Registry::new(&[ROWS]);
    let mut c = Conversation::new(Level::User, SeverityOutput::None, Duration::ZERO);
    c.feed(b"p;p <<E\n1\n\n2\nE\n");
    let line = c.next_line().unwrap().unwrap();
    let out: Vec<_> = line.iter().map(|r| c.execute(r, &State::default(), &registry)).collect();
    assert_eq!(out, [Reply::info("[none]"), Reply::info("[1\\n\\n2\\n]")]);
}

#[test]
fn endless_lines_and_payloads_are_refused() {
    let new = || Conversation::new(Level::User, SeverityOutput::None, Duration::ZERO);
    let mut c = new();
    c.feed(&vec![b'a'; LINE_MAX + 1]);
    assert_eq!(c.next_line(), Err(TooLong));
    let mut c = new();
    c.feed(b"x <<E\n");
    c.feed("abcdefg\n".repeat(PAYLOAD_MAX / 8 + 1).as_bytes());
    assert_eq!(c.next_line(), Err(TooLong));
}

//! Commands about the connection itself.

use crate::command::{Call, Command, Level, Reply};
use crate::conversation::{ALWAYS, Mode, SeverityOutput, always};
use crate::suggest;
use hawser_cfg::units::{TimeUnit, parse_time};
use std::time::Duration;

use Level::{Admin, Operator, User};

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("echo", "echo <text>", User, echo, "answer with the same words").in_master(),
    Command::new("expert-mode", "expert-mode [on|off]", Admin, expert, "allow or list expert commands").hidden().in_master(),
    Command::new("experimental-mode", "experimental-mode [on|off]", Admin, experimental, "allow or list experimental commands").hidden().in_master(),
    Command::new("help", "help [<command>]", User, help, "list the commands, or those that match").in_master(),
    Command::new("operator", "operator", User, operator, "give up admin rights on this connection").in_master(),
    Command::new("prompt", "prompt [help | n | i | p | timed ]*", User, prompt, "switch interactive mode and prompt").in_master(),
    Command::new("quit", "quit", User, quit, "close the connection").in_master(),
    Command::new("set severity-output", "set severity-output [none|number|string]", User, severity, "show the severity of messages on this connection"),
    Command::new("set timeout", "set timeout [cli] <delay>", User, timeout, "change how long this connection may stay idle"),
    Command::new("show cli level", "show cli level", User, level, "show what this connection may do").in_master(),
    Command::new("user", "user", User, user, "give up all rights but reading on this connection").in_master(),
    Command::new("wait", "wait {-h|<delay_ms>} cond [args...]", Admin, wait, "wait for some time (-h for help)"),
];

fn echo(call: &mut Call<'_>) -> Reply {
    Reply::info(call.args.join(" "))
}

fn quit(_: &mut Call<'_>) -> Reply {
    Reply::Quit
}

fn operator(call: &mut Call<'_>) -> Reply {
    call.conversation.lower(Operator);
    Reply::Done
}

fn user(call: &mut Call<'_>) -> Reply {
    call.conversation.lower(User);
    Reply::Done
}

fn level(call: &mut Call<'_>) -> Reply {
    Reply::info(call.conversation.level().word())
}

fn help(call: &mut Call<'_>) -> Reply {
    let mut text = String::from("The following commands are valid at this level:\n");
    let rows = suggest::matching(call.registry, call.args, call.conversation.level());
    rows.iter().filter(|r| !ALWAYS.contains(&r.words)).for_each(|r| text.push_str(&r.help_line()));
    text.push_str(&always(call.registry));
    Reply::info(text)
}

const PROMPT_HELP: &str = "Usage: prompt [help | n | i | p | timed]*
  n       one line, then the connection closes
  i       any number of lines, no prompt
  p       any number of lines, with a prompt
  timed   show or hide the uptime in the prompt
  help    this text
Alone it toggles: n and i become p, p becomes n.
";

fn prompt(call: &mut Call<'_>) -> Reply {
    let c = &mut *call.conversation;
    if call.args.is_empty() {
        c.mode = if c.mode == Mode::Prompt { Mode::Single } else { Mode::Prompt };
        return Reply::Done;
    }
    for word in call.args {
        match word.as_str() {
            "n" => c.mode = Mode::Single,
            "i" => c.mode = Mode::Interactive,
            "p" => c.mode = Mode::Prompt,
            "timed" => {
                c.timed = !c.timed;
                c.mode = Mode::Prompt;
            }
            _ => return Reply::info(PROMPT_HELP),
        }
    }
    Reply::Done
}

fn severity(call: &mut Call<'_>) -> Reply {
    match SeverityOutput::parse(call.arg(0)) {
        Some(s) => {
            call.conversation.severity = s;
            Reply::Done
        }
        None => Reply::err("one of 'none', 'number', 'string' is a required argument"),
    }
}

fn timeout(call: &mut Call<'_>) -> Reply {
    if call.arg(0) != "cli" {
        return Reply::err("'set timeout' only supports 'cli'.");
    }
    if call.arg(1).is_empty() {
        return Reply::err("Expects an integer value.");
    }
    match parse_time(call.arg(1), TimeUnit::S) {
        Ok(s) if s > 0 => {
            call.conversation.timeout = Duration::from_secs(u64::from(s));
            Reply::Done
        }
        _ => Reply::err("Invalid timeout value."),
    }
}

const WAIT_HELP: &str = "Usage: wait {-h|<duration>} [condition [args...]]
  -h          this text
  <duration>  how long to wait at most: a number and one of us, ms (default), s, m, h, d
  condition   what to wait for; none just waits.
    srv-removable <px>/<sv> is not supported by Hawser yet.
";

fn wait(call: &mut Call<'_>) -> Reply {
    match (call.arg(0), call.arg(1)) {
        ("", _) => Reply::err("Expects a duration in milliseconds."),
        ("-h", _) => Reply::info(WAIT_HELP),
        (time, "") => match parse_time(time, TimeUnit::Ms) {
            Ok(ms) => Reply::After(Duration::from_millis(u64::from(ms)), "Done.".into()),
            Err(_) => Reply::err("Invalid duration."),
        },
        _ => Reply::err(WAIT_HELP),
    }
}

fn expert(call: &mut Call<'_>) -> Reply {
    match call.arg(0) {
        "" => Reply::info(format!("expert-mode is {}", on_off(call.conversation.expert))),
        word => {
            call.conversation.expert = word == "on";
            Reply::Done
        }
    }
}

fn experimental(call: &mut Call<'_>) -> Reply {
    match call.arg(0) {
        "" => Reply::info(format!("experimental-mode is {}", on_off(call.conversation.experimental))),
        word => {
            call.conversation.experimental = word == "on";
            Reply::Done
        }
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

//! Variables of the process: `get var` and `set var`.

use super::Statistics;
use super::find::answer;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Config, SetVar};
use hawser_cfg::pos::{Pos, Word};
use hawser_cli::{Call, Command, Level, Reply};
use hawser_sample::globals;
use hawser_sample::vars::{Scope, VarId};

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("get var", "get var <name>", Level::Operator, get, "show a variable of the process"),
    Command::new("set var", "set var <name> {<expression>|expr <expression>|fmt <format>}", Level::Operator, set, "set a variable of the process").experimental(),
];

const NO_NAME: &str = "Missing process-wide variable identifier.";

fn get(call: &mut Call<'_>) -> Reply {
    let name = call.arg(0);
    if name.is_empty() {
        return Reply::err(NO_NAME);
    }
    let Some(engine) = call.state.get::<Statistics>() else { return Reply::Done };
    let id = VarId::parse(name).ok().filter(|v| v.scope == Scope::Proc);
    let value = id.and_then(|v| engine.0.proc_vars().0.read().get(v.name).map(|v| v.to_value()));
    let Some(value) = value else { return Reply::err("Variable not found.") };
    let mut text = Vec::new();
    value.write_str(&mut text);
    let text = String::from_utf8_lossy(&text).replace('\n', "\\n");
    Reply::info(format!("{name}: type={} value=<{text}>", value.kind().name()))
}

fn set(call: &mut Call<'_>) -> Reply {
    answer(assign(call).map(|()| Reply::Done))
}

fn assign(call: &Call<'_>) -> Result<(), Reply> {
    let name = call.arg(0);
    if name.is_empty() {
        return Err(Reply::err(NO_NAME));
    }
    let id = VarId::parse(name).map_err(|e| Reply::err(format!("'set var': {}.", e.text)))?;
    if id.scope != Scope::Proc {
        let text = format!("'set var': cannot set variable '{name}', only scope 'proc' is permitted here.");
        return Err(Reply::err(text));
    }
    let fmt = call.arg(1) == "fmt";
    let skipped = if fmt || call.arg(1) == "expr" { 2 } else { 1 };
    let words = call.args.get(skipped..).unwrap_or_default();
    if words.is_empty() {
        return Err(Reply::err("Missing either 'expr', 'fmt' or expression."));
    }
    let args: Vec<Word> = if fmt {
        vec![Word::synthetic(&words.join(" "))]
    } else {
        words.iter().map(|w| Word::synthetic(w)).collect()
    };
    let line = SetVar { pos: Pos::default(), name: Word::synthetic(name), args, fmt };
    let Some(engine) = call.state.get::<Statistics>() else { return Ok(()) };
    globals::set_now(&Config::default(), &mut Diags::default(), &line, engine.0.proc_vars())
        .map_err(|e| Reply::err(e.text))
}

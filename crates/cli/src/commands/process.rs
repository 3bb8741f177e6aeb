//! Commands about the process: what it is, its limits, its environment.

use crate::command::{Call, Command, Level, Reply};
use crate::info::{Format, InfoSources, Sheet};
use crate::schema::schema;
use crate::state::{Environment, Process, SocketList, StartupLogs, State};
use hawser_proto::clock;
use hawser_proto::freq::now_ms;
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use Level::{Admin, Operator, User};

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("_getsocks", "_getsocks", User, |_| Reply::Sockets, "hand the listening sockets over to a new process"),
    Command::new("set maxconn frontend", "set maxconn frontend <frontend> <value>", Admin, set_maxconn_frontend, "change the maxconn of a frontend"),
    Command::new("set maxconn global", "set maxconn global <value>", Admin, set_maxconn_global, "change the maxconn of the process"),
    Command::new("set rate-limit", "set rate-limit <setting> <value>", Admin, set_rate_limit, "change a limit of events per second"),
    Command::new("show activity", "show activity [-1|0|thread_num]", Operator, show_activity, "show what the threads do"),
    Command::new("show cli sockets", "show cli sockets", User, show_cli_sockets, "list the sockets of the runtime API").in_master(),
    Command::new("show env", "show env [var]", Operator, show_env, "show environment variables").in_master(),
    Command::new("show info", "show info [desc|json|typed|float]*", User, show_info, "show the state of the process"),
    Command::new("show schema json", "show schema json", User, show_schema, "show what the JSON formats look like"),
    Command::new("show startup-logs", "show startup-logs", Operator, show_startup_logs, "show what was printed at the start").in_master(),
    Command::new("show version", "show version", User, show_version, "show the version").in_master(),
];

const NO_PROCESS: &str = "The process is not ready.";

fn show_version(call: &mut Call<'_>) -> Reply {
    call.state.get::<Process>().map_or(Reply::err(NO_PROCESS), |p| Reply::info(p.version))
}

fn show_env(call: &mut Call<'_>) -> Reply {
    let Some(env) = call.state.get::<Environment>() else { return Reply::err(NO_PROCESS) };
    let wanted = call.arg(0);
    let mut out = String::new();
    for (name, value) in env.0.iter().filter(|(n, _)| wanted.is_empty() || n == wanted) {
        // An empty line would end the reply early.
        let _ = writeln!(out, "{name}={}", value.replace("\n\n", "\n"));
    }
    if out.is_empty() { Reply::err("Variable not found") } else { Reply::Dump(out) }
}

fn show_cli_sockets(call: &mut Call<'_>) -> Reply {
    let mut out = String::from("# socket lvl processes\n");
    for (addr, level) in call.state.get::<SocketList>().iter().flat_map(|l| &l.0) {
        let _ = writeln!(out, "{addr} {} all", level.word());
    }
    Reply::Dump(out)
}

fn show_startup_logs(call: &mut Call<'_>) -> Reply {
    match call.state.get::<StartupLogs>() {
        Some(logs) if !logs.0.lock().is_empty() => Reply::Dump(logs.0.lock().clone()),
        _ => Reply::info("No startup logs."),
    }
}

fn show_activity(call: &mut Call<'_>) -> Reply {
    let Some(p) = call.state.get::<Process>() else { return Reply::err(NO_PROCESS) };
    let up = clock::now().saturating_duration_since(p.started);
    let date = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    Reply::Dump(format!(
        "thread_id: {} (1..{})\ndate_now: {:.6}\nuptime_now: {:.6}\naccepted: {}\n",
        p.threads,
        p.threads,
        date.as_secs_f64(),
        up.as_secs_f64(),
        p.conns.conns.total()
    ))
}

fn show_info(call: &mut Call<'_>) -> Reply {
    sheet(call.state).map_or(Reply::err(NO_PROCESS), |s| Reply::Dump(s.print(Format::parse(call.args))))
}

/// What `show info` shows; `None` before the process is ready.
pub fn sheet(state: &State) -> Option<Sheet> {
    let p = state.get::<Process>()?;
    let mut sheet = Sheet::default();
    fill(&mut sheet, &p);
    if let Some(sources) = state.get::<InfoSources>() {
        sources.0.iter().for_each(|source| source(&mut sheet));
    }
    Some(sheet)
}

fn show_schema(_: &mut Call<'_>) -> Reply {
    Reply::Dump(schema())
}

/// What the process itself knows.
fn fill(sheet: &mut Sheet, p: &Process) {
    let up = clock::now().saturating_duration_since(p.started);
    let s = up.as_secs();
    sheet.set("Name", "HAProxy");
    sheet.set("Version", p.version);
    sheet.set("Release_date", p.release_date);
    sheet.set("Build info", concat!("Hawser ", env!("CARGO_PKG_VERSION")));
    sheet.set("Nbthread", p.threads);
    sheet.set("Nbproc", 1_u32);
    sheet.set("Process_num", 1_u32);
    sheet.set("NbThreadGroups", 1_u32);
    sheet.set("Pid", p.pid);
    sheet.set("Uptime", format!("{}d {}h{:02}m{:02}s", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60));
    sheet.set("Uptime_sec", up.as_secs_f64());
    sheet.set("Start_time_sec", p.started_date.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
    sheet.set("BootTime_ms", p.boot_ms);
    sheet.set("Memmax_MB", p.memmax_mb);
    sheet.set("Memmax_bytes", p.memmax_mb << 20);
    sheet.set("Ulimit-n", p.ulimit_n);
    sheet.set("Maxsock", p.maxsock);
    sheet.set("Hard_maxconn", p.hard_maxconn);
    sheet.set("Maxpipes", p.maxpipes);
    sheet.set("PipesUsed", hawser_proto::splice::pipes() as u64);
    sheet.set("Tainted", "0");
    sheet.set("node", p.node.as_str());
    if let Some(d) = &p.description {
        sheet.set("description", d.as_str());
    }
    sheet.set("Listeners", p.listeners);
    fill_connections(sheet, p);
}

fn fill_connections(sheet: &mut Sheet, p: &Process) {
    let (c, now) = (&p.conns, now_ms());
    sheet.set("Maxconn", c.conns.limit());
    sheet.set("CurrConns", c.conns.inside());
    sheet.set("CumConns", c.conns.total());
    sheet.set("MaxconnReached", c.conns.reached());
    sheet.set("ConnRate", c.conn_rate.read(now));
    sheet.set("ConnRateLimit", c.max_conn_rate.load(Ordering::Relaxed));
    sheet.set("MaxConnRate", c.conn_rate.max());
    sheet.set("SessRate", c.sess_rate.read(now));
    sheet.set("SessRateLimit", c.max_sess_rate.load(Ordering::Relaxed));
    sheet.set("MaxSessRate", c.sess_rate.max());
    sheet.set("Jobs", p.listeners.saturating_add(c.conns.inside()));
}

fn set_maxconn_global(call: &mut Call<'_>) -> Reply {
    let Some(p) = call.state.get::<Process>() else { return Reply::err(NO_PROCESS) };
    match number(call.arg(0)) {
        Err(e) => e,
        Ok(n) if n > p.hard_maxconn => Reply::err("Value out of range."),
        // As in HAProxy, 0 goes back to the largest possible.
        Ok(0) => {
            p.conns.conns.set_limit(p.hard_maxconn);
            Reply::Done
        }
        Ok(n) => {
            p.conns.conns.set_limit(n);
            Reply::Done
        }
    }
}

fn set_maxconn_frontend(call: &mut Call<'_>) -> Reply {
    if call.arg(0).is_empty() {
        return Reply::err("A frontend name is expected.");
    }
    let process = call.state.get::<Process>();
    let Some(frontend) = process.as_ref().and_then(|p| p.frontend(call.arg(0))) else {
        return Reply::err("No such frontend.");
    };
    if call.arg(1).is_empty() {
        return Reply::err("Integer value expected.");
    }
    match number(call.arg(1)) {
        Err(e) => e,
        Ok(n) => {
            frontend.conns.set_limit(n);
            Reply::Done
        }
    }
}

const RATE_LIMIT_HELP: &str = "'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
";

fn set_rate_limit(call: &mut Call<'_>) -> Reply {
    let Some(p) = call.state.get::<Process>() else { return Reply::err(NO_PROCESS) };
    let limit = match (call.arg(0), call.arg(1)) {
        ("connections", "global") => &p.conns.max_conn_rate,
        ("sessions", "global") => &p.conns.max_sess_rate,
        ("ssl-sessions" | "http-compression", "global") => {
            return Reply::err(format!("'set rate-limit {}' is not supported by Hawser yet.", call.arg(0)));
        }
        _ => return Reply::err(RATE_LIMIT_HELP),
    };
    match number(call.arg(2)) {
        Err(e) => e,
        Ok(n) => {
            limit.store(n, Ordering::Relaxed);
            Reply::Done
        }
    }
}

/// A number as an argument. HAProxy takes any text for one; a typo is better told.
fn number(text: &str) -> Result<u32, Reply> {
    let Ok(n) = text.parse::<i64>() else { return Err(Reply::err("Expects an integer value.")) };
    u32::try_from(n).map_err(|_| Reply::err("Value out of range."))
}

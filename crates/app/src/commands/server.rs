//! Commands that change servers (management guide 9.3): state, weight, health, address, limits.

use super::address;
use super::find::{Target, answer, changeable, server};
use hawser_balance::agent::Agent;
use hawser_balance::change::Cause;
use hawser_balance::server::{Admin, Oper};
use hawser_balance::time;
use hawser_cli::{Call, Command, Level, Reply};
use std::net::IpAddr;

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("disable agent", "disable agent", Level::Admin, disable_agent, "stop asking the agent of a server"),
    Command::new("disable health", "disable health", Level::Admin, disable_health, "stop checking a server"),
    Command::new("disable server", "disable server (DEPRECATED)", Level::Admin, |c| state(c, "maint"), "put a server into maintenance (see 'set server')"),
    Command::new("enable agent", "enable agent", Level::Admin, enable_agent, "ask the agent of a server again"),
    Command::new("enable health", "enable health", Level::Admin, enable_health, "check a server again"),
    Command::new("enable server", "enable server  (DEPRECATED)", Level::Admin, |c| state(c, "ready"), "end a server's maintenance (see 'set server')"),
    Command::new("get weight", "get weight <bk>/<srv>", Level::User, get_weight, "show the weight of a server"),
    Command::new("set maxconn server", "set maxconn server <bk>/<srv>", Level::Admin, set_maxconn, "change the maxconn of a server"),
    Command::new("set server", "set server <bk>/<srv> [opts]", Level::Admin, set_server, "change the state, weight, health or address of a server"),
    Command::new("set weight", "set weight <bk>/<srv>  (DEPRECATED)", Level::Admin, set_weight, "change the weight of a server (see 'set server')"),
];

const USAGE: &str = "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr \
                     | check-port | fqdn | health | ssl | state | weight";
const NO_AGENT: &str = "agent checks are not enabled on this server.";

fn set_server(call: &mut Call<'_>) -> Reply {
    answer(changeable(call, call.arg(0)).and_then(|t| change(call, &t)))
}

fn change(call: &Call<'_>, t: &Target) -> Result<Reply, Reply> {
    let value = call.arg(2);
    match call.arg(1) {
        "weight" => weigh(t, value),
        "state" => admin(t, value)
            .ok_or_else(|| Reply::err("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")),
        "health" => health(t, value),
        "addr" => address::change(t, call.args.get(2..).unwrap_or_default()),
        "check-addr" => check_addr(t, value, call.arg(3)),
        "check-port" => check_port(t, value),
        "agent" => agent_state(t, value),
        "agent-send" => agent_send(t, value),
        "agent-addr" => agent_addr(t, value, call.arg(3), call.arg(4)),
        "agent-port" => agent_port(t, value),
        "fqdn" if value.is_empty() => Err(Reply::err("set server <b>/<s> fqdn requires a FQDN.")),
        "fqdn" => Err(Reply::err("set server <b>/<s> fqdn failed because no resolution is configured.")),
        "ssl" => Err(Reply::err(
            "'set server <srv> ssl' cannot be set.  default-server should define ssl settings",
        )),
        _ => Err(Reply::err(USAGE)),
    }
}

/// `ready`, `drain` or `maint`; `None` for another word.
fn admin(t: &Target, word: &str) -> Option<Reply> {
    let (add, remove) = match word {
        "ready" => (Admin::NONE, Admin::FMAINT.with(Admin::FDRAIN)),
        "drain" => (Admin::FDRAIN, Admin::FMAINT),
        "maint" => (Admin::FMAINT, Admin::FDRAIN),
        _ => return None,
    };
    t.backend.set_admin(t.server.index, add, remove, time::now());
    Some(Reply::Done)
}

fn state(call: &mut Call<'_>, word: &str) -> Reply {
    answer(changeable(call, call.arg(0)).map(|t| admin(&t, word).unwrap_or(Reply::Done)))
}

fn health(t: &Target, word: &str) -> Result<Reply, Reply> {
    if t.server.tracks().is_some() {
        return Err(Reply::err("cannot change health on a tracking server."));
    }
    let to = match word {
        "up" => Oper::Up,
        "stopping" => Oper::Stopping,
        "down" => Oper::Down,
        _ => return Err(Reply::err("'set server <srv> health' expects 'up', 'stopping', or 'down'.")),
    };
    t.backend.force_oper(t.server.index, to, Cause::Cli, time::now());
    Ok(Reply::Done)
}

fn get_weight(call: &mut Call<'_>) -> Reply {
    answer(
        server(call, call.arg(0))
            .map(|t| Reply::info(format!("{} (initial {})", t.server.weight(), t.server.initial_weight()))),
    )
}

fn set_weight(call: &mut Call<'_>) -> Reply {
    answer(changeable(call, call.arg(0)).and_then(|t| weigh(&t, call.arg(1))))
}

fn weigh(t: &Target, word: &str) -> Result<Reply, Reply> {
    t.backend.set_weight_by(t.server.index, word, time::now()).map(|()| Reply::Done).map_err(Reply::err)
}

fn set_maxconn(call: &mut Call<'_>) -> Reply {
    answer(changeable(call, call.arg(0)).and_then(|t| {
        let outcome = t.backend.set_maxconn_by(t.server.index, call.arg(1));
        outcome.map(|()| Reply::Done).map_err(Reply::err)
    }))
}

fn enable_health(call: &mut Call<'_>) -> Reply {
    checked(call, true)
}

fn disable_health(call: &mut Call<'_>) -> Reply {
    checked(call, false)
}

fn checked(call: &Call<'_>, yes: bool) -> Reply {
    answer(changeable(call, call.arg(0)).and_then(|t| {
        if yes && !t.server.opts.check {
            return Err(Reply::err("Health check was not configured on this server, cannot enable."));
        }
        if t.server.opts.check {
            t.server.check.lock().enabled = yes;
        }
        Ok(Reply::Done)
    }))
}

fn enable_agent(call: &mut Call<'_>) -> Reply {
    answer(changeable(call, call.arg(0)).and_then(|t| {
        let refusal = "Agent was not configured on this server, cannot enable.";
        t.server.agent.as_ref().ok_or_else(|| Reply::err(refusal))?.view.lock().enabled = true;
        Ok(Reply::Done)
    }))
}

fn disable_agent(call: &mut Call<'_>) -> Reply {
    answer(changeable(call, call.arg(0)).map(|t| {
        if let Some(agent) = &t.server.agent {
            agent.view.lock().enabled = false;
        }
        Reply::Done
    }))
}

/// The agent, if it is asked.
fn agent(t: &Target) -> Option<&Agent> {
    t.server.agent.as_deref().filter(|a| a.view.lock().enabled)
}

fn agent_state(t: &Target, word: &str) -> Result<Reply, Reply> {
    if agent(t).is_none() {
        return Err(Reply::err(NO_AGENT));
    }
    let up = match word {
        "up" => true,
        "down" => false,
        _ => return Err(Reply::err("'set server <srv> agent' expects 'up' or 'down'.")),
    };
    t.backend.force_agent(t.server.index, up, Cause::Cli, time::now());
    Ok(Reply::Done)
}

fn agent_send(t: &Target, text: &str) -> Result<Reply, Reply> {
    let agent = agent(t).ok_or_else(|| Reply::err(NO_AGENT))?;
    text.clone_into(&mut agent.send.lock());
    Ok(Reply::Done)
}

fn agent_addr(t: &Target, addr: &str, word: &str, port: &str) -> Result<Reply, Reply> {
    let agent = agent(t).ok_or_else(|| Reply::err(NO_AGENT.trim_end_matches('.')))?;
    if addr.is_empty() {
        return Err(Reply::err("set server <b>/<s> agent-addr requires an address and optionally a port."));
    }
    let addr: IpAddr = addr.parse().map_err(|_| Reply::err(format!("invalid addr '{addr}'")))?;
    let port = if word == "port" { Some(port_number(port)?) } else { None };
    let mut to = agent.to.lock();
    to.addr = Some(addr);
    to.port = port.or(to.port);
    Ok(Reply::Done)
}

fn agent_port(t: &Target, port: &str) -> Result<Reply, Reply> {
    let agent = agent(t).ok_or_else(|| Reply::err(NO_AGENT.trim_end_matches('.')))?;
    if port.is_empty() {
        return Err(Reply::err("set server <b>/<s> agent-port requires a port."));
    }
    agent.to.lock().port = Some(port_number(port)?);
    Ok(Reply::Done)
}

fn check_addr(t: &Target, addr: &str, port: &str) -> Result<Reply, Reply> {
    if addr.is_empty() {
        return Err(Reply::err("set server <b>/<s> check-addr requires an address and optionally a port."));
    }
    require_check(t)?;
    let addr: IpAddr = addr.parse().map_err(|_| Reply::err(format!("invalid addr '{addr}'")))?;
    let mut to = t.server.check_to.lock();
    if port == "port" || port.is_empty() {
        to.addr = Some(addr);
        return Ok(Reply::Done);
    }
    to.port = Some(port_number(port)?);
    to.addr = Some(addr);
    Ok(Reply::Done)
}

fn check_port(t: &Target, port: &str) -> Result<Reply, Reply> {
    if port.is_empty() {
        return Err(Reply::err("set server <b>/<s> check-port requires a port."));
    }
    require_check(t)?;
    t.server.check_to.lock().port = Some(port_number(port)?);
    Ok(Reply::Done)
}

fn require_check(t: &Target) -> Result<(), Reply> {
    if t.server.opts.check { Ok(()) } else { Err(Reply::err("health checks are not enabled on this server")) }
}

fn port_number(word: &str) -> Result<u16, Reply> {
    word.parse().map_err(|_| Reply::err("provided port is invalid"))
}

//! `show servers state` and `show servers conn`.

use super::{ForcedIds, find};
use hawser_balance::server::{Admin, Oper, ServerAddr, check_number};
use hawser_balance::time;
use hawser_balance::{Place, Server};
use hawser_cli::{Call, Command, Level, Process, Reply};
use hawser_proto::Address;
use hawser_session::snapshot::Proxy;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("show servers conn", "show servers conn [<backend>]", Level::User, conn, "show the connections of servers"),
    Command::new("show servers state", "show servers state [<backend>]", Level::User, state, "show what has to be kept of servers over a restart"),
];

/// The version of the format of `show servers state`, and the names of its columns (management guide 9.3).
const HEAD: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
    srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state \
    bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr \
    srv_agent_port\n";

/// `pool-purge-delay` by default (ms).
const PURGE_DELAY: u32 = 5000;

/// The sections to show: one, or all.
fn wanted(call: &Call<'_>) -> Result<Vec<Arc<Proxy>>, Reply> {
    let snapshot = find::snapshot(call)?;
    if call.arg(0).is_empty() {
        let in_use = snapshot.proxies.iter().filter(|p| p.back.is_some());
        return Ok(in_use.cloned().collect());
    }
    let px = snapshot.backend(call.arg(0)).ok_or_else(|| Reply::err("Can't find backend."))?;
    Ok(vec![Arc::clone(px)])
}

fn state(call: &mut Call<'_>) -> Reply {
    find::answer(wanted(call).map(|proxies| {
        let forced = call.state.get::<ForcedIds>();
        let mut out = HEAD.to_owned();
        for px in &proxies {
            let forced = forced.as_ref().is_some_and(|f| f.0.get(px.facts.index) == Some(&true));
            for s in px.back.iter().flat_map(|b| &b.backend.servers) {
                server_state(&mut out, px, s, forced);
            }
        }
        Reply::Dump(out)
    }))
}

fn server_state(out: &mut String, px: &Proxy, s: &Server, forced: bool) {
    let (state, addr) = (s.state(), s.addr.load());
    let (check, to) = (s.check.lock(), s.check_to.lock());
    let since = s.since_change(time::now()) / 1000;
    let (status, result) = if s.opts.check { check_numbers(check.status) } else { (1, 0) };
    let name = addr.hostname.as_deref().unwrap_or("-");
    let (ip, port) = place(&addr);
    let check_addr = to.addr.map_or_else(|| "-".to_owned(), |a| a.to_string());
    let agent_to = s.agent.as_ref().map(|a| *a.to.lock()).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{} {} {} {} {ip} {} {} {} {} {since} {status} {result} {} {} {} {} {} {name} {port} - 0 {} {check_addr} {} {}",
        px.facts.id,
        px.facts.name,
        s.id,
        s.name,
        if state.is_down() { Oper::Down } else { state.oper } as u8,
        state.admin.0,
        s.weight(),
        s.initial_weight(),
        check.health,
        check_state(s.opts.check, check.enabled, state.admin),
        agent_state(s),
        u8::from(forced),
        u8::from(s.opts.id.is_some()),
        to.port.unwrap_or(0),
        agent_to.addr.map_or_else(|| "-".to_owned(), |a| a.to_string()),
        agent_to.port.unwrap_or(0),
    );
}

/// Address and port as the two dumps write them.
fn place(addr: &ServerAddr) -> (String, u16) {
    match &addr.addr {
        Address::Ip(a) => (a.ip().to_string(), a.port()),
        Address::Unknown => ("-".into(), addr.named_port),
        _ => ("-".into(), 0),
    }
}

/// The same bits for the agent, with the one that tells them apart.
fn agent_state(s: &Server) -> u8 {
    match (&s.agent, s.has_agent()) {
        (None, _) => 0,
        (Some(_), false) => 16 + 2,
        (Some(_), true) => 16 + 2 + 4,
    }
}

/// Configured, enabled, paused: bits 1 to 3. What is not checked pauses only where the configuration says `disabled`.
fn check_state(configured: bool, enabled: bool, admin: Admin) -> u8 {
    let pauses = if configured { enabled && admin.any(Admin::MAINT) } else { admin.any(Admin::CMAINT) };
    let paused = if pauses { 8 } else { 0 };
    let checked = match (configured, enabled) {
        (false, _) => 0,
        (true, false) => 2,
        (true, true) => 2 + 4,
    };
    checked + paused
}

/// HAProxy's numbers for the status of a check and for what it means.
fn check_numbers(status: &str) -> (u8, u8) {
    const UNKNOWN: u8 = 0;
    const FAILED: u8 = 2;
    const PASSED: u8 = 3;
    const CONDITIONALLY: u8 = 4;
    let meaning = match status {
        "UNK" | "INI" => UNKNOWN,
        "L4OK" | "L6OK" | "L7OK" => PASSED,
        "L7OKC" => CONDITIONALLY,
        _ => FAILED,
    };
    (check_number(status), meaning)
}

fn conn(call: &mut Call<'_>) -> Reply {
    find::answer(wanted(call).map(|proxies| {
        let threads = call.state.get::<Process>().map_or(1, |p| p.threads);
        let mut out = format!(
            "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est idle_sess unsafe_nb \
             safe_nb idle_lim idle_cur idle_per_thr[{threads}]\n"
        );
        for px in &proxies {
            for s in px.back.iter().flat_map(|b| &b.backend.servers) {
                server_conn(&mut out, px, s, threads);
            }
        }
        Reply::Dump(out)
    }))
}

/// Idle connections are counted for the process: all of them stand in the first thread's column.
fn server_conn(out: &mut String, px: &Proxy, s: &Server, threads: u32) {
    let (ip, port) = place(&s.addr.load());
    let (idle, safe) = (s.idle.at(Place::Idle), s.idle.at(Place::Safe));
    let _ = write!(
        out,
        "{}/{} {}/{} {ip} {port} - {} {} {} {} {} 0 {idle} {safe} {} {}",
        px.facts.name,
        s.name,
        px.facts.id,
        s.id,
        s.opts.pool_purge_delay.unwrap_or(PURGE_DELAY),
        s.served(),
        s.idle.at(Place::Used),
        s.idle.needed.load(Relaxed).max(s.idle.at(Place::Used)),
        s.idle.needed.load(Relaxed),
        s.opts.pool_max_conn.unwrap_or(-1),
        idle + safe,
    );
    for thread in 0..threads {
        let _ = write!(out, " {}", if thread == 0 { idle + safe } else { 0 });
    }
    out.push('\n');
}

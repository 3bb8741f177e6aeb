//! Files with the state of servers, as `show servers state` writes them (management guide 9.3): what the next process
//! knows of those before it.
//!
//! What the configuration says wins where it has changed since; else the state that a server was in is taken up again.

use crate::backend::Backend;
use crate::change::Cause;
use crate::server::{Admin, Oper, Restored, Server, ServerAddr};
use crate::time::Ms;
use hawser_proto::Address;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Fields of a line: the first that is not optional any more, and the most.
const FIELDS: std::ops::RangeInclusive<usize> = 20..=25;
/// Fields before those of [`Line`]: id and name of the backend, id and name of the server.
const NAMES: usize = 4;

/// What is wrong with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// There is nothing in it.
    Empty,
    /// It does not start with a version that is known.
    Version,
    /// This line (from 1, after that of the version) is cut off or has too few or too many fields.
    Line(usize),
}

/// The lines of a file.
#[derive(Debug, Default)]
pub struct States {
    lines: HashMap<(String, String), Line>,
}

/// The line of one server.
#[derive(Clone, Debug)]
pub struct Line {
    fields: Vec<String>,
}

/// Which backend a local file is for.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its id.
    pub id: u32,
}

impl States {
    /// Reads the text of a file. Lines of a local file that name another backend than its owner are told in `warnings`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn parse(text: &str, owner: Option<Owner<'_>>, warnings: &mut Vec<String>) -> Result<Self, Broken> {
        let Some((version, rest)) = text.split_once('\n') else {
            return Err(if text.is_empty() { Broken::Empty } else { Broken::Version });
        };
        if version.trim_start() != "1" {
            return Err(Broken::Version);
        }
        let mut states = Self::default();
        for (n, line) in rest.split_inclusive('\n').enumerate() {
            let Some(whole) = line.strip_suffix('\n') else { return Err(Broken::Line(n + 1)) };
            let fields: Vec<String> =
                whole.split([' ', '\t']).filter(|f| !f.is_empty()).map(Into::into).collect();
            match fields.first() {
                None => continue,
                Some(first) if first.starts_with('#') => continue,
                Some(_) if !FIELDS.contains(&fields.len()) => return Err(Broken::Line(n + 1)),
                Some(_) => {}
            }
            states.add(fields, owner, warnings);
        }
        Ok(states)
    }

    fn add(&mut self, fields: Vec<String>, owner: Option<Owner<'_>>, warnings: &mut Vec<String>) {
        let mut backend = fields[1].clone();
        if let Some(owner) = owner {
            let (same_id, same_name) = (fields[0].parse() == Ok(owner.id), backend == owner.name);
            if !same_id && !same_name {
                return;
            }
            let differs = |what: &str, file: &str, own: &str| {
                format!(
                    "Proxy '{}': backend {what} mismatch: from server state file: '{file}', from running config '{own}'",
                    owner.name
                )
            };
            if !same_id {
                warnings.push(differs("ID", &fields[0], &owner.id.to_string()));
            } else if !same_name {
                warnings.push(differs("name", &backend, owner.name));
                if fields[15] != "1" {
                    return;
                }
            }
            owner.name.clone_into(&mut backend);
        }
        // The first line of a server counts.
        let line = Line { fields: fields.get(NAMES..).unwrap_or_default().to_vec() };
        self.lines.entry((backend, fields[3].clone())).or_insert(line);
    }

    /// The address that a server had.
    pub fn last_address(&self, backend: &str, server: &str) -> Option<IpAddr> {
        self.line(backend, server)?.field(0).parse().ok()
    }

    fn line(&self, backend: &str, server: &str) -> Option<&Line> {
        self.lines.get(&(backend.to_owned(), server.to_owned()))
    }

    /// Gives the servers of a backend the states that they had, and takes their lines out; returns warnings.
    pub fn apply(&mut self, backend: &Arc<Backend>, now: Ms) -> Vec<String> {
        let mut warnings = Vec::new();
        for s in &backend.servers {
            let Some(line) = self.lines.remove(&(backend.facts.name.to_string(), s.name.to_string())) else {
                continue;
            };
            let name = format!("'{}/{}'", backend.facts.name, s.name);
            match State::parse(&line) {
                Err(why) => warnings.push(format!("server-state application failed for server {name}{why}")),
                Ok(state) => {
                    if let Err(why) = state.apply(backend, s, now) {
                        warnings.push(format!("server-state partially applied for server {name}, {why}"));
                    }
                }
            }
        }
        warnings
    }

    /// Names of the servers whose lines nobody took.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(|(_, server)| server.as_str())
    }
}

impl Line {
    fn field(&self, i: usize) -> &str {
        self.fields.get(i).map_or("", String::as_str)
    }
}

/// A line, understood.
struct State<'a> {
    line: &'a Line,
    oper: Oper,
    admin: Admin,
    uweight: u32,
    iweight: u32,
    since: u64,
    status: u8,
    health: u32,
    check: u8,
    port: u16,
}

/// `rise` and `fall` by default.
const RISE: u32 = 2;
const FALL: u32 = 3;
/// `disable health` was asked for: configured (2), not enabled (4).
const CONFIGURED: u8 = 2;
const ENABLED: u8 = 4;

impl<'a> State<'a> {
    /// Understands a line, or tells all that is wrong with it.
    fn parse(line: &'a Line) -> Result<Self, String> {
        let mut wrong = String::new();
        let mut number = |i: usize, name: &str, fits: &dyn Fn(u64) -> bool| match line.field(i).parse::<u64>()
        {
            Ok(n) if fits(n) => n,
            _ => {
                wrong += &format!(", invalid {name} value '{}'", line.field(i));
                0
            }
        };
        let below = |most: u64| move |n: u64| n <= most;
        let known = |n: u64| [0x00, 0x01, 0x04, 0x05, 0x08, 0x0c].contains(&own_reasons(n).0);
        let oper = number(1, "srv_op_state", &below(3));
        let admin = own_reasons(number(2, "srv_admin_state", &known));
        let uweight = small(number(3, "srv_uweight", &below(256)));
        let iweight = small(number(4, "srv_iweight", &below(256)));
        let since = number(5, "srv_last_time_change", &below(u64::MAX));
        let status = low(number(6, "srv_check_status", &below(18)));
        number(7, "srv_check_result", &below(4));
        let health = small(number(8, "srv_check_health", &below(u64::from(u32::MAX))));
        let check = low(number(9, "srv_check_state", &below(31)));
        number(10, "srv_agent_state", &below(31));
        number(11, "bk_f_forced_id", &below(1));
        number(12, "srv_f_forced_id", &below(1));
        let port = u16::try_from(number(14, "srv_port", &below(u64::from(u16::MAX)))).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let oper = [Oper::Down, Oper::Starting, Oper::Up, Oper::Stopping][oper.min(3) as usize];
        Ok(Self { line, oper, admin, uweight, iweight, since, status, health, check, port })
    }

    fn apply(&self, backend: &Arc<Backend>, s: &Arc<Server>, now: Ms) -> Result<(), String> {
        let tracked = s.tracks().and_then(|(be, i)| {
            let name = &be.servers.get(i as usize)?.name;
            Some(format!("{}/{name}", be.facts.name))
        });
        let cause = match (self.oper, &tracked) {
            (Oper::Down | Oper::Stopping, _) => Cause::StateFile,
            (_, Some(via)) => Cause::Tracked(via),
            (_, None) => Cause::Check(""),
        };
        // Slow start is not taken up where it was.
        let oper = if self.oper == Oper::Starting { Oper::Up } else { self.oper };
        backend.set_oper(s.index, oper, cause, now);
        self.set_admin(backend, s, now);
        let starting = self.oper == Oper::Starting;
        let disabled = self.disables_checks();
        s.restore(Restored { status: self.status, health: self.health, starting, disabled }, self.since);
        if !s.opts.check {
            // Nobody checks it, but the next file tells what this one told.
            s.check.lock().health = match self.oper {
                Oper::Down => 0,
                Oper::Stopping => RISE,
                Oper::Up | Oper::Starting => RISE + FALL - 1,
            };
        }
        if self.iweight == s.initial_weight() {
            backend.set_weight(s.index, self.uweight, now);
        }
        self.set_port(s);
        self.set_check_target(s)
    }

    /// Where the configuration has changed, it counts; else what was asked for while the process before ran.
    fn set_admin(&self, backend: &Arc<Backend>, s: &Server, now: Ms) {
        let (was, is) = (self.admin.any(Admin::CMAINT), s.state().admin.any(Admin::CMAINT));
        let forced = self.admin.any(Admin::FMAINT);
        let maint = match (was == is, is) {
            (false, disabled) => Some(disabled),
            (true, false) if forced => Some(true),
            (true, true) if !forced => Some(false),
            _ => None,
        };
        match maint {
            Some(true) => backend.start_in(s.index, Admin::FMAINT, now),
            Some(false) => backend.set_admin(s.index, Admin::NONE, Admin::FMAINT.with(Admin::FDRAIN), now),
            None => false,
        };
        // A weight of 0 that the configuration has raised is no drain any more.
        let keeps = self.iweight > 0 || s.initial_weight() == 0;
        if self.admin.any(Admin::FDRAIN) && !s.state().admin.any(Admin::FMAINT) && keeps {
            backend.start_in(s.index, Admin::FDRAIN, now);
        }
    }

    fn disables_checks(&self) -> bool {
        self.check & CONFIGURED != 0 && self.check & ENABLED == 0
    }

    fn set_port(&self, s: &Server) {
        let now = s.addr.load();
        let Address::Ip(mut addr) = now.addr else { return };
        if now.port_offset.is_none() && addr.port() != self.port {
            addr.set_port(self.port);
            s.addr.store(Arc::new(ServerAddr { addr: Address::Ip(addr), ..ServerAddr::clone(&now) }));
        }
    }

    fn set_check_target(&self, s: &Server) -> Result<(), String> {
        let (port, addr) = (self.line.field(17), self.line.field(18));
        let port = Some(port).filter(|p| !matches!(*p, "" | "0"));
        let addr = Some(addr).filter(|a| !matches!(*a, "" | "-"));
        if port.is_none() && addr.is_none() {
            return Ok(());
        }
        if !s.opts.check || self.disables_checks() {
            return Err("health checks are not enabled on this server".into());
        }
        let mut to = s.check_to.lock();
        if let Some(text) = addr {
            to.addr = Some(text.parse().map_err(|_| format!("invalid addr '{text}'"))?);
        }
        if let Some(text) = port {
            to.port = Some(text.parse().map_err(|_| "provided port is invalid".to_owned())?);
        }
        Ok(())
    }
}

/// What is inherited from other servers or from a failed look-up is found out again.
fn own_reasons(admin: u64) -> Admin {
    const FQDN_CHANGED: u8 = 0x40;
    let found_out = Admin::IMAINT.with(Admin::IDRAIN).with(Admin::RMAINT).with(Admin(FQDN_CHANGED));
    Admin(low(admin)).without(found_out)
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn low(n: u64) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

impl Server {
    /// Takes over what is known of a server's checks, and that it has been in its state for some seconds.
    fn restore(&self, known: Restored, since: u64) {
        let _ = self.restored.set(known);
        self.age.store(since.saturating_mul(1000), Relaxed);
    }
}

#[cfg(test)]
#[path = "state_file_tests.rs"]
mod tests;

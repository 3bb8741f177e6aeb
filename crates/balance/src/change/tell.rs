//! What changes of server states say, in HAProxy's words.

use super::{By, Cause, Moved};
use crate::backend::Backend;
use crate::event::{Event, Level};
use crate::server::{Admin, Oper, Server, ServerState};
use std::sync::atomic::Ordering::Relaxed;

impl Backend {
    /// Reports an operational change.
    pub(super) fn tell_oper(&self, s: &Server, to: Oper, cause: Cause<'_>, moved: Moved) {
        let (what, level) = match to {
            Oper::Down => ("DOWN", Level::Alert),
            Oper::Stopping => ("stopping", Level::Notice),
            Oper::Up | Oper::Starting => ("UP", Level::Notice),
        };
        let why = match cause {
            Cause::Check("") | Cause::Silent => String::new(),
            Cause::Check(reason) => format!(", reason: {reason}"),
            Cause::Cli => ", changed from CLI".into(),
            Cause::Web => ", changed from Web interface".into(),
            Cause::StateFile => ", changed from server-state after a reload".into(),
            Cause::Tracked(via) => format!(" via {via}"),
        };
        let tail = self.tail(s, to == Oper::Down, moved);
        self.tell(level, &format!("{}Server {}/{} is {what}{why}{tail}", backup(s), self.facts.name, s.name));
    }

    /// Reports an administrative change.
    pub(super) fn tell_admin(&self, s: &Server, before: ServerState, by: By<'_>, moved: Moved) {
        let after = s.state();
        let name = format!("{}Server {}/{}", backup(s), self.facts.name, s.name);
        let (why, forced) = match by {
            By::Order("") => (String::new(), "forced "),
            By::Order(order) => (format!(" ({order})"), "forced "),
            By::Tracked(via) => (format!(" via {via}"), ""),
            By::Start => (String::new(), ""),
        };
        let (is, was) = (|r| after.admin.any(r), |r| before.admin.any(r));
        let up = if after.oper == Oper::Down { "DOWN" } else { "UP" };
        if is(Admin::MAINT) && !was(Admin::MAINT) {
            if before.oper == Oper::Down {
                return self
                    .tell(Level::Notice, &format!("{name} was DOWN and now enters maintenance{why}."));
            }
            let tail = self.tail(s, true, moved);
            self.tell(Level::Alert, &format!("{name} is going DOWN for maintenance{why}{tail}"));
        } else if !is(Admin::MAINT) && was(Admin::MAINT) {
            let to = if is(Admin::DRAIN) { "DRAIN" } else { "READY" };
            self.tell(Level::Notice, &format!("{name} is {up}/{to} (leaving {forced}maintenance)."));
            if is(Admin::DRAIN) {
                let kind = if is(Admin::FDRAIN) { "forced" } else { "inherited" };
                self.tell(Level::Notice, &format!("{name} remains in {kind} drain mode."));
            }
        } else if is(Admin::DRAIN) && !was(Admin::DRAIN) {
            let tail = self.tail(s, after.oper == Oper::Down, moved);
            self.tell(Level::Notice, &format!("{name} enters drain state{why}{tail}"));
        } else if !is(Admin::DRAIN) && was(Admin::DRAIN) {
            self.tell(Level::Notice, &format!("{name} is {up} (leaving {forced}drain)."));
        }
    }

    fn tail(&self, s: &Server, down: bool, moved: Moved) -> String {
        let (active, backup) = (self.farm.active.load(Relaxed), self.farm.backup.load(Relaxed));
        let (verb, requeued) = (if down { "left" } else { "online" }, moved.requeued);
        let on_backup = if active == 0 && backup > 0 { " Running on backup." } else { "" };
        let head = format!(". {active} active and {backup} backup servers {verb}.{on_backup}");
        let queued = s.queued();
        if down {
            let cur = s.served();
            format!("{head} {cur} sessions active, {requeued} requeued, {queued} remaining in queue.")
        } else {
            format!("{head} {requeued} sessions requeued, {queued} total in queue.")
        }
    }

    /// Cries out when the last server was lost.
    pub(super) fn tell_empty(&self, before: u32) {
        if before != 0 && self.usable_servers() == 0 {
            let name = &self.facts.name;
            self.events.event(&Event {
                proxy: &self.facts,
                level: Level::Emerg,
                text: &format!("backend {name} has no server available!"),
                console: Some(&format!("backend '{name}' has no server available!")),
            });
        }
    }

    /// Sends a line to the logs of the backend and to the terminal.
    pub fn tell(&self, level: Level, text: &str) {
        self.events.event(&Event { proxy: &self.facts, level, text, console: Some(text) });
    }
}

fn backup(s: &Server) -> &'static str {
    if s.is_backup() { "Backup " } else { "" }
}

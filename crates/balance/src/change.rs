//! Changes of server states: checks, the command line, slow start, tracking.
//!
//! Every change recomputes who takes load, moves the waiters that are concerned, and reports in HAProxy's
//! words. Changes of one backend are serialised; servers that track another one follow after the lock of the
//! first backend was released, so that tracking across backends cannot deadlock.

use crate::algo::Member;
use crate::backend::Backend;
use crate::end::EndCause;
use crate::queue::{ANY, Wakes};
use crate::server::{Admin, Oper, Server, ServerAddr, ServerState, WEIGHT_SCALE};
use crate::time::Ms;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

mod tell;

/// Why a server's operational state changes.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'a> {
    /// A check; the text follows `reason: `. Empty when the check was logged on its own just before.
    Check(&'a str),
    /// The command line.
    Cli,
    /// The statistics page.
    Web,
    /// A state file of the process before.
    StateFile,
    /// The server that it tracks, as `backend/server`.
    Tracked(&'a str),
    /// Nobody needs to be told: initial states.
    Silent,
}

/// Where a change of the administrative state comes from.
#[derive(Clone, Copy, Debug)]
enum By<'a> {
    /// An order, which the logs tell if it has a text.
    Order(&'a str),
    /// The server that it tracks, as `backend/server`.
    Tracked(&'a str),
    /// It was so in the process before.
    Start,
}

/// What a change did to the queues.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    requeued: usize,
}

impl Backend {
    /// Recomputes who takes load; compiling ends with it.
    pub(crate) fn refresh(self: &Arc<Self>, now: Ms) {
        let _changing = self.changing.lock();
        self.recompute(now);
    }

    /// Sets the operational state of a server; a server with `slowstart` that goes up starts slowly if it was
    /// down before. Returns whether anything changed. A server in maintenance takes the state silently.
    pub fn set_oper(self: &Arc<Self>, server: u32, to: Oper, cause: Cause<'_>, now: Ms) -> bool {
        let Some(s) = self.servers.get(server as usize) else { return false };
        {
            let _changing = self.changing.lock();
            let before = s.state();
            let to = match to {
                Oper::Up if before.oper == Oper::Starting => Oper::Starting,
                Oper::Up if before.oper == Oper::Down && !silent(cause) => back_up(s),
                to => to,
            };
            if before.oper == to {
                return false;
            }
            s.oper.store(to as u8, Release);
            self.date(s, before.is_down(), now);
            let usable = self.usable_servers();
            let moved = self.settle(s, before, now);
            if !silent(cause) && !before.admin.any(Admin::MAINT) {
                self.tell_oper(s, to, cause, moved);
                self.tell_empty(usable);
            }
        }
        for (be, idx) in s.trackers() {
            let via = format!("{}/{}", self.facts.name, s.name);
            let cause = if silent(cause) { cause } else { Cause::Tracked(&via) };
            be.set_oper(idx, to, cause, now);
        }
        true
    }

    /// Changes the administrative state of a server. Returns whether anything changed.
    pub fn set_admin(self: &Arc<Self>, server: u32, add: Admin, remove: Admin, now: Ms) -> bool {
        self.admin_via(server, add, remove, By::Order(""), now)
    }

    /// The same on an order that is told in parentheses.
    pub fn set_admin_for(
        self: &Arc<Self>,
        server: u32,
        add: Admin,
        remove: Admin,
        order: &str,
        now: Ms,
    ) -> bool {
        self.admin_via(server, add, remove, By::Order(order), now)
    }

    /// Forces the operational state of a server and, if it is checked, what the next checks start from.
    pub fn force_oper(self: &Arc<Self>, server: u32, to: Oper, cause: Cause<'_>, now: Ms) {
        if let Some(s) = self.servers.get(server as usize) {
            let mut check = s.check.lock();
            let up = to != Oper::Down;
            check.health = if up { (check.rise + check.fall).saturating_sub(1) } else { 0 };
            check.forced = Some(up);
        }
        self.set_oper(server, to, cause, now);
    }

    /// Has the agent of a server say that it is up or down; only checks may then keep it down.
    pub fn force_agent(self: &Arc<Self>, server: u32, up: bool, cause: Cause<'_>, now: Ms) {
        let Some(s) = self.servers.get(server as usize) else { return };
        let Some(agent) = &s.agent else { return };
        agent.view.lock().down = !up;
        if !up || s.passes_checks() {
            self.set_oper(server, if up { Oper::Up } else { Oper::Down }, cause, now);
        }
    }

    /// Puts a server into an administrative state from the start on: nobody needs to be told.
    pub(crate) fn start_in(self: &Arc<Self>, server: u32, state: Admin, now: Ms) -> bool {
        self.admin_via(server, state, Admin::NONE, By::Start, now)
    }

    fn admin_via(self: &Arc<Self>, server: u32, add: Admin, remove: Admin, by: By<'_>, now: Ms) -> bool {
        let Some(s) = self.servers.get(server as usize) else { return false };
        let (before, after);
        {
            let _changing = self.changing.lock();
            before = s.state();
            let to = before.admin.without(remove).with(add);
            if to == before.admin {
                return false;
            }
            s.admin.store(to.0, SeqCst);
            match (before.admin.any(Admin::MAINT), to.any(Admin::MAINT)) {
                (true, false) => {
                    s.oper.store(self.after_maintenance(s, to) as u8, Release);
                    s.maintain(false);
                }
                (false, true) => s.maintain(true),
                _ => {}
            }
            after = s.state();
            self.date(s, before.is_down(), now);
            let usable = self.usable_servers();
            let moved = self.settle(s, before, now);
            if !matches!(by, By::Start) {
                self.tell_admin(s, before, by, moved);
                self.tell_empty(usable);
            }
        }
        let own = format!("{}/{}", self.facts.name, s.name);
        let then = if matches!(by, By::Start) { by } else { By::Tracked(&own) };
        for (be, idx) in s.trackers() {
            for (any, inherited) in [(Admin::MAINT, Admin::IMAINT), (Admin::DRAIN, Admin::IDRAIN)] {
                match (before.admin.any(any), after.admin.any(any)) {
                    (false, true) => be.admin_via(idx, inherited, Admin::NONE, then, now),
                    (true, false) => be.admin_via(idx, Admin::NONE, inherited, then, now),
                    _ => false,
                };
            }
        }
        true
    }

    /// What a server is when it leaves maintenance: up at once until a check says otherwise, unless it drains,
    /// in which case it waits for a check. Servers that track follow.
    fn after_maintenance(&self, s: &Server, admin: Admin) -> Oper {
        match s.tracks() {
            Some((be, idx)) => be.servers.get(idx as usize).map_or(Oper::Up, |t| t.state().oper),
            None if s.is_down_by_agent() || s.starts_down() => Oper::Down,
            None if admin.any(Admin::DRAIN) && s.check.lock().enabled && !s.has_agent() => Oper::Down,
            None => back_up(s),
        }
    }

    /// Changes the weight of a server (0 to 256), as `set weight` does.
    pub fn set_weight(self: &Arc<Self>, server: u32, weight: u32, now: Ms) {
        let Some(s) = self.servers.get(server as usize) else { return };
        let _changing = self.changing.lock();
        s.uweight.store(weight.min(256), Relaxed);
        let before = self.usable_servers();
        self.settle(s, s.state(), now);
        self.tell_empty(before);
    }

    /// Changes where a server listens, as `set server … addr` does.
    pub fn set_addr(&self, server: u32, to: ServerAddr) {
        let Some(s) = self.servers.get(server as usize) else { return };
        s.addr.store(Arc::new(to));
        s.moved.store(true, Relaxed);
    }

    /// Changes `maxconn` of a server; those who wait get the new places.
    pub fn set_maxconn(self: &Arc<Self>, server: u32, maxconn: u32) {
        if let Some(s) = self.servers.get(server as usize) {
            s.set_maxconn(maxconn);
            self.offer(server);
        }
    }

    /// Advances slow starts; to be called about once per second while [`Backend::set_oper`] left a server in
    /// [`Oper::Starting`]. Returns whether any slow start goes on.
    pub fn advance_slowstart(self: &Arc<Self>, now: Ms) -> bool {
        let mut going_on = false;
        for s in self.servers.iter().filter(|s| s.state().oper == Oper::Starting) {
            let _changing = self.changing.lock();
            self.settle(s, s.state(), now);
            going_on |= s.state().oper == Oper::Starting;
        }
        going_on
    }

    /// Derives the effective weight and the throttle from state and time since the last change.
    fn weigh(s: &Server, now: Ms) {
        let full = s.weight() * WEIGHT_SCALE;
        let slowstart = u64::from(s.opts.slowstart.unwrap_or(0));
        let since = now.saturating_sub(s.last_change());
        if s.state().oper == Oper::Starting && since < slowstart {
            let pct = (since * 100 / slowstart).clamp(1, 99) as u8;
            s.set_throttle(pct);
            s.eweight.store((full * u32::from(pct)).div_ceil(100), Relaxed);
            return;
        }
        if s.state().oper == Oper::Starting {
            s.oper.store(Oper::Up as u8, Release);
        }
        s.set_throttle(0);
        s.eweight.store(full, Relaxed);
    }

    /// Dates a change of state.
    fn date(&self, s: &Server, was_down: bool, now: Ms) {
        match (was_down, s.state().is_down()) {
            (true, false) => _ = s.downtime.fetch_add(now.saturating_sub(s.last_change()), Relaxed),
            (false, true) => _ = s.downs.fetch_add(1, Relaxed),
            _ => {}
        }
        s.last_change.store(now, Relaxed);
        s.age.store(0, Relaxed);
    }

    /// After a change of one server: recomputes, moves its waiters, and ends sessions that have to end.
    fn settle(self: &Arc<Self>, s: &Arc<Server>, before: ServerState, now: Ms) -> Moved {
        Self::weigh(s, now);
        self.recompute(now);
        let mut moved = Moved::default();
        let after = s.state();
        if after.is_down() {
            if !before.is_down() {
                if self.requeues || after.admin.any(Admin::MAINT) {
                    moved.requeued = self.requeue(s.index);
                }
                if s.opts.on_marked_down.is_some() {
                    s.end_sessions(EndCause::Down);
                }
            }
            return moved;
        }
        if before.is_down() && s.opts.on_marked_up.is_some() && !s.is_backup() {
            self.servers.iter().filter(|b| b.is_backup()).for_each(|b| b.end_sessions(EndCause::Up));
        }
        let mut wakes = Wakes::default();
        self.serve(&mut self.queue.lock(), s.index, &mut wakes);
        moved.requeued = wakes.len();
        wakes.send(self);
        moved
    }

    /// Builds the set of servers that take load: the active ones, else the backups.
    fn recompute(self: &Arc<Self>, now: Ms) {
        let takes = |backup: bool| {
            self.servers.iter().filter(move |s| {
                s.is_backup() == backup && s.effective_weight() > 0 && s.state().takes_load()
            })
        };
        let (active, backup) = (takes(false).count(), takes(true).count());
        let farm: Vec<&Arc<Server>> = match (active, self.allbackups) {
            (0, true) => takes(true).collect(),
            (0, false) => takes(true).take(1).collect(),
            _ => takes(false).collect(),
        };
        let members: Vec<Member> =
            farm.iter().map(|s| Member { index: s.index, weight: s.effective_weight() }).collect();
        self.algo.rebuild(&members, &self.servers);
        let had = self.usable_servers();
        self.farm.active.store(count(active), Relaxed);
        self.farm.backup.store(count(backup), Relaxed);
        self.farm
            .weight
            .store(farm.iter().map(|s| s.effective_weight().div_ceil(WEIGHT_SCALE)).sum(), Relaxed);
        self.farm.members.store(count(members.len()), SeqCst);
        if (had == 0) != members.is_empty() {
            self.date_farm(members.is_empty(), now);
        }
        let mut next = members.iter().map(|m| m.index).peekable();
        for s in &self.servers {
            let joins = next.next_if_eq(&s.index).is_some();
            if s.load.in_farm.swap(joins, SeqCst) != joins && joins {
                self.offer(s.index);
            }
        }
        if members.is_empty() {
            self.give_up(ANY);
        }
    }

    fn date_farm(&self, empty: bool, now: Ms) {
        let f = &self.farm;
        let last = f.last_change.swap(now, Relaxed);
        if empty {
            f.downs.fetch_add(1, Relaxed);
        } else if last != 0 {
            f.downtime.fetch_add(now.saturating_sub(last), Relaxed);
        }
    }
}

fn silent(cause: Cause<'_>) -> bool {
    matches!(cause, Cause::Silent)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What a server that was down becomes.
fn back_up(s: &Server) -> Oper {
    if s.opts.slowstart.is_some_and(|t| t != 0) { Oper::Starting } else { Oper::Up }
}

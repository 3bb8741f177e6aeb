//! Orders of administrators: changes of servers.

use crate::client::Client;
use crate::snapshot::StatsPage;
use crate::stream::Stream;
use hawser_balance::change::Cause;
use hawser_balance::server::{Admin, Oper};
use hawser_balance::{Backend, EndCause, time};
use hawser_stats::page::{Action, Form, Outcome};
use std::sync::Arc;

/// Does what the body of a request says.
pub(super) fn carry_out(cl: &Client, st: &Stream, page: &StatsPage) -> Outcome {
    let body = st.held.payload();
    if st.info.body != hawser_http::BodyLen::None && !st.held.is_complete() {
        return Outcome::Exceeded;
    }
    let Ok(form) = Form::parse(body.data) else { return Outcome::Invalid };
    let Some(name) = &form.backend else { return Outcome::Nothing };
    let found = cl.snapshot.backend(name).and_then(|p| Some(&p.back.as_ref()?.backend));
    // Whether there are proxies beside those that may be seen is nobody's business.
    if !page.settings.scopes.is_empty() && !found.is_some_and(|b| page.settings.has(&b.facts.name)) {
        return Outcome::Denied;
    }
    let Some(backend) = found else { return Outcome::Invalid };
    let Some(action) = form.action else { return Outcome::Nothing };
    let (mut named, mut altered) = (0, 0);
    for server in &form.servers {
        match backend.find(server) {
            Some(index) if apply(backend, index, action) => (named, altered) = (named + 1, altered + 1),
            Some(_) => {}
            None => named += 1,
        }
    }
    Outcome::of(named, altered)
}

/// Whether the action means anything for that server.
fn apply(be: &Arc<Backend>, index: u32, action: Action) -> bool {
    let Some(server) = be.servers.get(index as usize) else { return false };
    let now = time::now();
    let set = |add, remove| be.set_admin(index, add, remove, now);
    let ordered = |add, remove, text| be.set_admin_for(index, add, remove, text, now);
    // Who follows another server is told what to be by that one.
    let force = |to| {
        let own = server.tracks().is_none();
        if own {
            be.force_oper(index, to, Cause::Web, now);
        }
        own
    };
    let checks = |on| {
        if server.opts.check {
            server.check.lock().enabled = on;
        }
        server.opts.check
    };
    let ask = |on| {
        server.agent.iter().for_each(|a| a.view.lock().enabled = on);
        server.agent.is_some()
    };
    let agent = |up| {
        be.force_agent(index, up, Cause::Web, now);
        server.agent.is_some()
    };
    match action {
        Action::Ready => {
            set(Admin::NONE, Admin::FDRAIN);
            set(Admin::NONE, Admin::FMAINT.with(Admin::CMAINT));
        }
        Action::Drain => _ = set(Admin::FDRAIN, Admin::FMAINT.with(Admin::CMAINT)),
        Action::Maint => _ = set(Admin::FMAINT, Admin::FDRAIN),
        Action::Disable => return ordered(Admin::FMAINT, Admin::NONE, "'disable' on stats page"),
        Action::Enable => return set(Admin::NONE, Admin::FMAINT.with(Admin::CMAINT)),
        Action::Stop => return ordered(Admin::FDRAIN, Admin::NONE, "'stop' on stats page"),
        Action::Start => return set(Admin::NONE, Admin::FDRAIN),
        Action::DisableHealth => return checks(false),
        Action::EnableHealth => return checks(true),
        Action::HealthRunning => return force(Oper::Up),
        Action::HealthNolb => return force(Oper::Stopping),
        Action::HealthDown => return force(Oper::Down),
        Action::Shutdown => server.end_sessions(EndCause::Killed),
        Action::DisableAgent => return ask(false),
        Action::EnableAgent => return ask(true),
        Action::AgentRunning => return agent(true),
        Action::AgentDown => return agent(false),
    }
    true
}

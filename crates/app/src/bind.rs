//! Binding everything, with the patience that taking over from an old process needs.

use crate::Exit;
use crate::boot::Boot;
use crate::master;
use crate::oldpids::{self, OldPids};
use hawser_listener::{BindFailure, Binder, Bound};
use hawser_proto::handover::{self, Handed};
use hawser_proto::{ListenerInfo, Receiver};
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;

/// A listener and its socket on one thread.
pub(crate) type Listening = (Arc<ListenerInfo>, Box<dyn Receiver>);

/// What is bound.
pub(crate) struct Sockets {
    /// Of the services, by thread.
    pub(crate) services: BTreeMap<u32, Vec<Listening>>,
    /// Of the runtime API, each with the number of its `stats socket` line.
    pub(crate) api: Vec<(usize, Listening)>,
    /// How many addresses there are.
    pub(crate) count: u32,
}

const FAILED: &str = "Some protocols failed to start their listeners! Exiting.";

/// Binds services and the runtime API, and listens.
pub(crate) fn bind(boot: &mut Boot<'_>, old: &OldPids) -> Result<Sockets, Exit> {
    if boot.listening.binds.is_empty() && !boot.cli.iter().any(|(line, _)| *line != master::LINE) {
        return Err(boot.fail("No enabled listener found (check for 'bind' directives) ! Exiting."));
    }
    let services = boot.listening.binds.len();
    let lines: Vec<usize> = boot.cli.iter().map(|(n, _)| *n).collect();
    let mut specs = std::mem::take(&mut boot.listening.binds);
    specs.extend(std::mem::take(&mut boot.cli).into_iter().map(|(_, spec)| spec));
    let handed = take_over(boot)?;
    for spec in &mut specs {
        spec.cfg.handed.clone_from(&handed);
    }
    let order: Vec<Arc<ListenerInfo>> = specs.iter().map(|s| Arc::clone(&s.info)).collect();
    let mut binder = Binder::new(specs);
    let (failures, paused) = patiently(&mut binder, &boot.config.files, old);
    binder.warnings.iter().for_each(|w| boot.messages.warning(w));
    failures.iter().for_each(|f| boot.messages.alert(&f.text));
    let bound = if failures.is_empty() { binder.listen(&boot.config.files) } else { Err(Vec::new()) };
    let mut bound = bound.map_err(|errors| {
        errors.iter().for_each(|e| boot.messages.alert(e));
        if paused {
            old.resume();
        }
        boot.fail(FAILED)
    })?;
    // A second attempt binds out of order.
    bound.sort_by_key(|b| order.iter().position(|i| Arc::ptr_eq(i, &b.info)));
    let api = bound.split_off(services);
    let sockets = deal(boot, bound, lines.into_iter().zip(api).collect())?;
    if let Some(handed) = handed {
        // Those of lines that are gone. Who waits in their queues is the old process's business.
        handed.close();
    }
    Ok(sockets)
}

/// `-x`: asks the old process for its sockets; a worker asks the one before it.
fn take_over(boot: &Boot<'_>) -> Result<Option<Arc<Handed>>, Exit> {
    if let Some(before) = boot.link.as_ref().and_then(|l| l.before.as_ref()) {
        // Most addresses can be bound beside the worker that did not answer.
        let asked = handover::ask_over(before.as_fd()).inspect_err(|why| boot.messages.warning(why));
        return Ok(asked.ok().map(|sockets| Arc::new(Handed::new(sockets))));
    }
    if boot.link.as_ref().is_some_and(|l| !l.old.is_empty()) {
        // The command line's `-x` was for the master's first worker.
        return Ok(None);
    }
    let Some(path) = &boot.args.take_over else { return Ok(None) };
    match handover::ask(path) {
        Ok(sockets) => Ok(Some(Arc::new(Handed::new(sockets)))),
        Err(why) => {
            boot.messages.warning(&why);
            Err(boot.fail("Failed to get the sockets from the old process!"))
        }
    }
}

impl Sockets {
    /// Duplicates for `_getsocks`.
    pub(crate) fn export(&self) -> Vec<(usize, Arc<handover::Listening>)> {
        let all = self.services.values().flatten().chain(self.api.iter().map(|(_, l)| l));
        all.filter_map(|(info, r)| Some((info.frontend.index, Arc::new(r.export()?)))).collect()
    }
}

/// Tries until nothing is taken any more. An address that an old process holds is asked for again while that
/// process is made to pause; tells whether it was.
fn patiently(binder: &mut Binder, files: &[Arc<str>], old: &OldPids) -> (Vec<BindFailure>, bool) {
    let mut failures = binder.bind(files);
    for attempt in 0..oldpids::RETRIES {
        if old.is_empty() || !failures.iter().any(|f| f.in_use) {
            return (failures, attempt > 0);
        }
        if attempt == 0 {
            old.pause();
        }
        oldpids::wait();
        failures = binder.bind(files);
    }
    (failures, true)
}

/// Gives every thread its sockets; the runtime API has one thread.
fn deal(boot: &Boot<'_>, bound: Vec<Bound>, api: Vec<(usize, Bound)>) -> Result<Sockets, Exit> {
    let count = u32::try_from(bound.len() + api.len()).unwrap_or(u32::MAX);
    let mut sockets = Sockets { services: BTreeMap::new(), api: Vec::new(), count };
    let failed = |e: String| {
        boot.messages.alert(&e);
        boot.fail(FAILED)
    };
    for b in bound {
        let info = Arc::clone(&b.info);
        for (thread, receiver) in b.deal(boot.limits.threads, &boot.config.files).map_err(failed)? {
            sockets.services.entry(thread).or_default().push((Arc::clone(&info), receiver));
        }
    }
    for (line, b) in api {
        let info = Arc::clone(&b.info);
        for (_, receiver) in b.deal(1, &boot.config.files).map_err(failed)? {
            sockets.api.push((line, (Arc::clone(&info), receiver)));
        }
    }
    Ok(sockets)
}

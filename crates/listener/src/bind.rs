//! Binding, with HAProxy's messages.

use crate::compile::BindSpec;
use hawser_cfg::pos::Pos;
use hawser_proto::{ListenerInfo, ListenerState, Receiver, protocol_for};
use std::sync::Arc;

/// A receiver that is bound, and for the threads that share it, further ones.
pub struct Bound {
    /// The listener.
    pub info: Arc<ListenerInfo>,
    /// Its line.
    pub pos: Pos,
    spec: BindSpec,
    receiver: Box<dyn Receiver>,
}

impl Bound {
    /// The address with its real port.
    pub fn local_addr(&self) -> hawser_proto::Address {
        self.receiver.local_addr()
    }

    /// Deals a receiver to every thread that may accept, out of `threads`; the number with each is the
    /// thread's, from 0. All of them listen.
    ///
    /// # Errors
    /// A further socket on the address was refused; the text is a whole message.
    pub fn deal(self, threads: u32, files: &[Arc<str>]) -> Result<Vec<Dealt>, String> {
        let set = self.spec.threads.clone();
        let mut numbers: Vec<u32> = (0..threads).filter(|n| set.contains(n + 1)).collect();
        if numbers.is_empty() {
            // A set that names no existing thread would leave the address deaf.
            numbers = (0..threads.max(1)).collect();
        }
        if self.receiver.info().dgram && !self.receiver.info().reuseport {
            // One thread keeps the messages of a socket in their order.
            numbers.truncate(1);
        }
        let describe = |text: &str| message("Starting", &self.spec, files, self.receiver.info().name, text);
        let shards = self.spec.shards.map_or(numbers.len(), |n| n.max(1) as usize);
        let mut others: Vec<Dealt> = Vec::with_capacity(numbers.len());
        for (i, n) in numbers.iter().enumerate().skip(1) {
            // Once there are as many sockets as wanted, threads share them in turn.
            let model = match i % shards {
                0 => &*self.receiver,
                k => others.get(k - 1).map_or(&*self.receiver, |(_, r)| &**r),
            };
            let mut other = model.for_thread(i >= shards).map_err(|e| describe(&e.text))?;
            other.listen().map_err(|e| describe(&e))?;
            others.push((*n, other));
        }
        others.insert(0, (numbers[0], self.receiver));
        Ok(others)
    }
}

/// A receiver for a thread, numbered from 0.
pub type Dealt = (u32, Box<dyn Receiver>);

/// A message about one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindFailure {
    /// `Binding [file:line] for frontend X: protocol P: …`, with the final full stop.
    pub text: String,
    /// Somebody else has the address.
    pub in_use: bool,
}

/// Binds what [`crate::compile`] found; can be asked again for what failed.
#[derive(Default)]
pub struct Binder {
    pending: Vec<BindSpec>,
    bound: Vec<Bound>,
    /// Options that the kernel refused.
    pub warnings: Vec<String>,
}

impl Binder {
    /// Everything is still to be bound.
    pub fn new(specs: Vec<BindSpec>) -> Self {
        Self { pending: specs, bound: Vec::new(), warnings: Vec::new() }
    }

    /// Tries what is not bound yet; returns what failed. `files` are the configuration's.
    pub fn bind(&mut self, files: &[Arc<str>]) -> Vec<BindFailure> {
        let mut failures = Vec::new();
        for spec in std::mem::take(&mut self.pending) {
            let protocol = protocol_for(&spec.cfg.addr);
            let mut warnings = Vec::new();
            let outcome = protocol.bind(&spec.cfg, &mut warnings);
            let name = protocol.info().name;
            self.warnings.extend(warnings.iter().map(|w| message("Binding", &spec, files, name, w)));
            match outcome {
                Ok(receiver) => {
                    spec.info.set_state(ListenerState::Assigned);
                    let info = Arc::clone(&spec.info);
                    self.bound.push(Bound { info, pos: spec.pos, spec, receiver });
                }
                Err(e) => {
                    let text = message("Binding", &spec, files, name, &e.text);
                    failures.push(BindFailure { text, in_use: e.in_use });
                    self.pending.push(spec);
                }
            }
        }
        failures
    }

    /// Makes everything that is bound listen. UNIX paths change hands here, so only call it once nothing
    /// else can fail.
    ///
    /// # Errors
    /// Whole messages for those that cannot.
    pub fn listen(mut self, files: &[Arc<str>]) -> Result<Vec<Bound>, Vec<String>> {
        let mut errors = Vec::new();
        for b in &mut self.bound {
            match b.receiver.listen() {
                Ok(()) => b.info.set_state(ListenerState::Listen),
                Err(e) => errors.push(message("Starting", &b.spec, files, b.receiver.info().name, &e)),
            }
        }
        if errors.is_empty() { Ok(self.bound) } else { Err(errors) }
    }
}

fn message(verb: &str, spec: &BindSpec, files: &[Arc<str>], protocol: &str, text: &str) -> String {
    let file = files.get(usize::from(spec.pos.file.0)).map_or("", |f| &**f);
    let (line, frontend) = (spec.pos.line, &spec.info.frontend.name);
    format!("{verb} [{file}:{line}] for frontend {frontend}: protocol {protocol}: {text}.")
}

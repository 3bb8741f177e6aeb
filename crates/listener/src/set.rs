//! All listeners of one worker thread.

use crate::accept::Acceptor;
use hawser_proto::{AcceptSink, ListenerInfo, Receiver};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

/// `tune.maxaccept` where it is not set.
const DEFAULT_MAXACCEPT: usize = 4;

/// The listeners of one thread. Methods are for that thread only.
pub struct ListenerSet {
    sink: Rc<dyn AcceptSink>,
    maxaccept: usize,
    all: RefCell<Vec<Rc<Acceptor>>>,
}

impl ListenerSet {
    /// No listener yet. `maxaccept` is `tune.maxaccept`: `None` for the default, negative for no limit.
    pub fn new(sink: Rc<dyn AcceptSink>, maxaccept: Option<i32>) -> Self {
        let maxaccept = maxaccept.map_or(DEFAULT_MAXACCEPT, |n| usize::try_from(n).unwrap_or(0));
        Self { sink, maxaccept, all: RefCell::new(Vec::new()) }
    }

    /// Starts accepting; must be called inside the thread's runtime.
    ///
    /// # Errors
    /// The reactor refuses the descriptor.
    pub fn start(&self, info: Arc<ListenerInfo>, receiver: Box<dyn Receiver>) -> io::Result<()> {
        let acceptor = Rc::new(Acceptor::new(info, receiver));
        acceptor.enable()?;
        tokio::task::spawn_local(Rc::clone(&acceptor).run(Rc::clone(&self.sink), self.maxaccept));
        self.all.borrow_mut().push(acceptor);
        Ok(())
    }

    /// Closes listeners: those of a frontend (its index), or all. Connections live on.
    pub fn stop(&self, frontend: Option<usize>) {
        let concerned = |a: &Rc<Acceptor>| frontend.is_none_or(|i| a.info.frontend.index == i);
        let stopped: Vec<_> = self.all.borrow_mut().extract_if(.., |a| concerned(a)).collect();
        for a in stopped {
            a.close(&self.sink);
        }
    }

    /// Sends new clients to the sockets of a successor, where there is one. Returns whether others may be on their way
    /// to these, which must go on accepting for [`hawser_proto::GIVE_WAY`].
    pub fn give_way(&self) -> bool {
        self.all.borrow().iter().fold(false, |any, a| a.give_way() | any)
    }

    /// All clients are for these listeners, now that the process before this one has closed its own.
    pub fn claim(&self) {
        self.all.borrow().iter().for_each(|a| a.claim());
    }

    /// Pauses listeners: those of a frontend (its index), or all. Returns whether all could be.
    pub fn pause(&self, frontend: Option<usize>) -> bool {
        self.each(frontend, |a| a.pause())
    }

    /// Undoes [`ListenerSet::pause`]; returns whether all could be resumed.
    pub fn resume(&self, frontend: Option<usize>) -> bool {
        self.each(frontend, |a| a.resume().is_ok())
    }

    /// How many sockets accept.
    pub fn len(&self) -> usize {
        self.all.borrow().len()
    }

    /// Whether no socket accepts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn each(&self, frontend: Option<usize>, f: impl Fn(&Acceptor) -> bool) -> bool {
        let mut ok = true;
        for a in self.all.borrow().iter() {
            if frontend.is_none_or(|i| a.info.frontend.index == i) {
                ok &= f(a);
            }
        }
        ok
    }
}

//! Worker threads: each has its own runtime, its own listening sockets, its own connections.

use crate::affinity;
use crate::engine::SharedEngine;
use hawser_listener::ListenerSet;
use hawser_proto::{FrontendStatus, GIVE_WAY, ListenerInfo, Receiver};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// Tasks that a worker runs at most before it asks again for news from its sockets.
const TASKS_PER_TURN: u32 = 200;

/// What the control thread tells a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// Close the listeners; idle connections end, others finish.
    Finish,
    /// The processes before this one have closed their listeners.
    Claim,
    /// End now.
    Quit,
    /// Stop accepting so that another process may bind.
    Pause,
    /// Accept again.
    Resume,
    /// Do what the status of a frontend (its index) says.
    Frontend(usize, FrontendStatus),
}

/// What a worker tells the control thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// After [`Order::Finish`]: no connection is left.
    Finished,
    /// A listener could not be started; the text of an alert.
    Failed(String),
    /// The thread ended without having been told to.
    Died(u32),
}

/// What a worker starts with.
pub(crate) struct Plan {
    /// Its number, from 0.
    pub(crate) number: u32,
    /// What it listens on.
    pub(crate) listeners: Vec<(Arc<ListenerInfo>, Box<dyn Receiver>)>,
    /// CPUs to run on; empty for any.
    pub(crate) cpus: Vec<u32>,
    /// `tune.maxaccept`.
    pub(crate) maxaccept: Option<i32>,
}

/// A running worker.
pub(crate) struct Worker {
    orders: UnboundedSender<Order>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start(
        plan: Plan,
        engine: SharedEngine,
        events: UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let (orders, received) = unbounded_channel();
        let number = plan.number;
        let body = move || {
            let alarm = Alarm { number, events: events.clone(), told: false };
            run(plan, &engine, received, &events, alarm);
        };
        let thread = std::thread::Builder::new().name(format!("hawser/{}", number + 1)).spawn(body)?;
        Ok(Self { orders, thread })
    }

    /// Sends an order; a worker that has ended needs none.
    pub(crate) fn tell(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Where its orders go.
    pub(crate) fn orders(&self) -> UnboundedSender<Order> {
        self.orders.clone()
    }

    /// Waits for the thread to end.
    pub(crate) fn join(self) {
        let _ = self.thread.join();
    }

    /// Whether the thread has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Reports a thread that ends by a panic.
struct Alarm {
    number: u32,
    events: UnboundedSender<Event>,
    told: bool,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if !self.told {
            let _ = self.events.send(Event::Died(self.number));
        }
    }
}

fn run(
    plan: Plan,
    engine: &SharedEngine,
    orders: UnboundedReceiver<Order>,
    events: &UnboundedSender<Event>,
    mut alarm: Alarm,
) {
    if let Err(e) = affinity::pin(&plan.cpus) {
        let _ =
            events.send(Event::Failed(format!("Cannot bind thread {} to its CPUs ({e}).", plan.number + 1)));
    }
    let mut builder = Builder::new_current_thread();
    builder.enable_all().event_interval(TASKS_PER_TURN);
    match builder.build_local(LocalOptions::default()) {
        // Connections still open close when it is dropped.
        Ok(runtime) => runtime.block_on(serve(plan, engine, orders, events)),
        Err(e) => {
            let _ = events.send(Event::Failed(format!("Cannot start a worker thread ({e}).")));
        }
    }
    alarm.told = true;
}

async fn serve(
    plan: Plan,
    engine: &SharedEngine,
    mut orders: UnboundedReceiver<Order>,
    events: &UnboundedSender<Event>,
) {
    let server = engine.worker(plan.number);
    let listeners = ListenerSet::new(server.clone().sink(), plan.maxaccept);
    for (info, receiver) in plan.listeners {
        let name = format!("{} of {}", info.name, info.frontend.name);
        if let Err(e) = listeners.start(info, receiver) {
            let _ = events.send(Event::Failed(format!("Cannot start listener {name} ({e}).")));
        }
    }
    let mut finishing = false;
    // When the listeners close.
    let mut closing: Option<Instant> = None;
    loop {
        let order = tokio::select! {
            order = orders.recv() => order.unwrap_or(Order::Quit),
            () = poll_fn(|cx| server.poll_ended(cx)), if finishing => {
                finishing = false;
                let _ = events.send(Event::Finished);
                continue;
            }
            () = tokio::time::sleep_until(closing.unwrap_or_else(Instant::now)), if closing.is_some() => {
                closing = None;
                listeners.stop(None);
                server.stop();
                finishing = true;
                continue;
            }
        };
        match order {
            Order::Quit => return,
            Order::Pause => drop(listeners.pause(None)),
            Order::Resume => drop(listeners.resume(None)),
            Order::Frontend(i, FrontendStatus::Paused) => drop(listeners.pause(Some(i))),
            Order::Frontend(i, FrontendStatus::Open) => drop(listeners.resume(Some(i))),
            Order::Frontend(i, FrontendStatus::Stopped) => listeners.stop(Some(i)),
            Order::Finish => {
                let patience = if listeners.give_way() { GIVE_WAY } else { Duration::ZERO };
                closing = Some(Instant::now() + patience);
            }
            Order::Claim => listeners.claim(),
        }
    }
}

//! A client's connection from its accept on: the rules that come before any request, then HTTP or TCP.

use crate::attach::{self, Turning};
use crate::client::{Client, ClientConn};
use crate::handshake::Shaking;
use crate::raw::Raw;
use crate::snapshot::{Proxy, Snapshot};
use crate::worker::Worker;
use hawser_balance::TrafficEvent;
use hawser_proto::mux::Fronted;
use hawser_proto::{Address, ConnSlot, Incoming, SockOpt, Transport, clock};
use hawser_rules::{Asks, Room, RuleSet, Txn, Verdict};
use hawser_sample::facts::Sess;
use hawser_stick::Event;
use std::cell::RefCell;
use std::sync::Arc;

/// A connection that the rules have let in, and what serves it.
pub(crate) enum Admitted {
    /// Something has to be read first.
    Shaking(Shaking),
    Http(Box<Client>, Fronted),
    Tcp(Box<Client>, Raw),
    /// It is to carry requests to its peer.
    Turning(Turning),
}

/// What needs no waiting: facts, `tcp-request connection` rules and, where no handshake comes between, `session` rules.
pub(crate) fn admit(worker: Worker, snapshot: Arc<Snapshot>, incoming: Incoming) -> Option<Admitted> {
    let Incoming { mut transport, src, slot } = incoming;
    let fe = snapshot.proxy(slot.listener().frontend.index).cloned()?;
    let sess = session(&worker, &fe, &mut *transport, src, &slot);
    let (sess, kept) = (RefCell::new(sess), RefCell::default());
    let cl = Box::new(Client::new(ClientConn { worker, snapshot, fe, sess, slot, kept }));
    let mut expect = cl.slot.listener().expect;
    let mut asks = Asks::default();
    if !connection_rules(&cl, RuleSet::TcpReqConn, &mut asks, &mut *transport) {
        return None;
    }
    expect.proxy |= asks.expect_proxy;
    if asks.expect_cip {
        expect.cip = Some(cl.slot.listener().cip_magic);
    }
    if !expect.is_none() {
        return Some(Admitted::Shaking(Shaking { cl, transport, expect }));
    }
    session_rules(cl, transport)
}

/// `tcp-request session` rules, and what comes after them.
pub(crate) fn session_rules(cl: Box<Client>, mut transport: Box<dyn Transport>) -> Option<Admitted> {
    let mut asks = Asks::default();
    if !connection_rules(&cl, RuleSet::TcpReqSess, &mut asks, &mut *transport) {
        return None;
    }
    cl.tally_session(Event::Session);
    if let Some(to) = asks.attach {
        return attach::begin(cl, transport, to);
    }
    if !cl.fe.is_http() {
        return Some(Admitted::Tcp(cl, Raw::new(transport)));
    }
    let mux = cl.fe.front.as_ref()?.muxes.of(cl.slot.listener().proto.as_deref())?.clone();
    cl.sess.borrow_mut().fc_http_major = 1;
    Some(Admitted::Http(cl, mux.accept(transport, None)))
}

/// Facts about a new connection.
fn session(
    worker: &Worker,
    fe: &Proxy,
    transport: &mut dyn Transport,
    src: Address,
    slot: &ConnSlot,
) -> Sess {
    let listener = slot.listener();
    let mut sess = Sess::new(fe.facts.clone(), worker.now(), clock::wall());
    sess.fc_src = src.clone();
    sess.src = src;
    sess.dst = match &listener.addr {
        // What the connection was sent to needs no asking where only one address listens.
        Address::Ip(a) if !a.ip().is_unspecified() && a.port() != 0 => listener.addr.clone(),
        _ => transport.get_dst(),
    };
    sess.fc_dst = sess.dst.clone();
    sess.listener_name = listener.named.then(|| listener.name.clone());
    sess.listener_id = listener.id;
    if listener.saved_syn {
        sess.rare_mut().saved_syn = transport.saved_syn().map(Into::into);
    }
    sess
}

/// `tcp-request connection` or `tcp-request session`; false when the connection is refused.
fn connection_rules(cl: &Client, set: RuleSet, asks: &mut Asks, transport: &mut dyn Transport) -> bool {
    let fe = cl.fe.clone();
    if fe.rules.get(set).is_empty() {
        return true;
    }
    let verdict = eval(cl, set, asks);
    if let Some(mark) = asks.fc_mark {
        let _ = transport.set_option(SockOpt::Mark(mark));
    }
    if let Some(tos) = asks.fc_tos {
        let _ = transport.set_option(SockOpt::Tos(tos));
    }
    match verdict {
        Verdict::Continue | Verdict::Allow => true,
        Verdict::SilentDrop { rst_ttl } => {
            cl.deny_connection();
            let _ = transport.set_option(SockOpt::Vanish(rst_ttl));
            false
        }
        _ => {
            cl.saw(match set {
                RuleSet::TcpReqConn => TrafficEvent::DeniedConn,
                _ => TrafficEvent::DeniedSess,
            });
            false
        }
    }
}

fn eval(cl: &Client, set: RuleSet, asks: &mut Asks) -> Verdict {
    let (worker, snapshot, fe) = (&cl.worker, &cl.snapshot, &cl.fe);
    let view = crate::client::View { worker, snapshot };
    let mut txn = Txn {
        sess: &mut cl.sess.borrow_mut(),
        strm: None,
        req: None,
        res: None,
        req_data: None,
        res_data: None,
        proc_vars: &worker.shared().proc_vars,
        rt: &view,
        response: false,
        partial: false,
        capture_lens: [&[], &[]],
        errors: hawser_rules::Errors { backend: None, frontend: Some(&fe.errors) },
        room: Room { bufsize: snapshot.bufsize, held: 0 },
        asks,
    };
    fe.rules.get(set).eval(&mut txn, 0)
}

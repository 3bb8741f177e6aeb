//! Between `tcp-request connection` and `tcp-request session` rules: the headers that tell where a client really is.

use crate::client::Client;
use crate::conn::{Admitted, session_rules};
use crate::stream::with_ctx;
use hawser_cfg::model::opt;
use hawser_proto::Transport;
use hawser_proto::pp::{self, Expect, Failure};
use hawser_sample::connection_error;
use hawser_sample::facts::{LogOrigin, TermCause, TermState};

/// A connection whose headers are still to come.
pub(crate) struct Shaking {
    pub(crate) cl: Box<Client>,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) expect: Expect,
}

impl Shaking {
    /// Reads the headers and applies `tcp-request session` rules; nothing for a connection that is refused.
    pub(crate) async fn done(self) -> Option<Admitted> {
        let Self { cl, mut transport, expect } = self;
        let limit = cl.slot.listener().handshake_timeout;
        let header = match pp::receive(&mut *transport, expect, limit).await {
            Ok(header) => header,
            Err(why) => {
                cl.sess.borrow_mut().fc_err = why as u8;
                log(&cl, why);
                return None;
            }
        };
        cl.sess.borrow_mut().rcvd_proxy = expect.proxy;
        cl.sess.borrow_mut().rare_mut().pp_tlvs = Some(header.tlvs);
        if let Some((src, dst)) = header.addrs {
            cl.sess.borrow_mut().src = src;
            cl.sess.borrow_mut().dst = dst;
        }
        session_rules(cl, transport)
    }
}

/// Connections that ended before there was a stream are logged by their error alone.
fn log(cl: &Client, why: Failure) {
    let Some(front) = &cl.fe.front else { return };
    if why.is_null() && cl.fe.options.has(opt::DONTLOGNULL) {
        return;
    }
    let mut st = cl.worker.take_stream();
    st.strm.log_origin = LogOrigin::SessError;
    st.ended(TermCause::Proxy, TermState::Request);
    with_ctx(cl, &st, false, |ctx| {
        front.logger.log_session_error(ctx, connection_error(why as u8).1);
    });
    cl.worker.give_stream(st);
}

//! A client's connection that carries many requests at once: one task moves it on, one task serves each request.

use crate::client::Client;
use crate::timers::later;
use hawser_balance::TrafficEvent;
use hawser_cfg::model::opt;
use hawser_proto::mux::{FrontConn, FrontStream};
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

/// Serves a connection until it is over.
pub(super) async fn serve(mut cl: Box<Client>, mut conn: Box<dyn FrontConn>) {
    {
        let mut sess = cl.sess.borrow_mut();
        sess.fc_http_major = 2;
        sess.fc_streams_limit = cl.fe.front.as_ref().map_or(1, |f| f.max_streams);
    }
    cl.saw(TrafficEvent::H2Sess);
    let mut life = Life { idle_since: cl.now(), served: false, draining: false };
    poll_fn(|cx| life.poll(cx, &mut cl, &mut *conn)).await;
    if cl.fe.options.has(opt::NOLINGER) {
        conn.set_linger_zero();
    }
    cl.saw(TrafficEvent::H2Closed);
}

/// What the owner of a connection keeps in mind.
struct Life {
    /// The last moment when there was a stream.
    idle_since: Instant,
    /// It has carried a request.
    served: bool,
    /// It was told to end.
    draining: bool,
}

impl Life {
    /// Moves the connection on; ready once it is over.
    fn poll(&mut self, cx: &mut Context<'_>, cl: &mut Client, conn: &mut dyn FrontConn) -> Poll<()> {
        loop {
            let patient = cl.fe.options.has(opt::IDLE_CLOSE_ON_RESPONSE) && conn.streams() == 0;
            if cl.worker.is_stopping() && !patient {
                self.drain(cl, conn);
            }
            match conn.poll_stream(cx) {
                Poll::Ready(Some(stream)) => {
                    note(cl, conn);
                    self.served = true;
                    launch(cl, stream);
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => {
                    note(cl, conn);
                    let deadline = self.deadline(cl, conn);
                    if cl.poll_deadline(cx, deadline).is_pending() {
                        return Poll::Pending;
                    }
                    if self.draining {
                        return Poll::Ready(());
                    }
                    self.drain(cl, conn);
                }
            }
        }
    }

    fn drain(&mut self, cl: &Client, conn: &mut dyn FrontConn) {
        if !self.draining {
            self.draining = true;
            self.idle_since = cl.now();
            conn.drain();
        }
    }

    /// How long the client may say nothing; streams have timeouts of their own.
    fn deadline(&mut self, cl: &Client, conn: &dyn FrontConn) -> Option<Instant> {
        if conn.streams() > 0 {
            self.idle_since = cl.now();
            return None;
        }
        let times = &cl.fe.times;
        let silence = if self.draining {
            times.client_fin.or(times.client)
        } else if self.served {
            times.http_keep_alive
        } else {
            times.http_request
        };
        later(self.idle_since, silence)
    }
}

/// What rules and logs are told of the connection.
fn note(cl: &Client, conn: &dyn FrontConn) {
    let mut sess = cl.sess.borrow_mut();
    sess.fc_streams = conn.streams();
    sess.fc_glitches = conn.glitches();
}

/// Starts the task of a request.
fn launch(cl: &mut Client, front: Box<dyn FrontStream>) {
    let stream = cl.stream(cl.request);
    cl.request += 1;
    cl.worker.spawn_stream(one(stream, front));
}

/// One request. Dropping its stream tells the client if the response was not sent whole.
async fn one(mut cl: Client, mut front: Box<dyn FrontStream>) {
    super::request(&mut cl, &mut *front).await;
    drop(front);
    cl.end_stream();
}

//! What is counted on the entries of stick tables that streams and sessions track, and when.

use crate::client::Client;
use crate::stream::Stream;
use hawser_proto::freq::ms_at;
use hawser_stick::{Event, count};

impl Client {
    /// Counts on what the stream tracks, and on what its session does.
    pub(crate) fn tally(&self, st: &Stream, event: Event) {
        let sess = self.sess.borrow();
        if !(st.strm.tracked.is_empty() && sess.tracked.is_empty()) {
            count(&st.strm.tracked, &sess.tracked, event, ms_at(self.now()));
        }
    }

    /// Counts on what the session tracks: there is no stream.
    pub(crate) fn tally_session(&self, event: Event) {
        let sess = self.sess.borrow();
        if !sess.tracked.is_empty() {
            sess.tracked.count(event, ms_at(self.now()));
        }
    }

    /// The HTTP rules of a backend are due: what its content rules track has not seen the request yet.
    pub(crate) fn tally_backend(&self, st: &Stream) {
        if !st.strm.tracked.is_empty() {
            st.strm.tracked.count_backend(Event::HttpRequest, ms_at(self.now()));
        }
    }

    /// A response has come: whose fault is it?
    pub(crate) fn tally_status(&self, st: &Stream, status: u16) {
        if self.snapshot.http_codes.errors.has(status) {
            self.tally(st, Event::HttpError);
        }
        if self.snapshot.http_codes.failures.has(status) {
            self.tally(st, Event::HttpFailure);
        }
    }

    /// Bytes of a stream: in, out.
    pub(crate) fn tally_bytes(&self, st: &Stream, [received, sent]: [u64; 2]) {
        for event in [Event::BytesIn(received), Event::BytesOut(sent)] {
            if !matches!(event, Event::BytesIn(0) | Event::BytesOut(0)) {
                self.tally(st, event);
            }
        }
    }

    /// The client's connection has shown so many oddities by now.
    pub(crate) fn note_glitches(&self, now: u32) {
        let mut sess = self.sess.borrow_mut();
        let new = now.wrapping_sub(sess.fc_glitches);
        sess.fc_glitches = now;
        if new > 0 && !sess.tracked.is_empty() {
            sess.tracked.count(Event::Glitches(new), ms_at(self.now()));
        }
    }
}

//! Health checks over connections of traffic.

use hawser_check::{Lent, Pool, Target};
use hawser_proto::mux::BackStream;
use hawser_session::{Loan, Worker};

/// The connections of a worker.
pub(super) struct Workers(pub(super) Worker);

struct One(Loan);

impl Pool for Workers {
    fn take(&self, to: Target<'_>) -> Option<Box<dyn Lent>> {
        let loan = self.0.lend(to.backend, to.server, to.name.map(str::as_bytes))?;
        Some(Box::new(One(loan)))
    }

    fn opened(&self, to: Target<'_>, stream: Box<dyn BackStream>) -> Box<dyn Lent> {
        Box::new(One(self.0.lend_new(to.backend, to.server, to.name.map(str::as_bytes), stream)))
    }
}

impl Lent for One {
    fn stream(&mut self) -> &mut dyn BackStream {
        self.0.stream()
    }

    fn give_back(self: Box<Self>) {
        self.0.give_back();
    }
}

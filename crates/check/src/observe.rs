//! Health as traffic shows it (manual 5.2 `observe`, `error-limit`, `on-error`).

use crate::check::Check;
use crate::driver::Wake;
use crate::probe::Outcome;
use crate::status::Status;
use hawser_balance::{Ms, Observation, Observer};
use hawser_cfg::model::ServerOpts;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use tokio::sync::mpsc::UnboundedSender;

/// Errors in a row that matter, by default.
const ERROR_LIMIT: u32 = 10;

/// The observer of one server.
pub(crate) struct Observing {
    check: Weak<Check>,
    layer7: bool,
    limit: u32,
    on_error: OnError,
    /// Errors in a row.
    errors: AtomicU32,
    /// Tells the driver that the check is due sooner.
    wake: UnboundedSender<Wake>,
    number: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OnError {
    FastInter,
    FailCheck,
    SuddenDeath,
    MarkDown,
}

impl Observing {
    /// The observer that the options ask for.
    pub(crate) fn new(
        check: &Arc<Check>,
        o: &ServerOpts,
        wake: UnboundedSender<Wake>,
        number: usize,
    ) -> Option<Self> {
        let layer7 = match o.observe.as_deref()? {
            "layer4" => false,
            "layer7" => true,
            _ => return None,
        };
        let on_error = match o.on_error.as_deref() {
            Some("fastinter") => OnError::FastInter,
            Some("sudden-death") => OnError::SuddenDeath,
            Some("mark-down") => OnError::MarkDown,
            _ => OnError::FailCheck,
        };
        let limit = o.error_limit.unwrap_or(ERROR_LIMIT).max(1);
        Some(Self {
            check: Arc::downgrade(check),
            layer7,
            limit,
            on_error,
            errors: AtomicU32::new(0),
            wake,
            number,
        })
    }

    fn too_many(&self, check: &Check, last: &str, now: Ms) {
        let info = format!("Detected {} consecutive errors, last one was: {last}", self.limit);
        let outcome = Outcome { status: Status::Hana, code: None, info, duration: 0 };
        match self.on_error {
            OnError::FastInter => {}
            OnError::FailCheck => check.apply(&outcome, now, |_| {}),
            // One more failure after this one takes it down.
            OnError::SuddenDeath => check.apply(&outcome, now, |h| h.make_fragile(1)),
            OnError::MarkDown => check.apply(&outcome, now, |h| h.make_fragile(0)),
        }
        let at = now + Ms::from(check.settings.fastinter);
        // The driver may be gone with the process.
        drop(self.wake.send(Wake { check: self.number, at }));
    }
}

impl Observer for Observing {
    fn observed(&self, what: Observation, now: Ms) {
        match judge(what, self.layer7) {
            Judgement::Good => {
                // Mostly it is 0 already: do not write to a line that all threads read.
                if self.errors.load(Relaxed) != 0 {
                    self.errors.store(0, Relaxed);
                }
            }
            Judgement::Nothing => {}
            Judgement::Bad(text) => {
                let Some(check) = self.check.upgrade() else { return };
                let usable = check.server().is_some_and(|s| s.is_usable());
                if usable && self.errors.fetch_add(1, Relaxed) + 1 == self.limit {
                    self.errors.store(0, Relaxed);
                    self.too_many(&check, text, now);
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Judgement {
    Good,
    Nothing,
    Bad(&'static str),
}

fn judge(what: Observation, layer7: bool) -> Judgement {
    use Judgement::{Bad, Good, Nothing};
    match what {
        Observation::L4Err => Bad("L4 unsuccessful connection"),
        Observation::L4Ok if layer7 => Nothing,
        Observation::L4Ok => Good,
        _ if !layer7 => Nothing,
        Observation::Response(100..=499 | 501 | 505) => Good,
        Observation::Response(_) => Bad("Wrong http response"),
        Observation::BadHeaders => Bad("Invalid http response (headers)"),
        Observation::BadResponse => Bad("Invalid http response"),
        Observation::ReadError => Bad("Read error (http)"),
        Observation::ReadTimeout => Bad("Read timeout (http)"),
        Observation::BrokenPipe => Bad("Close from server (http)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judgements() {
        use Judgement::{Bad, Good, Nothing};
        let cases = [
            (Observation::L4Ok, Good, Nothing),
            (Observation::L4Err, Bad("L4 unsuccessful connection"), Bad("L4 unsuccessful connection")),
            (Observation::Response(200), Nothing, Good),
            (Observation::Response(499), Nothing, Good),
            (Observation::Response(500), Nothing, Bad("Wrong http response")),
            (Observation::Response(501), Nothing, Good),
            (Observation::Response(505), Nothing, Good),
            (Observation::Response(503), Nothing, Bad("Wrong http response")),
            (Observation::BadHeaders, Nothing, Bad("Invalid http response (headers)")),
            (Observation::ReadTimeout, Nothing, Bad("Read timeout (http)")),
        ];
        for (what, layer4, layer7) in cases {
            assert_eq!((judge(what, false), judge(what, true)), (layer4, layer7), "{what:?}");
        }
    }
}

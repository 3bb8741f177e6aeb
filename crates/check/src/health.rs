//! Health of a server: results in, states out. No clock, no socket.

use crate::status::{Status, Verdict};
use hawser_balance::server::{Oper, Restored, check_code, health_after_maintenance};
use std::fmt;

/// Counts results between 0 (surely down) and `rise + fall - 1` (surely up). The server goes up when `rise` is
/// reached from below and down when a failure strikes at `rise`; both then jump to the end of the scale.
#[derive(Clone, Debug)]
pub struct Health {
    rise: u32,
    fall: u32,
    health: u32,
    status: Status,
}

/// What a result did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Status or health changed: `option log-health-checks` logs it.
    pub changed: bool,
    /// The state the server has to be in now, if the result decides it.
    pub to: Option<Oper>,
}

impl Health {
    /// The health at start. A server is up without having been checked: its first failure takes it down.
    pub fn new(rise: u32, fall: u32, init_state: Option<&str>) -> Self {
        let (rise, fall) = (rise.max(1), fall.max(1));
        let mut h = Self { rise, fall, health: 0, status: Status::Init };
        h.health = match init_state {
            Some("fully-up") => h.full(),
            Some("up") => rise,
            Some("down") => rise - 1,
            _ => 0,
        };
        h
    }

    /// The health that a state file tells of, for a server in this state.
    pub(crate) fn restored(rise: u32, fall: u32, known: Restored, oper: Oper) -> Self {
        let mut h = Self::new(rise, fall, None);
        h.status = check_code(known.status).and_then(Status::of_code).unwrap_or_default();
        h.health = match oper {
            Oper::Down => 0,
            // As one that was not checked yet.
            _ if known.starting => {
                h.status = Status::Init;
                h.rise - 1
            }
            Oper::Stopping if (h.rise..h.full()).contains(&known.health) => known.health,
            Oper::Stopping => h.rise,
            Oper::Up | Oper::Starting => h.full(),
        };
        h
    }

    /// Surely up.
    pub fn full(&self) -> u32 {
        self.rise + self.fall - 1
    }

    /// The count.
    pub fn value(&self) -> u32 {
        self.health
    }

    /// Checks find the server well.
    pub(crate) fn is_up(&self) -> bool {
        self.health >= self.rise
    }

    /// Result of the last check.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Neither surely up nor surely down, or not checked yet: the next check is due after `fastinter`.
    pub fn is_transitional(&self) -> bool {
        self.status == Status::Init || (self.health > 0 && self.health < self.full())
    }

    /// Maintenance ended: up or down as `init-state` says, to be confirmed by the next check.
    pub fn restart(&mut self, init_state: Option<&str>) {
        self.status = Status::Init;
        self.health = health_after_maintenance(init_state, self.rise, self.fall);
    }

    /// The server was declared up or down.
    pub fn force(&mut self, up: bool) {
        self.health = if up { self.full() } else { 0 };
    }

    /// One more failure takes the server down (`on-error sudden-death`, and `mark-down` before it).
    pub fn make_fragile(&mut self, above: u32) {
        self.health = self.health.min(self.rise + above);
    }

    /// Takes a result; `oper` is the state that the server is in.
    pub fn apply(&mut self, status: Status, oper: Oper) -> Applied {
        let before = (self.status, self.health);
        // The state may have been changed behind the checks' back, by the CLI.
        if oper == Oper::Down && self.health >= self.rise {
            self.health = 0;
        }
        self.status = status;
        let to = match status.verdict() {
            Verdict::Neutral => None,
            Verdict::Failed => self.fail(),
            Verdict::Passed => self.pass().then_some(Oper::Up),
            // A server that is down stays down on such an answer.
            Verdict::CondPassed if oper == Oper::Down => None,
            Verdict::CondPassed => {
                self.pass();
                Some(Oper::Stopping)
            }
        };
        Applied { changed: before != (self.status, self.health), to }
    }

    fn pass(&mut self) -> bool {
        if self.health < self.full() {
            self.health += 1;
            if self.health >= self.rise {
                self.health = self.full();
            }
        }
        self.health >= self.rise
    }

    fn fail(&mut self) -> Option<Oper> {
        if self.health > self.rise {
            self.health -= 1;
            return None;
        }
        self.health = 0;
        Some(Oper::Down)
    }
}

/// `2/3 UP`, `0/2 DOWN`.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.health >= self.rise {
            write!(f, "{}/{} UP", self.health - self.rise + 1, self.fall)
        } else {
            write!(f, "{}/{} DOWN", self.health, self.rise)
        }
    }
}

#[cfg(test)]
mod tests;

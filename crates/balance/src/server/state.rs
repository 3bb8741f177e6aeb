//! Operational and administrative state of a server.

use super::Server;
use std::fmt;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// What checks think of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Oper {
    /// Down.
    Down,
    /// Up again, in slow start.
    Starting,
    /// Up.
    Up,
    /// `NOLB`: serves who is bound to it, takes no new load (`http-check disable-on-404`).
    Stopping,
}

impl Oper {
    fn of(v: u8) -> Self {
        match v {
            0 => Self::Down,
            1 => Self::Starting,
            2 => Self::Up,
            _ => Self::Stopping,
        }
    }
}

/// Administrative state: a set of reasons to be in maintenance or drain. Numbers are those of
/// `show servers state`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Admin(pub u8);

impl Admin {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Maintenance was asked for.
    pub const FMAINT: Self = Self(0x01);
    /// Maintenance inherited from a tracked server.
    pub const IMAINT: Self = Self(0x02);
    /// Maintenance comes from `disabled` in the configuration.
    pub const CMAINT: Self = Self(0x04);
    /// Drain was asked for.
    pub const FDRAIN: Self = Self(0x08);
    /// Drain inherited from a tracked server.
    pub const IDRAIN: Self = Self(0x10);
    /// Maintenance because the name could not be resolved.
    pub const RMAINT: Self = Self(0x20);
    /// Any maintenance.
    pub const MAINT: Self = Self(0x23);
    /// Any drain.
    pub const DRAIN: Self = Self(0x18);

    /// Some of these reasons hold.
    pub fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admin({:#04x})", self.0)
    }
}

/// Both states at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerState {
    /// Operational.
    pub oper: Oper,
    /// Administrative.
    pub admin: Admin,
}

impl ServerState {
    /// Connections may be sent to it, whether by load balancing or by persistence.
    pub fn is_usable(self) -> bool {
        !self.is_down()
    }

    /// It takes no connection at all.
    pub fn is_down(self) -> bool {
        self.admin.any(Admin::MAINT) || self.oper == Oper::Down
    }

    /// Load balancing may choose it, if its weight allows.
    pub fn takes_load(self) -> bool {
        !self.admin.any(Admin::MAINT.with(Admin::DRAIN)) && matches!(self.oper, Oper::Up | Oper::Starting)
    }
}

impl Server {
    /// The state.
    pub fn state(&self) -> ServerState {
        ServerState { oper: Oper::of(self.oper.load(Acquire)), admin: Admin(self.admin.load(Relaxed)) }
    }

    /// Connections may be sent to it.
    pub fn is_usable(&self) -> bool {
        self.state().is_usable()
    }

    /// The word of `show stat` (`status`); `tracked` is the server that it follows, as `backend/server`.
    pub fn status_word(&self, tracked: Option<&str>) -> String {
        let s = self.state();
        if s.admin.any(Admin::IMAINT) && !s.admin.any(Admin::FMAINT) {
            return format!("MAINT (via {})", tracked.unwrap_or_default());
        }
        if s.admin.any(Admin::RMAINT) && !s.admin.any(Admin::FMAINT) {
            return "MAINT (resolution)".into();
        }
        if s.admin.any(Admin::MAINT) {
            return "MAINT".into();
        }
        // What is said of a server that follows others is what is known of the last of them.
        let last = self.last_tracked();
        let known = last.as_deref().unwrap_or(self);
        if s.oper == Oper::Down && known.is_down_by_agent() {
            return "DOWN (agent)".into();
        }
        if s.oper != Oper::Down && s.admin.any(Admin::DRAIN) && known.has_agent() {
            return "DRAIN (agent)".into();
        }
        let check = known.check.lock();
        let progress = |word: &str| {
            let (health, rise, fall) =
                (i64::from(check.health), i64::from(check.rise), i64::from(check.fall));
            if s.oper == Oper::Down && health > 0 && health < rise {
                format!("{word} {health}/{rise}")
            } else if s.oper != Oper::Down && check.enabled && health + 1 < rise + fall {
                // What was not checked often enough yet is not even at its first success.
                format!("{word} {}/{fall}", health + 1 - rise)
            } else {
                word.into()
            }
        };
        if s.oper == Oper::Down {
            return progress("DOWN");
        }
        if s.admin.any(Admin::DRAIN) {
            return progress("DRAIN");
        }
        match (check.enabled, s.oper) {
            (_, Oper::Stopping) => progress("NOLB"),
            (false, _) => "no check".into(),
            (true, _) => progress("UP"),
        }
    }
}

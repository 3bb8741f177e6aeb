//! Milliseconds since the process started: what balancing, queues and checks measure with.

use hawser_proto::clock;
use std::sync::OnceLock;
use std::time::Instant;

/// Milliseconds since the first call of [`ms`] or [`now`] in this process, plus [`EPOCH`].
pub type Ms = u64;

/// Where the count starts: far enough from 0 for "one second ago" to exist, and for 0 to mean "never".
pub const EPOCH: Ms = 1 << 20;

static ANCHOR: OnceLock<Instant> = OnceLock::new();

/// Converts a moment.
pub fn ms(at: Instant) -> Ms {
    let anchor = *ANCHOR.get_or_init(clock::now);
    let since = at.saturating_duration_since(anchor).as_millis();
    EPOCH.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
}

/// The present moment; reads the clock.
pub fn now() -> Ms {
    ms(clock::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn differences_are_kept() {
        let t = clock::now();
        let a = ms(t);
        assert_eq!(ms(t + Duration::from_millis(1500)) - a, 1500);
        assert!(a >= EPOCH);
    }
}

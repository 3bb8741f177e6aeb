//! Milliseconds on the process's own scale: what balancing, queues and checks measure with.

use hawser_proto::freq;
use std::time::Instant;

/// Milliseconds on the scale of [`freq::now_ms`].
pub type Ms = u64;

/// Converts a moment.
pub fn ms(at: Instant) -> Ms {
    freq::ms_at(at)
}

/// The present moment; reads the clock.
pub fn now() -> Ms {
    freq::now_ms()
}

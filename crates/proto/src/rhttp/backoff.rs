//! How long to leave a peer alone after failures.

use std::time::Duration;

/// The first pause, HAProxy's only one.
const FIRST: Duration = Duration::from_secs(1);

/// The pause after `failures` (from 1 on) failures in a row: a second at first, then twice as long each time up to
/// `max`, less up to a quarter as `random` (from 0 to 1) says, so that peers that lost the same edge at the same moment
/// do not come back at the same moment.
pub fn delay(failures: u32, max: Duration, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(30);
    let full = FIRST.saturating_mul(1 << doublings).min(max);
    full.mul_f64(1.0 - random.clamp(0.0, 1.0) / 4.0)
}

/// A number from 0 to 1 that differs from one call, thread and process to the next.
pub(super) fn random() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bits = RandomState::new().build_hasher().finish();
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound() {
        let max = Duration::from_secs(30);
        let ms = |n, r| delay(n, max, r).as_millis();
        let full: Vec<_> = (1..=7).map(|n| ms(n, 0.0)).collect();
        assert_eq!(full, [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        let least: Vec<_> = (1..=7).map(|n| ms(n, 1.0)).collect();
        assert_eq!(least, [750, 1500, 3000, 6000, 12000, 22500, 22500]);
        assert_eq!(ms(u32::MAX, 0.0), 30000);
        assert_eq!(delay(0, max, 0.0), Duration::from_secs(1));
        assert_eq!(delay(9, Duration::from_millis(200), 0.0), Duration::from_millis(200));
    }

    #[test]
    fn chance_stays_within_its_bounds() {
        let drawn: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(drawn.iter().all(|r| (0.0..=1.0).contains(r)));
        assert!(drawn.iter().any(|r| (r - drawn[0]).abs() > f64::EPSILON));
    }
}

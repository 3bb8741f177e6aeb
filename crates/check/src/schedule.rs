//! When checks start. A value that is told the time; checks are known by number.

use hawser_balance::Ms;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Checks in the order in which they are due. A check is in it once, and not while it runs.
#[derive(Debug, Default)]
pub struct Schedule {
    due: BinaryHeap<Reverse<(Ms, usize, u32)>>,
    /// Generation of each check's valid entry; entries of older ones are ignored.
    current: Vec<u32>,
}

impl Schedule {
    /// Spreads first checks over the shortest interval, at most over `max_spread` ms if that is not 0.
    pub fn new(intervals: &[u32], max_spread: u32, now: Ms) -> Self {
        let shortest = intervals.iter().copied().min().unwrap_or(0);
        let over = if max_spread == 0 { shortest } else { shortest.min(max_spread) };
        let mut s = Self { due: BinaryHeap::new(), current: vec![0; intervals.len()] };
        for i in 0..intervals.len() {
            s.set(i, now + Ms::from(over) * i as u64 / intervals.len() as u64);
        }
        s
    }

    /// Sets when a check is due, whatever was set before.
    pub fn set(&mut self, check: usize, at: Ms) {
        if let Some(generation) = self.current.get_mut(check) {
            *generation = generation.wrapping_add(1);
            self.due.push(Reverse((at, check, *generation)));
        }
    }

    /// Makes a check due at `at` if it is not due before that anyhow. Checks that run are left alone.
    pub fn hasten(&mut self, check: usize, at: Ms) {
        let mine = |e: &&Reverse<(Ms, usize, u32)>| e.0.1 == check && Some(&e.0.2) == self.current.get(check);
        if self.due.iter().find(mine).is_some_and(|e| e.0.0 > at) {
            self.set(check, at);
        }
    }

    /// Takes a check that is due. It comes back with [`Schedule::set`].
    pub fn take(&mut self, now: Ms) -> Option<usize> {
        self.next_due().filter(|at| *at <= now)?;
        self.due.pop().map(|e| e.0.1)
    }

    /// When the next check is due.
    pub fn next_due(&mut self) -> Option<Ms> {
        loop {
            let Reverse((at, check, generation)) = self.due.peek()?;
            if self.current.get(*check) == Some(generation) {
                return Some(*at);
            }
            self.due.pop();
        }
    }
}

/// `spread-checks`: an interval plus or minus up to `percent`, by a random number.
pub(crate) fn spread(interval: u32, percent: u32, random: u64) -> u32 {
    let width = u64::from(interval) * u64::from(percent.min(50)) / 100;
    let off = random % (2 * width + 1);
    u32::try_from(u64::from(interval) + off - width).unwrap_or(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(s: &mut Schedule, now: Ms) -> Vec<usize> {
        std::iter::from_fn(|| s.take(now)).collect()
    }

    #[test]
    fn first_checks_are_spread() {
        // (intervals, max-spread-checks, due moments after 100)
        let cases: &[(&[u32], u32, &[Ms])] = &[
            (&[], 0, &[]),
            (&[2000], 0, &[0]),
            (&[2000, 1000, 4000, 3000], 0, &[0, 250, 500, 750]),
            (&[2000, 2000], 100, &[0, 50]),
            (&[50, 50], 100, &[0, 25]),
        ];
        for (intervals, max, want) in cases {
            let mut s = Schedule::new(intervals, *max, 100);
            for (i, at) in want.iter().enumerate() {
                assert_eq!(s.next_due(), Some(100 + at), "{intervals:?}");
                assert_eq!(s.take(100 + at - u64::from(*at > 0)), (*at == 0).then_some(i));
                assert_eq!(s.take(100 + at), (*at != 0).then_some(i));
            }
            assert_eq!(s.next_due(), None);
        }
    }

    #[test]
    fn checks_are_due_once() {
        let mut s = Schedule::new(&[100, 100], 0, 0);
        assert_eq!(taken(&mut s, 1000), [0, 1]);
        assert_eq!(taken(&mut s, 9000), [] as [usize; 0]);
        s.set(0, 2000);
        s.set(1, 1500);
        s.set(0, 1200);
        assert_eq!(taken(&mut s, 3000), [0, 1]);
    }

    #[test]
    fn hastening_never_delays_nor_wakes_running_ones() {
        let mut s = Schedule::new(&[100, 100], 0, 0);
        assert_eq!(taken(&mut s, 50), [0, 1]);
        s.set(0, 2000);
        s.hasten(0, 3000);
        s.hasten(1, 100);
        assert_eq!(s.next_due(), Some(2000));
        s.hasten(0, 500);
        assert_eq!(s.next_due(), Some(500));
        assert_eq!(taken(&mut s, 5000), [0]);
    }

    #[test]
    fn spreading_stays_within_bounds() {
        assert_eq!(spread(1000, 0, 12345), 1000);
        let all: Vec<u32> = (0..2000).map(|r| spread(1000, 5, r)).collect();
        assert_eq!((all.iter().min(), all.iter().max()), (Some(&950), Some(&1050)));
        assert!(spread(1, 50, 7) >= 1);
    }

    #[test]
    fn a_simulated_hour_keeps_the_intervals() {
        use crate::{Health, Settings, Status};
        use hawser_balance::server::Oper;
        let settings =
            Settings { inter: 2000, fastinter: 500, downinter: 5000, ..crate::settings::tests::plain() };
        let mut seed = 0x5eed_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let mut servers: Vec<_> = (0..20).map(|_| (Health::new(2, 3, None), Oper::Up, None, true)).collect();
        let mut s = Schedule::new(&[settings.inter; 20], 0, 0);
        let mut gaps = std::collections::BTreeMap::<u64, u32>::new();
        let mut now = 0;
        while now < 3_600_000 {
            now = s.next_due().unwrap();
            let i = s.take(now).unwrap();
            let (health, oper, last, well) = &mut servers[i];
            if let Some(last) = last.replace(now) {
                *gaps.entry(now - last).or_default() += 1;
            }
            *well ^= random().is_multiple_of(10);
            let status = if *well { Status::L4Ok } else { Status::L4Con };
            *oper = health.apply(status, *oper).to.unwrap_or(*oper);
            s.set(i, now + u64::from(settings.interval(health)));
        }
        assert_eq!(gaps.keys().copied().collect::<Vec<_>>(), [500, 2000, 5000]);
        assert!(gaps.values().all(|n| *n > 1000), "{gaps:?}");
        // Nobody starves: all were checked within the last and longest interval.
        assert!(servers.iter().all(|s| now - s.2.unwrap() <= 5000));
    }
}

//! Wall-clock texts of log headers, made once per second and thread.

use std::cell::RefCell;
use std::time::{Duration, UNIX_EPOCH};

/// What a header needs to know about now. Borrowed from the thread's cache.
pub(crate) struct Stamp<'a> {
    /// `Nov 23 07:18:49`: local time, as RFC 3164 wants it.
    pub(crate) bsd: &'a str,
    /// `2026-11-23T07:18:49`: local time.
    pub(crate) iso: &'a str,
    /// `+00:00`: offset of local time.
    pub(crate) zone: &'a str,
    /// Microseconds within the second.
    pub(crate) micros: u32,
    /// Process id in decimal.
    pub(crate) pid: &'a str,
}

#[derive(Default)]
struct Cache {
    second: Option<u64>,
    bsd: String,
    iso: String,
    zone: String,
    pid: String,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// Calls `f` with the stamp of this moment.
pub(crate) fn with_stamp<R>(f: impl FnOnce(&Stamp<'_>) -> R) -> R {
    // A clock before 1970 is as good as one at 1970.
    let now = hawser_proto::clock::wall().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    CACHE.with_borrow_mut(|c| {
        if c.second != Some(now.as_secs()) {
            c.refresh(now.as_secs());
        }
        f(&Stamp { bsd: &c.bsd, iso: &c.iso, zone: &c.zone, micros: now.subsec_micros(), pid: &c.pid })
    })
}

impl Cache {
    fn refresh(&mut self, second: u64) {
        let t = Local::at(second);
        self.bsd = t.bsd();
        self.iso = t.iso();
        self.zone = t.zone();
        // Here too, since a process that forks into the background changes its own.
        self.pid = std::process::id().to_string();
        self.second = Some(second);
    }
}

/// Broken-down local time.
struct Local {
    year: i32,
    month: usize,
    day: i32,
    hour: i32,
    minute: i32,
    second: i32,
    /// Seconds east of UTC.
    offset: i64,
}

/// Names of months as RFC 3164 has them.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Local {
    fn at(second: u64) -> Self {
        let t = libc::time_t::try_from(second).unwrap_or(libc::time_t::MAX);
        // SAFETY: all-zero bytes are a valid `tm`: integers and a pointer that may be null.
        let mut tm: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live values of the right type; the function keeps neither. On failure it
        // leaves `tm` as it was, and zeroes print as a date, if a wrong one.
        unsafe { libc::localtime_r(&raw const t, &raw mut tm) };
        Self {
            year: tm.tm_year.saturating_add(1900),
            month: usize::try_from(tm.tm_mon).unwrap_or(0).min(11),
            day: tm.tm_mday,
            hour: tm.tm_hour,
            minute: tm.tm_min,
            second: tm.tm_sec,
            offset: tm.tm_gmtoff,
        }
    }

    fn bsd(&self) -> String {
        let month = MONTHS[self.month];
        format!("{month} {:2} {:02}:{:02}:{:02}", self.day, self.hour, self.minute, self.second)
    }

    fn iso(&self) -> String {
        let month = self.month + 1;
        let (d, h, m, s) = (self.day, self.hour, self.minute, self.second);
        format!("{:04}-{month:02}-{d:02}T{h:02}:{m:02}:{s:02}", self.year)
    }

    fn zone(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(month: usize, day: i32, offset: i64) -> Local {
        Local { year: 2026, month, day, hour: 7, minute: 8, second: 9, offset }
    }

    #[test]
    fn dates_look_as_the_rfcs_want() {
        assert_eq!(local(10, 3, 0).bsd(), "Nov  3 07:08:09");
        assert_eq!(local(0, 23, 0).bsd(), "Jan 23 07:08:09");
        assert_eq!(local(10, 3, 0).iso(), "2026-11-03T07:08:09");
    }

    #[test]
    fn zones_have_a_sign_and_minutes() {
        for (offset, zone) in
            [(0, "+00:00"), (3600, "+01:00"), (-12600, "-03:30"), (20700, "+05:45"), (-60, "-00:01")]
        {
            assert_eq!(local(0, 1, offset).zone(), zone);
        }
    }

    #[test]
    fn the_stamp_is_of_now() {
        let year = with_stamp(|s| {
            assert_eq!(s.pid, std::process::id().to_string());
            assert!(s.micros < 1_000_000);
            s.iso[..4].parse::<u32>().unwrap()
        });
        assert!(year >= 2026);
    }
}

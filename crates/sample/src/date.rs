//! Calendar dates: broken-down time and strftime(3), through the C library, whose time zone and locale rules are
//! the reference here.
//!
//! The first use reads the system's time zone; [`init`] does it before a chroot hides it.

use std::cell::Cell;
use std::ffi::CString;
use std::time::{SystemTime, UNIX_EPOCH};

/// Broken-down time.
#[derive(Clone, Copy)]
pub struct Tm(libc::tm);

impl std::fmt::Debug for Tm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = &self.0;
        write!(
            f,
            "{}-{}-{} {}:{}:{}",
            t.tm_year + 1900,
            t.tm_mon + 1,
            t.tm_mday,
            t.tm_hour,
            t.tm_min,
            t.tm_sec
        )
    }
}

/// Reads the time zone.
pub fn init() {
    let _ = local(0);
}

/// Local time of a number of seconds since 1970; `None` beyond the calendar.
pub fn local(secs: i64) -> Option<Tm> {
    thread_local! {
        // Log lines of one second share its conversion.
        static LAST: Cell<(i64, Option<Tm>)> = const { Cell::new((i64::MIN, None)) };
    }
    LAST.with(|last| {
        let (at, tm) = last.get();
        if at == secs && tm.is_some() {
            return tm;
        }
        let tm = convert(secs, libc::localtime_r);
        last.set((secs, tm));
        tm
    })
}

/// UTC of a number of seconds since 1970; `None` beyond the calendar.
pub fn utc(secs: i64) -> Option<Tm> {
    convert(secs, libc::gmtime_r)
}

/// Calls one of the two conversions of the C library.
fn convert(
    secs: i64,
    f: unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm,
) -> Option<Tm> {
    let mut tm = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live objects of the right types; zeroed bytes are a valid `tm`.
    unsafe {
        if f(&secs, tm.as_mut_ptr()).is_null() {
            return None;
        }
        Some(Tm(tm.assume_init()))
    }
}

impl Tm {
    /// Appends strftime(3) of a format; false when the result is unreasonably long.
    pub fn strftime(&self, format: &[u8], out: &mut Vec<u8>) -> bool {
        const MAX: usize = 4096;
        let Ok(f) = CString::new(format) else { return false };
        if format.is_empty() {
            return true;
        }
        let start = out.len();
        out.resize(start + MAX, 0);
        let buf = &mut out[start..];
        // SAFETY: the buffer has the length given, the format ends with a NUL, `tm` is initialised.
        let n = unsafe { libc::strftime(buf.as_mut_ptr().cast(), buf.len(), f.as_ptr(), &self.0) };
        out.truncate(start + n);
        n > 0
    }

    /// Seconds to add to UTC.
    pub fn offset(&self) -> i64 {
        self.0.tm_gmtoff
    }

    /// Year, month from 1, day, hour, minute, second.
    pub fn fields(&self) -> [i32; 6] {
        let t = &self.0;
        [t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec]
    }

    /// Day of the week from Sunday, 0.
    pub fn weekday(&self) -> usize {
        usize::try_from(self.0.tm_wday).unwrap_or(0) % 7
    }

    /// Appends `14/Nov/2023:22:13:20`.
    pub fn write_log(&self, out: &mut Vec<u8>) {
        let [y, mo, d, h, mi, s] = self.fields();
        two(d, out);
        out.push(b'/');
        out.extend_from_slice(month(mo));
        out.push(b'/');
        four(y, out);
        for n in [h, mi, s] {
            out.push(b':');
            two(n, out);
        }
    }

    /// Appends ` +0100`.
    pub fn write_zone(&self, out: &mut Vec<u8>) {
        let o = self.offset();
        out.extend_from_slice(if o < 0 { b" -" } else { b" +" });
        let minutes = i32::try_from(o.unsigned_abs() / 60).unwrap_or(0);
        two(minutes / 60, out);
        two(minutes % 60, out);
    }

    /// Appends `Tue, 14 Nov 2023 22:13:20`, what HTTP dates begin with.
    pub fn write_http(&self, out: &mut Vec<u8>) {
        const DAYS: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
        let [y, mo, d, h, mi, s] = self.fields();
        out.extend_from_slice(DAYS[self.weekday()]);
        out.extend_from_slice(b", ");
        two(d, out);
        out.push(b' ');
        out.extend_from_slice(month(mo));
        out.push(b' ');
        four(y, out);
        for (sep, n) in [(b' ', h), (b':', mi), (b':', s)] {
            out.push(sep);
            two(n, out);
        }
    }
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn month(m: i32) -> &'static [u8; 3] {
    usize::try_from(m - 1).ok().and_then(|i| MONTHS.get(i)).copied().unwrap_or(b"???")
}

/// The month of a three-letter name, from 1.
pub(crate) fn month_of(name: &[u8]) -> Option<u32> {
    let i = MONTHS.iter().position(|m| m.as_slice() == name)?;
    u32::try_from(i + 1).ok()
}

fn two(n: i32, out: &mut Vec<u8>) {
    let n = u8::try_from(n.rem_euclid(100)).unwrap_or(0);
    out.extend([b'0' + n / 10, b'0' + n % 10]);
}

fn four(n: i32, out: &mut Vec<u8>) {
    if (0..10_000).contains(&n) {
        two(n / 100, out);
        two(n % 100, out);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }
}

/// Microseconds since 1970.
pub fn micros(t: SystemTime) -> i64 {
    match t.duration_since(UNIX_EPOCH) {
        Ok(d) => i64::try_from(d.as_micros()).unwrap_or(i64::MAX),
        Err(e) => i64::try_from(e.duration().as_micros()).map_or(i64::MIN, |n| -n),
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; months beyond 12 and days beyond the month carry over.
pub(crate) fn days(year: i64, month: u32, day: i64) -> i64 {
    let m = i64::from(month);
    let y = if m <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

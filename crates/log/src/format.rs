//! Message headers: the formats that a `log` line can ask for.

use crate::clock::Stamp;

/// `format` of a target (manual 4.2, `log`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// `<PRI>date [host ]tag[pid]: text`, the default.
    Local,
    /// The same, always with a host name.
    Rfc3164,
    /// `<PRI>1 date host tag pid - sd text`.
    Rfc5424,
    /// `<PRI>text`.
    Priority,
    /// `<level>text`.
    Short,
    /// `<level>date text`.
    Timed,
    /// `date text`.
    Iso,
    /// The text.
    Raw,
}

impl Format {
    /// The format of that name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "local" => Self::Local,
            "rfc3164" => Self::Rfc3164,
            "rfc5424" => Self::Rfc5424,
            "priority" => Self::Priority,
            "short" => Self::Short,
            "timed" => Self::Timed,
            "iso" => Self::Iso,
            "raw" => Self::Raw,
            _ => return None,
        })
    }
}

/// What a line is made of.
pub(crate) struct Line<'a> {
    pub(crate) format: Format,
    pub(crate) facility: u8,
    pub(crate) level: u8,
    /// Most bytes that may be sent, end of line included.
    pub(crate) len: usize,
    pub(crate) host: Option<&'a str>,
    pub(crate) tag: &'a [u8],
    /// Structured data, for RFC 5424 only.
    pub(crate) sd: &'a [u8],
    pub(crate) text: &'a [u8],
}

impl Line<'_> {
    /// Writes the whole line, end of line included, into an empty buffer.
    pub(crate) fn write(&self, now: &Stamp<'_>, out: &mut Vec<u8>) {
        let room = self.len.saturating_sub(1);
        self.header(now, out);
        out.truncate(room);
        if self.format == Format::Rfc5424 && !self.structured_data(room, out) {
            out.push(b'\n');
            return;
        }
        let n = self.text.len().min(room - out.len());
        out.extend_from_slice(&self.text[..n]);
        out.push(b'\n');
    }

    fn header(&self, now: &Stamp<'_>, out: &mut Vec<u8>) {
        let pri = u32::from(self.facility) * 8 + u32::from(self.level);
        match self.format {
            Format::Local | Format::Rfc3164 => {
                priority(out, pri);
                out.extend_from_slice(now.bsd.as_bytes());
                out.push(b' ');
                if let Some(host) = self.host3164() {
                    out.extend_from_slice(host.as_bytes());
                    out.push(b' ');
                }
                for part in [self.tag, b"[", now.pid.as_bytes(), b"]: "] {
                    out.extend_from_slice(part);
                }
            }
            Format::Rfc5424 => {
                priority(out, pri);
                out.extend_from_slice(b"1 ");
                iso(out, now);
                let host = self.host.unwrap_or("-").as_bytes();
                for part in [b" ", host, b" ", self.tag, b" ", now.pid.as_bytes(), b" - "] {
                    out.extend_from_slice(part);
                }
            }
            Format::Priority => priority(out, pri),
            Format::Short => priority(out, u32::from(self.level)),
            Format::Timed => {
                priority(out, u32::from(self.level));
                iso(out, now);
                out.push(b' ');
            }
            Format::Iso => {
                iso(out, now);
                out.push(b' ');
            }
            Format::Raw => {}
        }
    }

    fn host3164(&self) -> Option<&str> {
        match self.format {
            Format::Rfc3164 => Some(self.host.unwrap_or("localhost")),
            _ => self.host,
        }
    }

    /// Structured data are never cut: when they do not fit, the line ends before them.
    fn structured_data(&self, room: usize, out: &mut Vec<u8>) -> bool {
        let sd = if self.sd.is_empty() { b"-" } else { self.sd };
        if out.len() + sd.len() + 1 > room {
            return false;
        }
        out.extend_from_slice(sd);
        out.push(b' ');
        true
    }
}

pub(crate) fn priority(out: &mut Vec<u8>, n: u32) {
    out.push(b'<');
    decimal(out, n);
    out.push(b'>');
}

pub(crate) fn iso(out: &mut Vec<u8>, now: &Stamp<'_>) {
    out.extend_from_slice(now.iso.as_bytes());
    out.push(b'.');
    let mut digits = [b'0'; 6];
    let mut n = now.micros;
    for d in digits.iter_mut().rev() {
        *d = b'0' + (n % 10) as u8;
        n /= 10;
    }
    out.extend_from_slice(&digits);
    out.extend_from_slice(now.zone.as_bytes());
}

fn decimal(out: &mut Vec<u8>, mut n: u32) {
    let mut digits = [0; 10];
    let mut i = digits.len();
    loop {
        i -= 1;
        digits[i] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[i..]);
}

#[cfg(test)]
mod tests;

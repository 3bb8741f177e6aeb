//! Received messages as the targets get them.

use super::parse::{BSD_TIME, ISO_TIME_MIN, Message};
use crate::clock::{MONTHS, Stamp};
use crate::format::{Format, iso, priority};

/// A message on its way to the targets.
pub(crate) struct Forwarded<'a> {
    pub(super) message: Message<'a>,
    /// The host name, once `option host` was followed.
    pub(super) host: &'a [u8],
}

impl Forwarded<'_> {
    /// Whether a target that wants levels up to `max` wants it; a message without a level is always wanted.
    pub(crate) fn wanted(&self, max: u8) -> bool {
        self.message.priority.is_none_or(|p| p.level <= max)
    }

    /// Nothing is sent about a message without text.
    pub(crate) fn is_empty(&self) -> bool {
        self.message.text.is_empty()
    }

    /// Its own facility, or the target's; its level, at least the target's minimum.
    pub(crate) fn severity(&self, facility: u8, min_level: u8) -> (u32, u8) {
        match self.message.priority {
            Some(p) => (p.facility, p.level.max(min_level)),
            None => (facility.into(), min_level),
        }
    }

    /// Without a format the message keeps the one that it seems to have.
    fn format(&self) -> Format {
        let m = &self.message;
        match () {
            () if !self.host.is_empty() && (m.time == b"-" || m.time.len() >= ISO_TIME_MIN) => {
                Format::Rfc5424
            }
            () if !self.host.is_empty() => Format::Rfc3164,
            () if !m.tag.is_empty() => Format::Local,
            () if m.priority.is_some() => Format::Priority,
            () => Format::Raw,
        }
    }

    /// Writes the line, end of line included, into an empty buffer: `len` bytes at most. What there is no room for is
    /// left out; text is cut.
    pub(crate) fn write(
        &self,
        format: Option<Format>,
        (facility, level): (u32, u8),
        len: usize,
        now: &Stamp<'_>,
        out: &mut Vec<u8>,
    ) {
        let format = format.unwrap_or_else(|| self.format());
        let mut line = Writer { out, room: len.saturating_sub(1) };
        let fits = self.prefix(format, facility, level, now, &mut line) && self.header(format, &mut line);
        if fits {
            line.text(self.message.text);
        }
        out.push(b'\n');
    }

    /// Priority and time.
    fn prefix(
        &self,
        format: Format,
        facility: u32,
        level: u8,
        now: &Stamp<'_>,
        line: &mut Writer<'_>,
    ) -> bool {
        let whole = (facility.wrapping_shl(3).wrapping_add(level.into())) % 1000;
        match format {
            Format::Local | Format::Rfc3164 => line.priority(whole) && self.bsd_time(now, line),
            Format::Rfc5424 => {
                let nil = self.message.time == b"-";
                line.priority(whole)
                    && line.part(&[b"1 "])
                    && if nil { line.part(&[b"-"]) && line.part(&[b" "]) } else { self.iso_time(now, line) }
            }
            Format::Priority => line.priority(whole),
            Format::Short => line.priority(level.into()),
            Format::Timed => line.priority(level.into()) && self.iso_time(now, line),
            Format::Iso => self.iso_time(now, line),
            Format::Raw => true,
        }
    }

    /// The message's own time where it has one, in the format of RFC 3164.
    fn bsd_time(&self, now: &Stamp<'_>, line: &mut Writer<'_>) -> bool {
        let time = self.message.time;
        if time.len() == BSD_TIME {
            return line.part(&[time]) && line.part(&[b" "]);
        }
        if let Some(month) = iso_month(time) {
            let day = if time[8] == b'0' { b" " } else { &time[8..9] };
            return line.part(&[MONTHS[month].as_bytes(), b" ", day, &time[9..10], b" "])
                && line.part(&[&time[11..19]])
                && line.part(&[b" "]);
        }
        line.part(&[now.bsd.as_bytes(), b" "])
    }

    /// The same in the format of RFC 5424. A time of RFC 3164 has no year, and says nothing of its zone.
    fn iso_time(&self, now: &Stamp<'_>, line: &mut Writer<'_>) -> bool {
        let time = self.message.time;
        if time.len() >= ISO_TIME_MIN {
            return line.part(&[time]) && line.part(&[b" "]);
        }
        let month = MONTHS.iter().position(|m| time.starts_with(m.as_bytes()));
        let today = now.iso.get(..4).zip(now.iso.get(5..7));
        let today = today.and_then(|(y, m)| Some((y.parse::<i32>().ok()?, m.parse::<usize>().ok()?)));
        if let (BSD_TIME, Some(month), Some((year, this_month))) = (time.len(), month, today) {
            let year = if this_month <= month { year - 1 } else { year };
            let date = format!("{year:4}-{:02}-", month + 1);
            let day = if time[4] == b' ' { b"0" } else { &time[4..5] };
            return line.part(&[date.as_bytes(), day, &time[5..6], b"T"])
                && line.part(&[&time[7..15]])
                && line.part(&[b"-00:00 "]);
        }
        let mut text = Vec::with_capacity(40);
        iso(&mut text, now);
        line.part(&[&text, b" "])
    }

    /// Host, tag and the like.
    fn header(&self, format: Format, line: &mut Writer<'_>) -> bool {
        match format {
            Format::Rfc3164 => line.field(self.host, b"localhost") && self.tag(line),
            Format::Local => self.tag(line),
            Format::Rfc5424 => {
                let m = &self.message;
                [self.host, m.tag, m.pid, m.msgid, m.sd].iter().all(|f| line.field(f, b"-"))
            }
            _ => true,
        }
    }

    fn tag(&self, line: &mut Writer<'_>) -> bool {
        let m = &self.message;
        if m.tag.is_empty() {
            return true;
        }
        let pid: &[&[u8]] = if m.pid.is_empty() { &[] } else { &[b"[", m.pid, b"]"] };
        line.part(&[m.tag]) && pid.iter().all(|p| line.part(&[p])) && line.part(&[b": "])
    }
}

/// The month (from 0) of a time of RFC 5424, whose digits nobody has looked at.
fn iso_month(time: &[u8]) -> Option<usize> {
    if time.len() < ISO_TIME_MIN {
        return None;
    }
    let digit = |at: usize| i32::from(time[at].cast_signed()) - i32::from(b'0');
    let month = 10 * digit(5) + digit(6);
    usize::try_from(if month == 0 { 0 } else { month - 1 }).ok().filter(|m| *m < MONTHS.len())
}

/// A line under construction.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// Bytes that may still come, without the end of line.
    room: usize,
}

impl Writer<'_> {
    /// Adds a part, which must not take all the room: else the line ends before it.
    fn part(&mut self, pieces: &[&[u8]]) -> bool {
        let len: usize = pieces.iter().map(|p| p.len()).sum();
        if self.room <= len {
            return false;
        }
        self.room -= len;
        pieces.iter().for_each(|p| self.out.extend_from_slice(p));
        true
    }

    fn priority(&mut self, n: u32) -> bool {
        let before = self.out.len();
        priority(self.out, n);
        self.room = self.room.saturating_sub(self.out.len() - before);
        self.room > 0
    }

    /// A field, or what stands for its absence, and a space.
    fn field(&mut self, field: &[u8], nil: &[u8]) -> bool {
        if field.is_empty() { self.part(&[nil, b" "]) } else { self.part(&[field]) && self.part(&[b" "]) }
    }

    /// The text without the ends of lines and the zeroes at its end, as far as there is room.
    fn text(&mut self, text: &[u8]) {
        let end = text.iter().rposition(|b| !matches!(b, b'\n' | 0)).map_or(0, |at| at + 1);
        self.out.extend_from_slice(&text[..end.min(self.room)]);
    }
}

//! Field lines, as heads and trailer sections have them (RFC 9112 section 5).

use super::head::Progress;
use super::{Limits, ParseError, Reason};
use hawser_http::chars::{is_token, value_len};
use hawser_http::{Field, Head, KnownName, Span};

/// What to let pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Rules {
    /// Controls other than CR, LF and NUL may stand in values.
    pub(super) controls: bool,
    /// Fields with bad names are dropped instead of refused, NUL and controls may stand in values.
    pub(super) relaxed: bool,
}

/// One field line, or what is there instead.
enum Line {
    /// A field; the next line starts at the offset.
    Field(Field, usize),
    /// A field to ignore.
    Dropped(usize),
    /// The empty line; what follows the section starts at the offset.
    End(usize),
    /// The line is not complete: no use to try again before bytes from this offset on contain a line feed.
    More(usize),
}

/// Parses field lines until the empty one; returns what follows it, or `None` if more bytes are needed.
///
/// Ranges of the fields are offsets in `buf`: the caller copies it to the head's buffer, from its start, once the
/// section is complete, then calls [`unfold`].
pub(super) fn parse_fields(
    buf: &[u8],
    p: &mut Progress,
    head: &mut Head,
    lim: &Limits,
    rules: Rules,
) -> Result<Option<usize>, ParseError> {
    loop {
        if !p.has_line(buf) {
            return Ok(None);
        }
        match line(buf, p.line as usize, rules, &mut p.flags)? {
            Line::Field(field, next) => {
                if head.fields.len() + 1 >= lim.max_fields {
                    return Err(ParseError::new(p.line as usize, Reason::TooManyFields));
                }
                p.seen |= field.known.bit();
                head.fields.push(field);
                p.next(next);
            }
            Line::Dropped(next) => {
                p.flags.relaxed = true;
                p.next(next);
            }
            Line::End(next) => return Ok(Some(next)),
            Line::More(scan) => {
                p.scan = scan as u32;
                return Ok(None);
            }
        }
    }
}

/// What happened while parsing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Flags {
    /// A value spans several lines.
    folded: bool,
    /// Something was accepted only because the rules are relaxed.
    pub(super) relaxed: bool,
}

fn line(buf: &[u8], start: usize, rules: Rules, flags: &mut Flags) -> Result<Line, ParseError> {
    let mut end = start;
    while buf.get(end).is_some_and(|&b| is_token(b)) {
        end += 1;
    }
    let named = match buf.get(end) {
        None => return Ok(Line::More(buf.len())),
        Some(b':') if end > start => true,
        Some(b'\r' | b'\n') if end == start => return empty_line(buf, start),
        Some(_) if rules.relaxed => match bad_name(buf, start)? {
            Some(colon) => {
                end = colon;
                false
            }
            None => return Ok(Line::More(buf.len())),
        },
        Some(_) => {
            let e = ParseError::new(end, Reason::BadFieldName);
            return Err(ParseError { relaxable: has_colon_after_name(buf, start), ..e });
        }
    };
    let mut from = end + 1;
    while matches!(buf.get(from), Some(b' ' | b'\t')) {
        from += 1;
    }
    let (to, next) = match value(buf, from, rules, flags)? {
        Ok(found) => found,
        Err(scan) => return Ok(Line::More(scan)),
    };
    if !named {
        return Ok(Line::Dropped(next));
    }
    let name = Span { off: start as u32, len: (end - start) as u32 };
    let to = from + trim_end(&buf[from..to]);
    let value = Span { off: from as u32, len: (to - from) as u32 };
    Ok(Line::Field(Field { name, value, known: KnownName::of(&buf[start..end]) }, next))
}

fn empty_line(buf: &[u8], at: usize) -> Result<Line, ParseError> {
    match (buf[at], buf.get(at + 1)) {
        (b'\n', _) => Ok(Line::End(at + 1)),
        (_, Some(b'\n')) => Ok(Line::End(at + 2)),
        (_, None) => Ok(Line::More(buf.len())),
        (_, Some(_)) => Err(ParseError::new(at + 1, Reason::BadLineEnd)),
    }
}

/// Finds the end of a value and of its line, from the first byte that is not white space. A line that starts
/// with white space continues the value (obs-fold). The inner error is an incomplete line, as in [`Line::More`].
fn value(
    buf: &[u8],
    from: usize,
    rules: Rules,
    flags: &mut Flags,
) -> Result<Result<(usize, usize), usize>, ParseError> {
    let mut at = from;
    loop {
        at += value_len(&buf[at..]);
        let next = match buf.get(at) {
            None => return Ok(Err(buf.len())),
            Some(b'\n') => at + 1,
            Some(b'\r') => match buf.get(at + 1) {
                None => return Ok(Err(buf.len())),
                Some(b'\n') => at + 2,
                Some(_) => return Err(ParseError::new(at + 1, Reason::BadLineEnd)),
            },
            Some(&b) if rules.relaxed || (rules.controls && b != 0) => {
                flags.relaxed |= !(rules.controls && b != 0);
                at += 1;
                continue;
            }
            Some(_) => {
                return Err(ParseError { relaxable: true, ..ParseError::new(at, Reason::BadFieldValue) });
            }
        };
        match buf.get(next) {
            None => return Ok(Err(at)),
            Some(b' ' | b'\t') => {
                flags.folded = true;
                at = next;
            }
            Some(_) => return Ok(Ok((at, next))),
        }
    }
}

/// The colon of a line whose name is no token; `None` if it has not arrived yet.
fn bad_name(buf: &[u8], start: usize) -> Result<Option<usize>, ParseError> {
    match buf[start..].iter().position(|b| matches!(b, b':' | b'\r' | b'\n')) {
        None => Ok(None),
        Some(n) if n > 0 && buf[start + n] == b':' => Ok(Some(start + n)),
        Some(n) => Err(ParseError::new(start + n, Reason::BadFieldName)),
    }
}

/// Would the relaxed mode have taken the line?
fn has_colon_after_name(buf: &[u8], start: usize) -> bool {
    matches!(bad_name(buf, start), Ok(Some(_)))
}

/// Length without white space at the end (line ends included: those of empty continuation lines).
fn trim_end(s: &[u8]) -> usize {
    s.iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')).map_or(0, |i| i + 1)
}

/// Replaces the line ends inside folded values by spaces, once the bytes are in the head's buffer.
pub(super) fn unfold(head: &mut Head, flags: Flags) {
    if !flags.folded {
        return;
    }
    for f in &mut head.fields {
        let (start, end) = (f.value.off as usize, (f.value.off + f.value.len) as usize);
        let Some(value) = head.buf.get_mut(start..end) else { continue };
        for b in value.iter_mut().filter(|b| matches!(b, b'\r' | b'\n')) {
            *b = b' ';
        }
        let lead = value.iter().take_while(|b| matches!(b, b' ' | b'\t')).count() as u32;
        f.value = Span { off: f.value.off + lead, len: f.value.len - lead };
    }
}

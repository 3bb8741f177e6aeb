//! What a step expects of what was received.

use super::Data;
use crate::status::Status;
use hawser_http::Head;
use hawser_sample::{Ctx, Expr, LogFormat};
use memchr::memmem;
use regex::bytes::Regex;

/// `expect`.
#[derive(Debug)]
pub(crate) struct Expect {
    pub(crate) negate: bool,
    pub(crate) what: Match,
    /// Fewer bytes than this never decide; `Some(0)` decides on whatever came.
    pub(crate) min_recv: Option<usize>,
    pub(crate) ok: Status,
    /// Status of a mismatch; `None` for what the kind of match says.
    pub(crate) error: Option<Status>,
    pub(crate) timeout: Status,
    pub(crate) on_success: Option<LogFormat>,
    pub(crate) on_error: Option<LogFormat>,
    pub(crate) status_code: Option<Expr>,
}

/// What is looked for.
#[derive(Debug)]
pub(crate) enum Match {
    /// These bytes, somewhere.
    Text(Vec<u8>),
    Regex(Regex),
    /// These bytes, written in hexadecimal.
    Binary(Vec<u8>),
    /// An expression over the hexadecimal form.
    HexRegex(Regex),
    /// What a format writes.
    Format(Data),
    /// Status codes within ranges.
    Codes(Vec<(u16, u16)>),
    CodeRegex(Regex),
    Header(Box<HeaderMatch>),
}

/// `hdr` and `fhdr`.
#[derive(Debug)]
pub(crate) struct HeaderMatch {
    /// Whole values rather than the parts between commas.
    pub(crate) full: bool,
    pub(crate) name: Pattern,
    pub(crate) value: Option<Pattern>,
}

/// How a name or value is compared.
#[derive(Debug)]
pub(crate) enum Pattern {
    Is(Vec<u8>),
    Begins(Vec<u8>),
    Ends(Vec<u8>),
    Contains(Vec<u8>),
    Regex(Regex),
}

/// A finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    Yes,
    No,
    /// More bytes may change the answer.
    NotYet,
}

impl Expect {
    /// Looks at received bytes; `complete` when no more will come.
    pub(crate) fn look(&self, data: &[u8], complete: bool, ctx: &Ctx<'_>) -> Found {
        let conclusive = complete || self.min_recv == Some(0);
        let enough = match &self.what {
            // A text that is shorter than min-recv needs no more than itself.
            Match::Text(t) | Match::Binary(t) => t.len().min(self.min_recv.unwrap_or(t.len())),
            _ => self.min_recv.unwrap_or(0),
        };
        if data.len() < enough && !conclusive {
            return Found::NotYet;
        }
        let matched = self.matches(data, ctx);
        if !matched && !complete && self.min_recv.is_none() {
            // It may match yet. With min-recv, that much is told to be enough.
            Found::NotYet
        } else if matched != self.negate {
            Found::Yes
        } else {
            Found::No
        }
    }

    fn matches(&self, data: &[u8], ctx: &Ctx<'_>) -> bool {
        let contains = |needle: &[u8]| memmem::find(data, needle).is_some();
        match &self.what {
            Match::Text(t) | Match::Binary(t) => contains(t),
            Match::Regex(r) => r.is_match(data),
            Match::HexRegex(r) => r.is_match(hex(data).as_bytes()),
            Match::Format(f) => f.bytes(ctx).is_some_and(|t| contains(&t)),
            Match::Codes(_) | Match::CodeRegex(_) | Match::Header(_) => false,
        }
    }

    /// Looks at a response head; `None` when the body decides.
    pub(crate) fn look_at_head(&self, head: &Head) -> Option<bool> {
        let status = head.status();
        let found = match &self.what {
            Match::Codes(list) => list.iter().any(|(low, high)| (*low..=*high).contains(&status)),
            Match::CodeRegex(r) => r.is_match(status.to_string().as_bytes()),
            Match::Header(h) => h.matches(head),
            _ => return None,
        };
        Some(found != self.negate)
    }

    /// For ` at step N of tcp-check (…)`.
    pub(crate) fn describe(&self) -> String {
        match &self.what {
            Match::Text(t) => format!("expect string '{}'", String::from_utf8_lossy(t)),
            Match::Regex(_) => "expect regex".into(),
            Match::Binary(_) => "expect binary".into(),
            Match::HexRegex(_) => "expect binary regex".into(),
            Match::Format(Data::HexFormat(_)) => "expect log-format binary".into(),
            Match::Format(_) => "expect log-format string".into(),
            Match::Codes(_) => "expect HTTP status codes".into(),
            Match::CodeRegex(_) => "expect HTTP status regex".into(),
            Match::Header(_) => "expect HTTP header pattern".into(),
        }
    }

    /// What a mismatch says, up to the number of the step.
    pub(crate) fn mismatch(&self) -> String {
        let verb = if self.negate && !self.looks_at_head() {
            "matched unwanted content"
        } else {
            "did not match content"
        };
        let what = match &self.what {
            Match::Text(t) => format!(" '{}'", String::from_utf8_lossy(t)),
            Match::Regex(_) | Match::CodeRegex(_) => " (regex)".into(),
            Match::Binary(_) => " (binary)".into(),
            Match::HexRegex(_) => " (binary regex)".into(),
            Match::Format(Data::HexFormat(_)) => " (log-format binary)".into(),
            Match::Format(_) => " (log-format string)".into(),
            Match::Codes(_) => "(status codes)".into(),
            Match::Header(_) => " (header pattern)".into(),
        };
        format!("TCPCHK {verb}{what}")
    }

    pub(crate) fn looks_at_head(&self) -> bool {
        matches!(self.what, Match::Codes(_) | Match::CodeRegex(_) | Match::Header(_))
    }
}

impl HeaderMatch {
    fn matches(&self, head: &Head) -> bool {
        head.iter().any(|(name, value)| {
            if !self.name.matches_name(name) {
                return false;
            }
            match &self.value {
                None => true,
                Some(p) if self.full => p.matches(value),
                Some(p) => hawser_http::list::values(value).any(|v| p.matches(v)),
            }
        })
    }
}

impl Pattern {
    fn matches(&self, s: &[u8]) -> bool {
        match self {
            Self::Is(p) => s == p,
            Self::Begins(p) => s.starts_with(p),
            Self::Ends(p) => s.ends_with(p),
            Self::Contains(p) => memmem::find(s, p).is_some(),
            Self::Regex(r) => r.is_match(s),
        }
    }

    /// Names are compared without regard to case; patterns of names are in lower case.
    fn matches_name(&self, name: &[u8]) -> bool {
        self.matches(&name.to_ascii_lowercase())
    }
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|b| format!("{b:02X}")).collect()
}

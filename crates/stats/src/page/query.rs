//! What the URI of a request asks for: words behind semicolons, anywhere behind the page's own URI.

use super::{Outcome, Settings};
use crate::select::Selection;
use std::fmt::Write;

/// Most bytes of a scope.
pub(super) const SCOPE_MAX: usize = 20;

/// How the statistics are to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// The page.
    #[default]
    Html,
    /// `;csv`.
    Csv,
    /// `;typed`.
    Typed,
    /// `;json`.
    Json,
    /// `;json-schema`.
    Schema,
}

impl Format {
    /// Its `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Csv | Self::Typed => "text/plain",
            Self::Json | Self::Schema => "application/json",
        }
    }
}

/// What a request asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// How to show it.
    pub format: Format,
    /// `;up`: leave servers out that are down.
    pub up: bool,
    /// `;no-maint`: leave servers out that are in maintenance.
    pub no_maint: bool,
    /// `;norefresh`: do not load the page anew.
    pub no_refresh: bool,
    /// `;st=…`: what became of the order before.
    pub outcome: Option<Outcome>,
    /// `scope=…`: what names of proxies have to contain, case aside.
    pub scope: String,
}

impl Query {
    /// Reads what stands behind the page's URI.
    pub fn parse(rest: &[u8]) -> Self {
        let find = |word: &[u8]| rest.windows(word.len()).position(|w| w == word);
        let has = |word: &[u8]| find(word).is_some();
        let after = |word: &[u8]| find(word).and_then(|at| rest.get(at + word.len()..));
        let formats: [(&[u8], Format); 4] = [
            (b";json-schema", Format::Schema),
            (b";json", Format::Json),
            (b";typed", Format::Typed),
            (b";csv", Format::Csv),
        ];
        Self {
            format: formats.iter().find(|(word, _)| has(word)).map_or(Format::Html, |f| f.1),
            up: has(b";up"),
            no_maint: has(b";no-maint"),
            no_refresh: has(b";norefresh"),
            outcome: after(b";st=").filter(|w| w.len() >= 4).map(Outcome::parse),
            scope: after(b"scope=").map(scope).unwrap_or_default(),
        }
    }

    /// Whether a proxy is asked for.
    pub(super) fn wants(&self, proxy: &str) -> bool {
        let (name, part) = (proxy.as_bytes(), self.scope.as_bytes());
        part.is_empty() || name.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part))
    }

    pub(super) fn selection(&self) -> Selection {
        Selection { no_maint: self.no_maint, up: self.up, ..Selection::default() }
    }

    /// Where the page that follows an order is.
    pub fn location(&self, settings: &Settings, outcome: Outcome) -> String {
        let mut out = format!("{};st={}", settings.uri, outcome.word());
        self.options(&mut out, self.up, self.no_refresh && settings.refresh > 0);
        out
    }

    /// Writes `;up`, `;norefresh` and the scope.
    pub(super) fn options(&self, out: &mut String, up: bool, no_refresh: bool) {
        out.push_str(if up { ";up" } else { "" });
        out.push_str(if no_refresh { ";norefresh" } else { "" });
        if !self.scope.is_empty() {
            let _ = write!(out, "?scope={}", self.scope);
        }
    }
}

/// A scope is a part of a name; what cannot be in one makes it none at all.
fn scope(text: &[u8]) -> String {
    let text = text.split(|b| matches!(b, b';' | b'&' | b' ')).next().unwrap_or_default();
    let text = text.get(..SCOPE_MAX).unwrap_or(text);
    let named = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    if text.iter().all(named) { String::from_utf8_lossy(text).into_owned() } else { String::new() }
}

//! What keyword parsers share: messages, values, and the state of the section under construction.

use super::line::Line;
use crate::diag::{Diag, Diags, Layout};
use crate::env::Env;
use crate::model::{ProxyKind, RuleLine, ServerOpts, StickTable, UnixBind};
use crate::pos::Pos;
use crate::suggest;
use crate::units::{self, TimeUnit, UnitError};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which section the parser is in, as far as keywords of proxies care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SectKind {
    /// `defaults`; true when it has a name.
    Defaults(bool),
    /// A proxy.
    Proxy(ProxyKind),
}

impl SectKind {
    /// HAProxy's word for the section in `unknown keyword` messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Defaults(_) => "defaults",
            Self::Proxy(ProxyKind::Frontend) => "frontend",
            Self::Proxy(ProxyKind::Backend) => "backend",
            Self::Proxy(ProxyKind::Listen) => "listen",
        }
    }

    /// Settings of a frontend make sense here.
    pub(crate) fn is_fe(self) -> bool {
        matches!(self, Self::Defaults(_)) || matches!(self, Self::Proxy(k) if k.is_fe())
    }

    /// Settings of a backend make sense here.
    pub(crate) fn is_be(self) -> bool {
        matches!(self, Self::Defaults(_)) || matches!(self, Self::Proxy(k) if k.is_be())
    }

    /// Whether it is a `defaults` section.
    pub(crate) fn is_defaults(self) -> bool {
        matches!(self, Self::Defaults(_))
    }
}

/// `default-path` (manual 3.1).
#[derive(Clone, Debug, Default)]
pub(crate) enum DefaultPath {
    /// The directory in which the process was started.
    #[default]
    Current,
    /// The directory of the configuration file.
    Config,
    /// The parent of that.
    Parent,
    /// A given directory.
    Origin(PathBuf),
}

/// What lives as long as the parse.
#[derive(Debug)]
pub(crate) struct State {
    /// `expose-experimental-directives` was seen.
    pub(crate) experimental: bool,
    /// Something experimental was used.
    pub(crate) experimental_used: bool,
    /// `expose-deprecated-directives` was seen.
    pub(crate) deprecated: bool,
    /// `default-path`.
    pub(crate) default_path: DefaultPath,
    /// The kind of the current proxy section.
    pub(crate) kind: SectKind,
    /// The name of the current section.
    pub(crate) name: Arc<str>,
    /// `default-server` so far in this section.
    pub(crate) default_server: ServerOpts,
    /// `unix-bind` so far.
    pub(crate) unix_bind: UnixBind,
    /// How many arguments the option that runs took.
    pub(crate) taken: usize,
    /// The server whose options are parsed.
    pub(crate) server: String,
    /// `redirect` rules of the section: they run after its other request rules.
    pub(crate) redirects: Vec<RuleLine>,
    /// Stick tables so far.
    pub(crate) stick_tables: Vec<StickTable>,
    /// Names of the files so far, by [`crate::pos::FileId`].
    pub(crate) files: Vec<Arc<str>>,
    seen: Vec<Box<str>>,
}

impl State {
    /// Enters a section.
    pub(crate) fn enter(&mut self, kind: SectKind, name: Arc<str>, default_server: ServerOpts) {
        self.kind = kind;
        self.name = name;
        self.default_server = default_server;
        self.seen.clear();
    }

    /// Whether this is the first time that `what` comes up in the section.
    pub(crate) fn once(&mut self, what: &str) -> bool {
        let first = !self.seen.iter().any(|s| **s == *what);
        if first {
            self.seen.push(what.into());
        }
        first
    }

    /// `file:line`, for messages about two places.
    pub(crate) fn place(&self, pos: Pos) -> String {
        let file = self.files.get(usize::from(pos.file.0)).map_or("", |f| f);
        format!("{file}:{}", pos.line)
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            experimental: false,
            experimental_used: false,
            deprecated: false,
            default_path: DefaultPath::default(),
            kind: SectKind::Defaults(false),
            name: "".into(),
            default_server: ServerOpts::default(),
            unix_bind: UnixBind::default(),
            taken: 0,
            server: String::new(),
            redirects: Vec::new(),
            stick_tables: Vec::new(),
            files: Vec::new(),
            seen: Vec::new(),
        }
    }
}

/// What a keyword parser gets besides its line and its target.
pub(crate) struct Ctx<'a> {
    /// Where messages go.
    pub(crate) diags: &'a mut Diags,
    /// The environment, for `setenv` and its relatives.
    pub(crate) env: &'a mut Env,
    /// The name of the current file.
    pub(crate) file: &'a str,
    /// State across lines.
    pub(crate) st: &'a mut State,
}

impl Ctx<'_> {
    /// An alert about the whole line.
    pub(crate) fn alert(&mut self, line: &Line<'_>, text: impl Into<String>) -> &mut Diag {
        match line.keyword_word() {
            Some(w) => self.diags.alert_at(line.pos, w, text),
            None => self.diags.alert(line.pos, text),
        }
    }

    /// An alert that points at argument `i`, or at the keyword when there is no such argument.
    pub(crate) fn alert_arg(&mut self, line: &Line<'_>, i: usize, text: impl Into<String>) -> &mut Diag {
        match line.args().get(i).or(line.keyword_word()) {
            Some(w) => self.diags.alert_at(line.pos, w, text),
            None => self.diags.alert(line.pos, text),
        }
    }

    /// An alert about the line that does not refuse it.
    pub(crate) fn harmless(&mut self, line: &Line<'_>, text: impl Into<String>) -> &mut Diag {
        let diag = self.alert(line, text);
        diag.harmless = true;
        diag
    }

    /// A warning about the line.
    pub(crate) fn warn(&mut self, line: &Line<'_>, text: impl Into<String>) -> &mut Diag {
        self.diags.warning(line.pos, text)
    }

    /// Alerts that the line has more than `max` arguments.
    pub(crate) fn at_most(&mut self, line: &Line<'_>, max: usize) -> bool {
        if line.len() <= max {
            return true;
        }
        let text = format!("'{}' cannot handle unexpected argument '{}'.", line.keyword(), line.arg(max));
        self.alert_arg(line, max, text);
        false
    }

    /// Argument `i` as an integer within a range, or an alert.
    pub(crate) fn int(&mut self, line: &Line<'_>, i: usize, lo: i64, hi: i64) -> Option<i64> {
        let (number, rest) = units::leading_int(line.arg(i));
        if rest.is_empty() || number.is_none_or(|n| !(lo..=hi).contains(&n)) {
            return self.exact_int(line, i, lo, hi);
        }
        self.loose(line, i)
    }

    /// Argument `i` as an integer that fits its type. Most of HAProxy's integers end at the first character that is no
    /// digit; files that rely on it, or have a slip there, work, with a warning.
    pub(crate) fn loose<T: TryFrom<i64>>(&mut self, line: &Line<'_>, i: usize) -> Option<T> {
        let text = line.arg(i);
        let (number, rest) = units::leading_int(text);
        let number = number.and_then(|n| T::try_from(n).ok());
        if number.is_some() && !rest.is_empty() {
            let what =
                if rest == text { "is no number and counts as 0" } else { "ends where its digits end" };
            self.warn(line, format!("'{}' value '{text}' {what}.", line.keyword()));
        }
        number
    }

    /// The same for a number with nothing behind it.
    pub(crate) fn exact_int(&mut self, line: &Line<'_>, i: usize, lo: i64, hi: i64) -> Option<i64> {
        let text = line.arg(i);
        let why = match text.parse::<i64>() {
            Ok(n) if (lo..=hi).contains(&n) => return Some(n),
            Ok(_) => format!("'{}' value must be between {lo} and {hi} (was {text})", line.keyword()),
            Err(_) => format!("cannot parse '{}' value '{text}', an integer is expected.", line.keyword()),
        };
        self.alert_arg(line, i, why);
        None
    }

    /// The same for the many fields that are `u32`.
    pub(crate) fn u32(&mut self, line: &Line<'_>, i: usize, lo: u32, hi: u32) -> Option<u32> {
        self.int(line, i, lo.into(), hi.into()).and_then(|n| u32::try_from(n).ok())
    }

    /// Argument `i` as a time in ms, or an alert.
    pub(crate) fn time(&mut self, line: &Line<'_>, i: usize) -> Option<u32> {
        self.time_in(line, i, TimeUnit::Ms)
    }

    /// Argument `i` as a time in `unit`, or an alert.
    pub(crate) fn time_in(&mut self, line: &Line<'_>, i: usize, unit: TimeUnit) -> Option<u32> {
        match units::parse_time(line.arg(i), unit) {
            Ok(t) => {
                if let Some(text) = units::trailing_character(line.arg(i)) {
                    self.warn(line, text).layout = Layout::Unplaced;
                }
                Some(t)
            }
            Err(e) => {
                self.alert_arg(line, i, time_error(e, line.arg(i), &line.keyword(), unit));
                None
            }
        }
    }

    /// Argument `i` as a size in bytes, or an alert.
    pub(crate) fn size(&mut self, line: &Line<'_>, i: usize) -> Option<u32> {
        let text = line.arg(i);
        match units::parse_size(text) {
            Ok(n) => Some(n),
            Err(e) => {
                let rest = match e {
                    UnitError::Unexpected(at, _) => text.get(at..).unwrap_or(text),
                    UnitError::Overflow => text,
                };
                let why = format!("unexpected '{rest}' after size passed to '{}'", line.keyword());
                self.alert_arg(line, i, why);
                None
            }
        }
    }

    /// Argument `i` as `on` or `off`, or an alert.
    pub(crate) fn on_off(&mut self, line: &Line<'_>, i: usize) -> Option<bool> {
        match line.arg(i) {
            "on" => Some(true),
            "off" => Some(false),
            other => {
                let why = format!("'{}' expects either 'on' or 'off' but got '{other}'.", line.keyword());
                self.alert_arg(line, i, why);
                None
            }
        }
    }

    /// An address with its environment variables replaced: HAProxy does so in addresses even without quotes.
    pub(crate) fn address<'w>(&self, text: &'w str) -> Cow<'w, str> {
        if !text.contains('$') {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let braced = rest[at + 1..].strip_prefix('{');
            let body = braced.unwrap_or(&rest[at + 1..]);
            let end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(body.len());
            out.push_str(self.env.get(&body[..end]).unwrap_or_default());
            rest = &body[end..];
            if braced.is_some() {
                rest = rest.strip_prefix('}').unwrap_or(rest);
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// A file name as `default-path` resolves it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let file = Path::new(self.file);
        let dir = file.parent().unwrap_or(Path::new(""));
        match &self.st.default_path {
            DefaultPath::Current => PathBuf::from(name),
            DefaultPath::Config => dir.join(name),
            DefaultPath::Parent => dir.join("..").join(name),
            DefaultPath::Origin(o) => o.join(name),
        }
    }

    /// Whether an experimental keyword may be used; alerts when not.
    pub(crate) fn experimental(&mut self, line: &Line<'_>) -> bool {
        let what = format!("'{}' directive", line.keyword());
        self.exposed(line, &what)
    }

    /// Whether an experimental option in the middle of a line may be used; alerts when not.
    pub(crate) fn experimental_option(&mut self, line: &Line<'_>) -> bool {
        let what = format!("'{}'", line.keyword());
        self.exposed(line, &what)
    }

    fn exposed(&mut self, line: &Line<'_>, what: &str) -> bool {
        let may = self.expose();
        if !may {
            self.alert(line, format!("{what} {EXPERIMENTAL}"));
        }
        may
    }

    fn expose(&mut self) -> bool {
        self.st.experimental_used |= self.st.experimental;
        self.st.experimental
    }

    /// Whether a `rhttp@` address may be used; the words of the refusal.
    pub(crate) fn experimental_address(&mut self, address: &str) -> Result<(), String> {
        if self.expose() { Ok(()) } else { Err(format!("Address '{address}' {EXPERIMENTAL}")) }
    }

    /// `frontend 'f'`, `proxy 'l'`: how messages name the current proxy.
    pub(crate) fn proxy_name(&self) -> String {
        let word = match self.st.kind {
            SectKind::Defaults(_) => "defaults",
            SectKind::Proxy(k) => k.word(),
        };
        format!("{word} '{}'", self.st.name)
    }

    /// Adds the keyword that was probably meant.
    pub(crate) fn suggest<'n>(&mut self, word: &str, names: impl IntoIterator<Item = &'n str>) {
        if let Some(d) = self.diags.list.last_mut() {
            d.suggestion = suggest::near(word, names).map(str::to_owned);
        }
    }

    /// Ends the last message with a full stop and a hint, unless a suggestion follows it.
    pub(crate) fn full_stop(&mut self, hint: &str) {
        if let Some(d) = self.diags.list.last_mut() {
            if d.suggestion.is_none() {
                d.text.push('.');
                d.text.push_str(hint);
            } else if !hint.is_empty() {
                d.note = Some(hint.trim_start().to_owned());
            }
        }
    }
}

/// What is said of experimental things that were not asked for.
const EXPERIMENTAL: &str = "is experimental, must be allowed via a global 'expose-experimental-directives'";

/// HAProxy's words for a time that it cannot use.
pub(crate) fn time_error(e: UnitError, text: &str, keyword: &str, unit: TimeUnit) -> String {
    let max = match unit {
        TimeUnit::Us => "2147483647 us or ~35 minutes",
        TimeUnit::S => "2147483647 s or ~68 years",
        _ => "2147483647 ms or ~24.8 days",
    };
    match e {
        UnitError::Overflow => {
            format!("timer overflow in argument '{text}' to '{keyword}' (maximum value is {max})")
        }
        UnitError::Unexpected(_, Some(c)) if keyword.starts_with("timeout ") => {
            format!("unexpected character '{c}' in '{keyword}'")
        }
        UnitError::Unexpected(_, Some(c)) => {
            format!("unexpected character '{c}' in argument to <{keyword}>.")
        }
        UnitError::Unexpected(_, None) => format!("'{keyword}' expects a time, got '{text}'"),
    }
}

//! The section driver: starts and ends sections, and hands each line to the keywords of the current one.

use super::ctx::{Ctx, SectKind, State};
use super::defaults::{self, Defaults};
use super::inherit;
use super::line::{Line, Prefix};
use super::run;
use crate::diag::{Diags, Layout, Severity};
use crate::env::Env;
use crate::keyword::hash;
use crate::load::{LineCx, LineSink};
use crate::model::{Config, Global, HttpErrors, LogForward, Mode, Proxy, ProxyKind, ServerOpts, Userlist};
use crate::pos::{Pos, Word};
use crate::sections::proxy::bad_name_char;
use crate::sections::{Section, registry};
use std::collections::HashMap;
use std::sync::Arc;

/// HAProxy stops after so many alerts; so does Hawser.
const MOST_ALERTS: usize = 50;

/// Where the current line belongs.
#[derive(Clone, Copy, Debug, Default)]
enum Current {
    /// Before the first section.
    #[default]
    Outside,
    Global,
    Defaults(usize),
    Proxy(usize),
    HttpErrors(usize),
    Userlist(usize),
    LogForward(usize),
    /// A section that is refused; its place among the later ones.
    Later(usize),
    /// A section whose line was wrong beyond use, or that was removed.
    Skipped,
}

/// Builds a configuration line by line.
#[derive(Default)]
pub(crate) struct Parser {
    st: State,
    sections: Sections,
    alerts: usize,
    checked: usize,
}

/// The sections so far.
#[derive(Default)]
struct Sections {
    current: Current,
    global: Global,
    defaults: Vec<Defaults>,
    proxies: Vec<Proxy>,
    names: HashMap<Arc<str>, usize>,
    http_errors: Vec<HttpErrors>,
    userlists: Vec<Userlist>,
    log_forwards: Vec<LogForward>,
    later_names: Vec<(&'static str, Arc<str>, Pos)>,
}

impl LineSink for Parser {
    fn line(&mut self, lcx: &mut LineCx<'_>, words: &[Word]) {
        let file = usize::from(lcx.pos.file.0);
        if self.st.files.len() <= file {
            self.st.files.resize(file + 1, lcx.file.into());
        }
        let line = Line::new(lcx.pos, words);
        let mut cx = Ctx { diags: lcx.diags, env: lcx.env, file: lcx.file, st: &mut self.st };
        let hash = hash(line.word().as_bytes());
        match registry().sections.get_hashed(line.word(), hash) {
            Some(row) if line.prefix == Prefix::None => {
                self.sections.end(&mut cx);
                if run::available(&mut cx, &row.meta, &line) || matches!(row.x, Section::Later) {
                    self.sections.start(&mut cx, row.x, &line);
                } else {
                    self.sections.current = Current::Skipped;
                }
                line.word().clone_into(lcx.section);
                if !line.arg(0).is_empty() && line.arg(0) != "from" {
                    line.arg(0).clone_into(lcx.section);
                }
            }
            _ => self.sections.keyword(&mut cx, hash, &line),
        }
        self.limit(lcx);
    }

    fn end_of_file(&mut self, lcx: &mut LineCx<'_>) {
        let mut cx = Ctx { diags: lcx.diags, env: lcx.env, file: lcx.file, st: &mut self.st };
        self.sections.end(&mut cx);
    }
}

impl Parser {
    /// Ends the last section and gives the configuration.
    pub(crate) fn finish(mut self, diags: &mut Diags) -> Config {
        let mut env = Env::empty();
        let mut cx = Ctx { diags, env: &mut env, file: "", st: &mut self.st };
        self.sections.end(&mut cx);
        if self.st.experimental && !self.st.experimental_used {
            let text = "Option 'expose-experimental-directives' is set in the global section but is no longer used. It \
                        is strongly recommended to remove it in order to avoid using an experimental directive by \
                        accident in the future.";
            diags.push(Severity::Warning, None, text).layout = Layout::Plain;
        }
        let s = self.sections;
        Config {
            stick_tables: self.st.stick_tables,
            files: Vec::new(),
            global: s.global,
            proxies: s.proxies,
            http_errors: s.http_errors,
            userlists: s.userlists,
            log_forwards: s.log_forwards,
            proxy_names: s.names,
            env: Env::empty(),
        }
    }

    /// Stops loading when there are too many alerts.
    fn limit(&mut self, lcx: &mut LineCx<'_>) {
        let new = lcx.diags.list.get(self.checked..).unwrap_or_default();
        self.alerts += new.iter().filter(|d| d.fatal()).count();
        self.checked = lcx.diags.list.len();
        if self.alerts >= MOST_ALERTS && !lcx.abort {
            lcx.abort = true;
            let text = format!("too many fatal errors ({}), stopping now.", self.alerts);
            lcx.diags.alert(lcx.pos, text).layout = Layout::Tight;
        }
    }
}

impl Sections {
    fn keyword(&mut self, cx: &mut Ctx<'_>, hash: usize, line: &Line<'_>) {
        let r = registry();
        match self.current {
            Current::Global => run::keyword(cx, &r.global, hash, "global", &mut self.global, line),
            Current::Proxy(i) => {
                let section = cx.st.kind.word();
                if let Some(p) = self.proxies.get_mut(i) {
                    run::keyword(cx, &r.proxy, hash, section, p, line);
                }
            }
            Current::Defaults(i) => {
                if let Some(d) = self.defaults.get_mut(i) {
                    run::keyword(cx, &r.proxy, hash, "defaults", &mut d.proxy, line);
                }
            }
            Current::HttpErrors(i) => {
                if let Some(s) = self.http_errors.get_mut(i) {
                    run::keyword(cx, &r.http_errors, hash, "http-errors", s, line);
                }
            }
            Current::Userlist(i) => {
                if let Some(u) = self.userlists.get_mut(i) {
                    run::keyword(cx, &r.userlist, hash, "userlist", u, line);
                }
            }
            Current::LogForward(i) => {
                if let Some(f) = self.log_forwards.get_mut(i) {
                    run::keyword(cx, &r.log_forward, hash, "log-forward", f, line);
                }
            }
            Current::Later(i) => {
                // The section itself was refused: its keywords need no refusal each.
                if let Some((name, index)) = r.later.get(i)
                    && index.get_hashed(line.word(), hash).is_none()
                {
                    run::unknown(cx, index, name, line);
                }
            }
            Current::Skipped => {}
            Current::Outside => {
                cx.alert(line, format!("unknown keyword '{}' out of section.", line.word())).layout =
                    Layout::Tight;
                cx.suggest(line.word(), r.sections.names());
            }
        }
    }

    /// Ends the current section.
    fn end(&mut self, cx: &mut Ctx<'_>) {
        let redirects = std::mem::take(&mut cx.st.redirects);
        match std::mem::take(&mut self.current) {
            Current::Proxy(i) => {
                if let Some(p) = self.proxies.get_mut(i) {
                    p.redirects = redirects.len();
                    p.rules.http_req.extend(redirects);
                }
            }
            Current::Defaults(i) => {
                if let Some(d) = self.defaults.get_mut(i) {
                    d.default_server = std::mem::take(&mut cx.st.default_server);
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, cx: &mut Ctx<'_>, section: Section, line: &Line<'_>) {
        self.current = match section {
            Section::Global => {
                cx.at_most(line, 0);
                Current::Global
            }
            Section::Defaults => self.start_defaults(cx, line),
            Section::Frontend => self.start_proxy(cx, line, ProxyKind::Frontend),
            Section::Backend => self.start_proxy(cx, line, ProxyKind::Backend),
            Section::Listen => self.start_proxy(cx, line, ProxyKind::Listen),
            Section::HttpErrors => self.start_http_errors(cx, line),
            Section::Userlist => self.start_userlist(cx, line),
            Section::LogForward => self.start_log_forward(cx, line),
            Section::Later => self.start_later(cx, line),
        };
    }

    fn start_defaults(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>) -> Current {
        let (name, at) = if line.arg(0) == "from" { ("", 0) } else { (line.arg(0), 1) };
        let from = (line.arg(at) == "from").then(|| (at + 1, line.arg(at + 1)));
        let source = from.and_then(|from| {
            defaults::find(cx, &mut self.defaults, line, Some(from), &format!("defaults '{name}'"))
        });
        if let Some(i) = source {
            defaults::may_start_defaults(cx, &self.defaults[i], line);
        }
        if from.is_some() {
            cx.at_most(line, at + 2);
        }
        let section = Defaults::new(name, line.pos, source.map(|i| &self.defaults[i]));
        cx.st.enter(
            SectKind::Defaults(!name.is_empty()),
            section.name.clone(),
            section.default_server.clone(),
        );
        self.defaults.push(section);
        Current::Defaults(self.defaults.len() - 1)
    }

    fn start_proxy(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>, kind: ProxyKind) -> Current {
        let (keyword, name) = (line.word(), line.arg(0));
        if name.is_empty() {
            cx.alert(line, format!("'{keyword}' expects an <id> argument"));
            // A section without a name is read all the same, for its errors.
        } else if let Some(c) = bad_name_char(name) {
            // HAProxy says so, and goes on.
            let text = format!("character '{c}' is not permitted in '{keyword}' name '{name}'.");
            cx.alert_arg(line, 0, text).harmless = true;
        }
        let from = match (line.arg(1), line.arg(2)) {
            ("from", d) if !d.is_empty() => {
                cx.at_most(line, 3);
                Some((2, d))
            }
            ("", _) => None,
            // What follows the name of a backend is not looked at.
            _ if kind == ProxyKind::Backend => None,
            _ => {
                cx.alert_arg(line, 1, "please use the 'bind' keyword for listening addresses.");
                None
            }
        };
        let who = || format!("{} '{name}'", kind.word());
        let source = match from {
            None => defaults::find(cx, &mut self.defaults, line, None, ""),
            Some(_) => defaults::find(cx, &mut self.defaults, line, from, &who()),
        };
        let name: Arc<str> = name.into();
        let (mut p, default_server) = match source.and_then(|i| self.defaults.get_mut(i)) {
            Some(d) => {
                defaults::use_by(cx, d, line, kind);
                let mut p = inherit::proxy(&d.proxy, kind);
                p.default_rules = d.rules();
                (p, d.default_server.clone())
            }
            None => (Proxy { kind, ..Proxy::default() }, ServerOpts::default()),
        };
        p.name = name.clone();
        p.pos = line.pos;
        cx.st.enter(SectKind::Proxy(kind), name.clone(), default_server);
        self.unique(cx, line, &p);
        self.proxies.push(p);
        Current::Proxy(self.proxies.len() - 1)
    }

    /// Alerts when another proxy has the same name.
    fn unique(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>, p: &Proxy) {
        if let Some(f) = self.log_forwards.iter().find(|f| f.proxy.name == p.name) {
            let (kind, at) = (p.kind.word(), cx.st.place(f.proxy.pos));
            let what = format!("has the same name as log forward section '{}' declared at {at}.", p.name);
            cx.alert_arg(line, 0, format!("{kind} '{}' {what}", p.name)).layout = Layout::Tight;
        }
        if let Some(d) = self.defaults.iter().find(|d| d.name == p.name && !p.name.is_empty()) {
            let text = format!(
                "{} '{}' has the same name as defaults '{}' declared at {}. This is no longer supported as of 3.3. \
                 Please rename one or the other.",
                p.kind.word(),
                p.name,
                d.name,
                cx.st.place(d.pos)
            );
            cx.alert_arg(line, 0, text).layout = Layout::Tight;
        }
        match self.names.entry(p.name.clone()) {
            std::collections::hash_map::Entry::Vacant(e) => {
                e.insert(self.proxies.len());
            }
            std::collections::hash_map::Entry::Occupied(e) => {
                let Some(other) = self.proxies.get(*e.get()) else { return };
                let text = format!(
                    "{} '{}' has the same name as {} '{}' declared at {}. This is no longer supported as of 3.3. \
                     Please rename one or the other.",
                    p.kind.word(),
                    p.name,
                    other.kind.word(),
                    other.name,
                    cx.st.place(other.pos)
                );
                cx.alert_arg(line, 0, text).layout = Layout::Tight;
            }
        }
    }

    fn start_http_errors(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>) -> Current {
        let Some(name) = section_name(cx, line) else { return Current::Skipped };
        if let Some(other) = self.http_errors.iter().find(|s| s.name == name) {
            let text = format!(
                "http-errors section '{name}' already exists (declared at {}).",
                cx.st.place(other.pos)
            );
            cx.alert_arg(line, 0, text).layout = Layout::Tight;
        }
        self.http_errors.push(HttpErrors { name, pos: line.pos, files: Vec::new() });
        Current::HttpErrors(self.http_errors.len() - 1)
    }

    fn start_userlist(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>) -> Current {
        if line.len() == 0 {
            cx.alert(line, "'userlist' expects <name> as arguments.").layout = Layout::Tight;
            return Current::Skipped;
        }
        cx.at_most(line, 1);
        let Some(name) = section_name(cx, line) else { return Current::Skipped };
        if self.userlists.iter().any(|u| u.name == name) {
            cx.warn(line, format!("ignoring duplicated userlist '{name}'.")).layout = Layout::Tight;
            return Current::Skipped;
        }
        self.userlists.push(Userlist { name, pos: line.pos, lines: Vec::new() });
        Current::Userlist(self.userlists.len() - 1)
    }

    fn start_log_forward(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>) -> Current {
        let Some(name) = section_name(cx, line) else { return Current::Skipped };
        cx.at_most(line, 1);
        let twice = self.log_forwards.iter().find(|f| f.proxy.name == name);
        let proxy = self.names.get(&name).and_then(|i| self.proxies.get(*i));
        let text = if let Some(other) = twice {
            let at = cx.st.place(other.proxy.pos);
            let text = "has the same name as another log-forward section declared at";
            Some(format!("log-forward section '{name}' {text} {at}."))
        } else {
            proxy.map(|p| {
                let (kind, at) = (p.kind.word(), cx.st.place(p.pos));
                format!("log forward section '{name}' has the same name as {kind} '{name}' declared at {at}.")
            })
        };
        if let Some(text) = text {
            cx.alert_arg(line, 0, text).layout = Layout::Tight;
        }
        let kind = ProxyKind::Frontend;
        cx.st.enter(SectKind::Proxy(kind), name.clone(), ServerOpts::default());
        let proxy =
            Proxy { kind, name, pos: line.pos, mode: Mode::Tcp, maxconn: Some(10), ..Proxy::default() };
        self.log_forwards.push(LogForward { proxy, ..LogForward::default() });
        Current::LogForward(self.log_forwards.len() - 1)
    }

    fn start_later(&mut self, cx: &mut Ctx<'_>, line: &Line<'_>) -> Current {
        let Some(at) = registry().later.iter().position(|(name, _)| *name == line.word()) else {
            return Current::Skipped;
        };
        let kind = registry().later[at].0;
        if matches!(kind, "crt-store" | "traces") {
            return Current::Later(at);
        }
        let Some(name) = section_name(cx, line) else { return Current::Later(at) };
        if let Some((.., pos)) = self.later_names.iter().find(|(k, n, _)| *k == kind && *n == name) {
            let text = format!(
                "{kind} section '{name}' has the same name as another {kind} section declared at {}.",
                cx.st.place(*pos)
            );
            cx.alert_arg(line, 0, text).layout = Layout::Tight;
        }
        self.later_names.push((kind, name, line.pos));
        Current::Later(at)
    }
}

/// The name of a section that must have one.
fn section_name(cx: &mut Ctx<'_>, line: &Line<'_>) -> Option<Arc<str>> {
    let name = line.arg(0);
    if name.is_empty() {
        cx.alert(line, format!("missing name for {} section.", line.word()));
        return None;
    }
    if let Some(c) = bad_name_char(name) {
        cx.alert_arg(
            line,
            0,
            format!("character '{c}' is not permitted in '{}' name '{name}'.", line.word()),
        );
    }
    Some(name.into())
}

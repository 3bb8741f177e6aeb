//! Checks that only make sense once every section is known: names of backends, modes that fit, timeouts.

use hawser_cfg::diag::{Diags, Severity};
use hawser_cfg::model::{Config, Mode, Proxy, opt};
use hawser_cfg::pos::Word;
use std::collections::HashMap;
use std::sync::Arc;

/// Backends by name, and what leads to them.
pub(crate) struct Names {
    backends: HashMap<Arc<str>, usize>,
    fullconn: Vec<u32>,
}

impl Names {
    /// Looks over all sections.
    pub(crate) fn new(cfg: &Config, diags: &mut Diags) -> Self {
        let _ = diags;
        let mut backends = HashMap::new();
        for (i, p) in cfg.proxies.iter().enumerate().filter(|(_, p)| p.kind.is_be()) {
            backends.entry(p.name.clone()).or_insert(i);
        }
        let fullconn = fullconns(cfg, &backends);
        Self { backends, fullconn }
    }

    /// `fullconn` of a backend that sets none: a tenth of the connections that its frontends accept.
    pub(crate) fn fullconn(&self, index: usize) -> u32 {
        self.fullconn.get(index).copied().unwrap_or(1)
    }

    /// The backend that a frontend names.
    pub(crate) fn target(
        &self,
        cfg: &Config,
        from: usize,
        name: &str,
        keyword: &str,
        diags: &mut Diags,
    ) -> Option<usize> {
        let fe = cfg.proxies.get(from)?;
        let Some(&index) = self.backends.get(name) else {
            let near = hawser_cfg::suggest::near(name, self.backends.keys().map(|k| &**k)).map(str::to_owned);
            let text = format!("Proxy '{}': unable to find required {keyword}: '{name}'.", fe.name);
            let d = diags.push(Severity::Alert, None, text);
            d.suggestion = near;
            return None;
        };
        let be = cfg.proxies.get(index)?;
        if fe.mode == Mode::Http && be.mode == Mode::Tcp || !matches!(be.mode, Mode::Tcp | Mode::Http) {
            diags.push(Severity::Alert, None, incompatible(cfg, fe, be, keyword));
        }
        Some(index)
    }
}

fn incompatible(cfg: &Config, fe: &Proxy, be: &Proxy, keyword: &str) -> String {
    let place = |p: &Proxy| {
        let file = cfg.files.get(usize::from(p.pos.file.0)).map_or("", |f| &**f);
        format!("'{}' ({file}:{})", p.name, p.pos.line)
    };
    let role = if keyword == "default_backend" { " as its default backend" } else { "" };
    let (from, to) = (mode(fe.mode), mode(be.mode));
    if role.is_empty() {
        return format!(
            "{from} {} {} tries to use incompatible {to} {} {} in a 'use_backend' rule (see 'mode').",
            fe.kind.word(),
            place(fe),
            be.kind.word(),
            place(be)
        );
    }
    format!(
        "{from} {} {} tries to use incompatible {to} {} {}{role} (see 'mode').",
        fe.kind.word(),
        place(fe),
        be.kind.word(),
        place(be)
    )
}

fn mode(m: Mode) -> &'static str {
    match m {
        Mode::Tcp => "tcp",
        Mode::Http => "http",
        Mode::Log => "log",
        Mode::Spop => "spop",
        Mode::Haterm => "haterm",
    }
}

/// The text about a `use-server` line without its server.
pub(crate) fn no_server(px: &Proxy, name: &str) -> String {
    format!("backend '{}' : unable to find server '{name}' referenced in a 'use-server' rule.", px.name)
}

fn fullconns(cfg: &Config, backends: &HashMap<Arc<str>, usize>) -> Vec<u32> {
    let default = cfg.global.maxconn.unwrap_or(2000);
    let mut sums = vec![0u32; cfg.proxies.len()];
    for (i, p) in cfg.proxies.iter().enumerate().filter(|(_, p)| p.kind.is_fe()) {
        let named = p.use_backend.iter().filter_map(|l| l.words.first()).map(Word::as_str);
        let default_be = p.default_backend.as_ref().map(|(_, w)| w.as_str());
        let mut targets: Vec<usize> =
            named.chain(default_be).filter_map(|n| backends.get(n).copied()).collect();
        if p.kind.is_be() {
            targets.push(i);
        }
        targets.sort_unstable();
        targets.dedup();
        for t in targets {
            sums[t] = sums[t].saturating_add(p.maxconn.unwrap_or(default));
        }
    }
    sums.into_iter().map(|s| s.div_ceil(10).max(1)).collect()
}

/// Warnings about whole sections.
pub(crate) fn all(cfg: &Config, diags: &mut Diags) {
    for p in &cfg.proxies {
        if p.kind.is_fe() && p.binds.is_empty() && !p.disabled {
            let text = format!(
                "{} '{}' has no 'bind' directive. Please declare it as a backend if this was intended.",
                p.kind.word(),
                p.name
            );
            diags.push(Severity::Warning, None, text);
        }
        if p.mode != Mode::Http {
            tcp_only(p, diags);
        }
        timeouts(p, diags);
    }
}

/// What makes no sense outside HTTP mode.
fn tcp_only(p: &Proxy, diags: &mut Diags) {
    let name = format!("{} '{}'", p.kind.word(), p.name);
    let mut warn = |text: String| _ = diags.push(Severity::Warning, None, text);
    for (_, what) in [(p.forwardfor.is_some(), "forwardfor"), (p.originalto.is_some(), "originalto")]
        .into_iter()
        .filter(|o| o.0)
    {
        warn(format!("'option {what}' ignored for {name} as it requires HTTP mode."));
    }
}

/// Timeouts without which connections may stay forever.
fn timeouts(p: &Proxy, diags: &mut Diags) {
    let t = &p.timeouts;
    let unset = |t: Option<u32>| t.is_none();
    let front = p.kind.is_fe() && !p.binds.is_empty() && unset(t.client);
    let back = p.kind.is_be() && !p.servers.is_empty() && (unset(t.connect) || unset(t.server));
    if p.disabled || !(front || back) || p.options.has(opt::TRANSPARENT) {
        return;
    }
    let text = format!(
        "missing timeouts for {} '{}'.\n   | While not properly invalid, you will certainly encounter various problems\n   \
         | with such a configuration. To fix this, please ensure that all following\n   \
         | timeouts are set to a non-zero value: 'client', 'connect', 'server'.",
        p.kind.word(),
        p.name
    );
    diags.push(Severity::Warning, None, text);
}

//! The `defaults` sections that were read, and who uses them (manual chapter 4).

use super::ctx::Ctx;
use super::line::Line;
use crate::diag::Layout;
use crate::model::{DefaultRules, Proxy, ProxyKind, ServerOpts};
use crate::pos::Pos;
use crate::sections::proxy::bad_name_char;
use std::sync::Arc;

/// One `defaults` section.
#[derive(Debug)]
pub(crate) struct Defaults {
    /// Its name, or nothing.
    pub(crate) name: Arc<str>,
    /// Its section line.
    pub(crate) pos: Pos,
    /// Its settings.
    pub(crate) proxy: Proxy,
    /// Its `default-server`.
    pub(crate) default_server: ServerOpts,
    /// Its rules, once it has ended.
    rules: Option<Arc<DefaultRules>>,
    referenced: bool,
    by_frontend: bool,
    by_backend: bool,
}

impl Defaults {
    /// An empty section, or one that starts from another.
    pub(crate) fn new(name: &str, pos: Pos, from: Option<&Self>) -> Self {
        Self {
            name: name.into(),
            pos,
            proxy: from.map(|d| super::inherit::defaults(&d.proxy)).unwrap_or_default(),
            default_server: from.map(|d| d.default_server.clone()).unwrap_or_default(),
            rules: None,
            referenced: false,
            by_frontend: false,
            by_backend: false,
        }
    }

    /// Whether it has rules; conditions alone do not count.
    fn has_rules(&self) -> bool {
        !self.proxy.rules.is_empty()
    }

    /// Its rules and conditions, shared by all proxies that use it.
    pub(crate) fn rules(&mut self) -> Option<Arc<DefaultRules>> {
        if self.rules.is_none() && self.has_rules() {
            self.rules = Some(Arc::new(DefaultRules {
                name: self.name.clone(),
                acls: self.proxy.acls.clone(),
                rules: self.proxy.rules.clone(),
            }));
        }
        self.rules.clone()
    }
}

/// The section that a `from` names, or the last one.
pub(crate) fn find(
    cx: &mut Ctx<'_>,
    list: &mut [Defaults],
    line: &Line<'_>,
    from: Option<(usize, &str)>,
    who: &str,
) -> Option<usize> {
    let Some((arg, name)) = from else {
        let last = list.len().checked_sub(1)?;
        let d = &list[last];
        if d.referenced && !who.starts_with("defaults") {
            let text = format!(
                "defaults section '{}' (declared at {}) is explicitly referenced by another proxy and implicitly used \
                 here. To avoid any ambiguity don't mix both usage. Add a last defaults section not explicitly used \
                 or always use explicit references.",
                d.name,
                cx.st.place(d.pos)
            );
            cx.warn(line, text);
        }
        return Some(last);
    };
    let mut found = list.iter().enumerate().rev().filter(|(_, d)| &*d.name == name);
    let Some((i, d)) = found.next() else {
        cx.alert_arg(line, arg, format!("defaults section '{name}' not found for {who}."));
        cx.suggest(name, list.iter().map(|d| &*d.name));
        return None;
    };
    if let Some((_, other)) = found.next() {
        let text = format!(
            "ambiguous defaults section name '{name}' referenced by {who} exists at least at {} and {}.",
            cx.st.place(d.pos),
            cx.st.place(other.pos)
        );
        cx.alert_arg(line, arg, text).harmless = true;
    } else if let Some(c) = bad_name_char(name) {
        let text = format!(
            "character '{c}' is not permitted in defaults section name '{name}' when designated by its name (section \
             found at {}).",
            cx.st.place(d.pos)
        );
        cx.alert_arg(line, arg, text);
    }
    list[i].referenced = true;
    Some(i)
}

/// Whether a section with rules may be used for another `defaults`.
pub(crate) fn may_start_defaults(cx: &mut Ctx<'_>, d: &Defaults, line: &Line<'_>) {
    if d.has_rules() {
        let text = format!(
            "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules (defaults section at \
             {}).",
            cx.st.place(d.pos)
        );
        cx.alert(line, text).layout = Layout::Tight;
    }
}

/// Whether the rules of a section fit a proxy of that kind; notes the use.
pub(crate) fn use_by(cx: &mut Ctx<'_>, d: &mut Defaults, line: &Line<'_>, kind: ProxyKind) {
    let rules = &d.proxy.rules;
    let place = cx.st.place(d.pos);
    if d.has_rules() {
        let text = if kind == ProxyKind::Listen {
            Some(
                "a listen section cannot inherit from a defaults section defining TCP/HTTP rules.".to_owned(),
            )
        } else if kind.is_be() && d.by_frontend || kind.is_fe() && d.by_backend {
            Some(format!(
                "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules \
                 (defaults section at {place})."
            ))
        } else if kind.is_fe() && !rules.tcp_res_cont.is_empty() {
            Some(format!(
                "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules \
                 (defaults section at {place})."
            ))
        } else if kind.is_be() && !(rules.tcp_req_conn.is_empty() && rules.tcp_req_sess.is_empty()) {
            Some(format!(
                "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or \
                 'tcp-request session' rules (defaults section at {place})."
            ))
        } else {
            None
        };
        if let Some(text) = text {
            cx.alert(line, text).layout = Layout::Tight;
        }
    }
    d.by_frontend |= kind.is_fe();
    d.by_backend |= kind.is_be();
}

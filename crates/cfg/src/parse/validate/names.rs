//! Names that must exist: backends, servers of `use-server`, `http-errors` sections.

use super::{alert, place, title};
use crate::diag::Diags;
use crate::model::{ErrorKind, HttpErrors, Mode, Proxy, ProxyKind};
use crate::pos::{Pos, Word};
use crate::suggest;
use std::collections::HashMap;
use std::sync::Arc;

/// What others need to know of a proxy that they name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    kind: ProxyKind,
    mode: Mode,
    pos: Pos,
}

impl Target {
    /// The facts about `p`.
    pub(super) fn of(p: &Proxy) -> Self {
        Self { kind: p.kind, mode: p.mode, pos: p.pos }
    }
}

/// Finds proxies by name.
#[derive(Debug)]
pub(super) struct Look<'a> {
    /// Places by name.
    pub(super) names: &'a HashMap<Arc<str>, usize>,
    /// Facts by place.
    pub(super) targets: &'a [Target],
    /// Names of the files.
    pub(super) files: &'a [Arc<str>],
}

impl Look<'_> {
    fn backend(&self, name: &str) -> Option<Target> {
        let target = self.targets.get(*self.names.get(name)?)?;
        target.kind.is_be().then_some(*target)
    }
}

/// Checks the names that a proxy uses.
pub(super) fn check(p: &Proxy, look: &Look<'_>, http_errors: &[HttpErrors], diags: &mut Diags) {
    if let Some((pos, name)) = &p.default_backend {
        backend(p, look, "default_backend", "as its default backend", *pos, name, diags);
    }
    for rule in &p.use_backend {
        // A name with a sample expression is only known at run time.
        if let Some(name) = rule.words.first().filter(|w| !w.contains('%')) {
            backend(p, look, "use_backend", "in a 'use_backend' rule", rule.pos, name, diags);
        }
    }
    for rule in &p.use_server {
        if let Some(name) = rule.words.first().filter(|w| !w.contains('%'))
            && !p.servers.iter().any(|s| *s.name == **name)
        {
            let text =
                format!("{} : unable to find server '{name}' referenced in a 'use-server' rule.", title(p));
            alert(diags, rule.pos, text);
            hint(diags, name, p.servers.iter().map(|s| &*s.name));
        }
    }
    for e in &p.errors {
        if let ErrorKind::Files { section, .. } = &e.kind
            && !http_errors.iter().any(|s| *s.name == **section)
        {
            let at = place(look.files, e.pos);
            let text = format!("proxy '{}': unknown http-errors section '{section}' (at {at}).", p.name);
            alert(diags, e.pos, text);
            hint(diags, section, http_errors.iter().map(|s| &*s.name));
        }
    }
}

fn backend(p: &Proxy, look: &Look<'_>, keyword: &str, how: &str, pos: Pos, name: &Word, diags: &mut Diags) {
    let Some(target) = look.backend(name) else {
        alert(diags, pos, format!("Proxy '{}': unable to find required {keyword}: '{name}'.", p.name));
        let names = look.names.iter().filter(|(_, i)| look.targets.get(**i).is_some_and(|t| t.kind.is_be()));
        hint(diags, name, names.map(|(n, _)| &**n));
        return;
    };
    if *p.name == **name {
        alert(diags, pos, format!("Proxy '{}': loop detected for {keyword}: '{name}'.", p.name));
    } else if p.mode == Mode::Http && target.mode == Mode::Tcp {
        let text = format!(
            "http {} ({}) tries to use incompatible tcp {} '{name}' ({}) {how} (see 'mode').",
            title(p),
            place(look.files, p.pos),
            target.kind.word(),
            place(look.files, target.pos)
        );
        alert(diags, pos, text);
    }
}

/// Adds the name that was probably meant to the last message.
fn hint<'a>(diags: &mut Diags, name: &str, names: impl IntoIterator<Item = &'a str>) {
    if let Some(d) = diags.list.last_mut() {
        d.suggestion = suggest::near(name, names).map(str::to_owned);
    }
}

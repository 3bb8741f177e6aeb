//! Numbers and identifiers that only one thing may have.

use super::place;
use crate::diag::{Diags, Layout};
use crate::model::{Config, Proxy};
use crate::pos::Pos;
use std::collections::HashMap;

/// Checks proxies, listeners and identifiers.
pub(super) fn check(config: &Config, diags: &mut Diags) {
    let mut ids: HashMap<u32, &Proxy> = HashMap::new();
    let mut guids: HashMap<&str, String> = HashMap::new();
    for p in &config.proxies {
        if let Some(id) = p.id
            && let Some(other) = ids.insert(id, p)
        {
            let text = format!(
                "{} {} reuses same custom id as {} {} (declared at {}).",
                p.kind.word(),
                p.name,
                other.kind.word(),
                other.name,
                place(&config.files, other.pos)
            );
            diags.alert(p.pos, text).layout = Layout::Tight;
        }
        if let Some(guid) = &p.guid
            && let Some(other) = guids.insert(guid, format!("{} {}", p.kind.word(), p.name))
        {
            diags.alert(p.pos, format!("'guid': duplicate entry with {other}"));
        }
        for s in &p.servers {
            if let Some(guid) = &s.opts.guid
                && let Some(other) = guids.insert(guid, format!("server {}/{}", p.name, s.name))
            {
                let text = format!("'server {}/{}' : 'guid': duplicate entry with {other}.", p.name, s.name);
                diags.alert(s.pos, text).layout = Layout::Located;
            }
        }
        listeners(config, p, diags);
    }
}

fn listeners(config: &Config, p: &Proxy, diags: &mut Diags) {
    let mut ids: Vec<(u32, Pos, &str)> = Vec::new();
    for b in &p.binds {
        let Some(id) = b.opts.id else { continue };
        let text = b.addrs.first().map_or("", |a| &a.text);
        match ids.iter().find(|(other, ..)| *other == id) {
            Some((_, pos, other)) => {
                let section = if p.kind.is_be() { "listen" } else { "frontend" };
                let text = format!(
                    "'bind {text}' in section '{section}' : 'id' : custom id {id} already used at {} ('bind {other}')",
                    place(&config.files, *pos)
                );
                diags.alert(b.pos, text);
            }
            None => ids.push((id, b.pos, text)),
        }
    }
}

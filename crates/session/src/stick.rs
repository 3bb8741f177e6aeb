//! `stick` rules at run time: the server that a table remembers, and the keys that are to be remembered.

use crate::client::Client;
use crate::snapshot::{Back, StickRule, StickRules};
use crate::stream::{Stream, with_ctx};
use hawser_balance::{Backend, Server};
use hawser_proto::freq::ms_at;
use hawser_sample::{Ctx, stick};
use hawser_stick::{Entry, Key, Table};
use std::sync::Arc;

/// Most keys that a stream remembers.
const MOST_KEYS: usize = 8;

/// Keys to store once the stream has reached a server, each with the index of its table.
pub(crate) type Keys = Vec<(usize, Key)>;

/// `stick on`, `match` and `store-request`, after cookies.
pub(crate) fn request(cl: &Client, st: &mut Stream) {
    if rules(st).is_none_or(|r| r.request.is_empty()) {
        return;
    }
    let Some(be) = st.be.clone() else { return };
    let Some(back) = &be.back else { return };
    let now = ms_at(cl.now());
    for rule in &back.stick.request {
        // Of those that store in one table, only the first that has a key does.
        let stored = rule.stores && st.keys.iter().any(|(table, _)| *table == rule.table);
        if stored {
            continue;
        }
        let Some((table, key)) = with_ctx(cl, st, false, |ctx| find_key(cl, rule, ctx)) else { continue };
        if rule.matches
            && let Some(entry) = table.find(&key, now)
        {
            if st.persist.server.is_none() {
                st.persist.server = remembered(&back.backend, &table, &entry, st.persist.even_down);
            }
            table.refresh(&entry, now);
        }
        if rule.stores && st.keys.len() < MOST_KEYS {
            st.keys.push((rule.table, key));
        }
    }
}

/// `stick store-response`; then all keys are stored with the server that the stream has reached.
pub(crate) fn response(cl: &Client, st: &mut Stream) {
    if st.keys.is_empty() && rules(st).is_none_or(|r| r.response.is_empty()) {
        return;
    }
    let Some(be) = st.be.clone() else { return };
    let Some(back) = &be.back else { return };
    let of_request = st.keys.len();
    for rule in &back.stick.response {
        if st.keys[of_request..].iter().any(|(table, _)| *table == rule.table) || st.keys.len() >= MOST_KEYS {
            continue;
        }
        if let Some((_, key)) = with_ctx(cl, st, true, |ctx| find_key(cl, rule, ctx)) {
            st.keys.push((rule.table, key));
        }
    }
    if !st.keys.is_empty() {
        store(cl, st, back);
    }
}

fn rules(st: &Stream) -> Option<&StickRules> {
    st.be.as_ref()?.back.as_ref().map(|b| &b.stick)
}

/// The rule's key, if its condition holds, and the table.
fn find_key(cl: &Client, rule: &StickRule, ctx: &Ctx<'_>) -> Option<(Arc<Table>, Key)> {
    if rule.cond.as_ref().is_some_and(|c| !c.eval(ctx)) {
        return None;
    }
    let table = cl.snapshot.tables.get(rule.table)?;
    let key = stick::key(table, rule.key.eval(ctx)?)?;
    Some((table.clone(), key))
}

fn store(cl: &Client, st: &mut Stream, back: &Back) {
    let now = ms_at(cl.now());
    let server = st.slot.as_ref().and_then(|s| back.backend.servers.get(s.index() as usize));
    for (index, key) in st.keys.drain(..) {
        let Some(server) = server.filter(|s| !s.opts.non_stick) else { continue };
        let Some(table) = cl.snapshot.tables.get(index) else { continue };
        if let Some(entry) = table.find_or_make(&key, now) {
            table.set_server(&entry, server.id, name_of(table, server), now);
        }
    }
}

/// How a table remembers a server besides its id.
fn name_of(table: &Table, server: &Server) -> Arc<str> {
    if table.by_address() { server.addr.load().addr.to_string().into() } else { server.name.clone() }
}

/// The server that an entry stands for, if it may be used.
fn remembered(backend: &Backend, table: &Table, entry: &Entry, even_down: bool) -> Option<u32> {
    let (id, name) = table.server(entry);
    let named = name.and_then(|name| {
        if table.by_address() {
            backend.servers.iter().find(|s| s.addr.load().addr.to_string() == *name)
        } else {
            backend.servers.get(backend.find(&name)? as usize)
        }
    });
    let server = named.or_else(|| backend.servers.iter().find(|s| i64::from(s.id) == id))?;
    (server.is_usable() || even_down).then_some(server.index)
}

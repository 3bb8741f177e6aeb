//! The algorithms that hash something of the request (manual 4.2 `balance`, `hash-type`).

use super::hash::{Function, HashType};
use super::key::{Key, Source, UriPart};
use super::random::Bound;
use super::ring::{Node, Ring, base_of_id};
use super::roundrobin::RoundRobin;
use super::{Algo, Choice, Made, Member, Pick, Words, map, static_rr};
use crate::server::Server;
use arc_swap::ArcSwap;
use hawser_sample::hash::{avalanche, xxh32};
use hawser_sample::{Checkpoint, Expr};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// A hash over some property of the request; requests without it go round robin.
#[derive(Debug)]
pub(super) struct Hashed {
    source: Source,
    hash: HashType,
    table: Table,
}

#[derive(Debug)]
enum Table {
    Map { table: ArcSwap<Vec<u32>>, cursor: AtomicU32 },
    Ring { ring: ArcSwap<(Ring, Vec<Member>)>, factor: u32, others: RoundRobin },
}

pub(super) fn source(w: &mut Words<'_, '_>) -> Made {
    Ok(hashed(w, Source::Address))
}

pub(super) fn uri(w: &mut Words<'_, '_>) -> Made {
    let mut part = UriPart::default();
    let mut i = 0;
    while i < w.args.len() {
        let (word, value) = (w.arg(i), w.arg(i + 1));
        match word {
            "len" | "depth" => {
                let n = value.parse().ok().filter(|n| *n > 0);
                let n: usize = n.ok_or_else(|| {
                    format!("balance uri : '{word}' expects a positive integer (got '{value}').")
                })?;
                *(if word == "len" { &mut part.len } else { &mut part.depth }) = n;
                i += 1;
            }
            "whole" => part.whole = true,
            "path-only" => part.path_only = true,
            _ => {
                let what = "balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole'";
                return Err(format!("{what} (got '{word}')."));
            }
        }
        i += 1;
    }
    Ok(hashed(w, Source::Uri(part)))
}

pub(super) fn url_param(w: &mut Words<'_, '_>) -> Made {
    if w.arg(0).is_empty() {
        return Err("balance url_param requires an URL parameter name.".into());
    }
    let check_post = match w.arg(1) {
        "" => false,
        "check_post" => true,
        other => {
            return Err(format!("balance url_param only accepts 'check_post' modifier (got '{other}')."));
        }
    };
    let name = w.args.first().map(|n| n.octets().into_owned()).unwrap_or_default();
    Ok(hashed(w, Source::UrlParam { name, check_post }))
}

pub(super) fn hdr(w: &mut Words<'_, '_>) -> Made {
    let name = match w.argument() {
        Ok(Some("")) | Err(()) => return Err("balance hdr requires an http header field name.".into()),
        Ok(None) => return Err(super::KNOWN.into()),
        Ok(Some(name)) => name.to_ascii_lowercase(),
    };
    let domain_only = match w.arg(0) {
        "" => false,
        // Other fields hold no host name: the modifier changes nothing there.
        "use_domain_only" => name == "host",
        other => {
            let what = format!("balance hdr{} only accepts 'use_domain_only' modifier", w.paren);
            return Err(format!("{what} (got '{other}')."));
        }
    };
    Ok(hashed(w, Source::Hdr { name: name.into_bytes(), domain_only }))
}

pub(super) fn expression(w: &mut Words<'_, '_>) -> Made {
    let text = w.arg(0).to_owned();
    if text.is_empty() {
        return Err("balance hash requires a sample expression.".into());
    }
    if w.args.len() > 1 {
        return Err(format!("balance hash takes no other argument (got '{}').", w.arg(1)));
    }
    expr(w, &text)
}

pub(super) fn rdp_cookie(w: &mut Words<'_, '_>) -> Made {
    let name = match w.argument() {
        Err(()) | Ok(Some("")) => return Err("balance rdp-cookie requires a cookie name.".into()),
        Ok(None) => "mstshash",
        Ok(Some(name)) => name,
    };
    let text = format!("req.rdp_cookie({name})");
    expr(w, &text)
}

fn expr(w: &mut Words<'_, '_>, text: &str) -> Made {
    w.cx.what = "balance hash".into();
    w.cx.at = Some(Checkpoint::BeServerChoice);
    let e = Expr::parse_str(w.cx, text)
        .map_err(|e| format!("failed to parse 'balance hash' expression '{text}' in : {e}."))?;
    e.check_at(w.cx).map_err(|e| e.to_string())?;
    Ok(hashed(w, Source::Expr(e)))
}

fn hashed(w: &Words<'_, '_>, source: Source) -> Box<dyn Algo> {
    let table = if w.hash.consistent {
        Table::Ring { ring: ArcSwap::default(), factor: w.factor, others: RoundRobin::default() }
    } else {
        Table::Map { table: ArcSwap::default(), cursor: AtomicU32::new(0) }
    };
    Box::new(Hashed { source, hash: w.hash, table })
}

impl Algo for Hashed {
    fn rebuild(&self, members: &[Member], servers: &[Arc<Server>]) {
        match &self.table {
            Table::Map { table, .. } => table.store(Arc::new(map::build(members, servers))),
            Table::Ring { ring, others, .. } => {
                let nodes = members.iter().filter_map(|m| Some(node(m, servers.get(m.index as usize)?)));
                let next = ring.load().0.rebuild(nodes.collect());
                ring.store(Arc::new((next, members.to_vec())));
                others.rebuild(members, servers);
            }
        }
    }

    fn pick(&self, p: &Pick<'_>) -> Option<Choice> {
        let Some(hash) = self.hash_of(p) else { return self.pick_any(p) };
        match &self.table {
            Table::Map { table, .. } => {
                let table = table.load();
                let at = hash as usize % table.len().max(1);
                table.get(at).copied().map(Choice::bound)
            }
            Table::Ring { ring, factor, .. } => {
                let (ring, members) = &**ring.load();
                let first = ring.walk(hash).next()?;
                if *factor == 0 {
                    return Some(Choice::bound(first));
                }
                let bound = Bound::new(*factor, members, p);
                let member =
                    |i: u32| members.binary_search_by_key(&i, |m| m.index).ok().and_then(|i| members.get(i));
                let allowed = ring.walk(hash).find(|i| member(*i).is_some_and(|m| bound.allows(m, p)));
                Some(Choice::bound(allowed.unwrap_or(first)))
            }
        }
    }

    /// Also for requests without a key.
    fn pick_any(&self, p: &Pick<'_>) -> Option<Choice> {
        match &self.table {
            Table::Map { table, cursor } => static_rr::next(&table.load(), cursor, p),
            Table::Ring { others, .. } => others.pick(p),
        }
    }

    fn bound(&self) -> bool {
        true
    }

    fn is_dynamic(&self) -> bool {
        matches!(self.table, Table::Ring { .. })
    }

    fn wants_body(&self) -> bool {
        matches!(self.source, Source::UrlParam { check_post: true, .. })
    }
}

impl Hashed {
    fn hash_of(&self, p: &Pick<'_>) -> Option<u32> {
        let numeric = self.hash.function == Function::None;
        let key = if numeric { self.source.text(p.ctx) } else { self.source.key(p.ctx) };
        Some(match key? {
            Key::Number(n) => self.hash.finish(n),
            Key::Bytes(b) => self.hash.hash(&b),
        })
    }
}

/// A server's place on the ring: where HAProxy puts it, so that a client's server is the same behind either.
fn node(m: &Member, s: &Server) -> Node {
    let addr = s.addr.load();
    let base = match s.opts.hash_key.as_deref() {
        Some("id32") => avalanche(s.id.to_be()),
        Some("guid") => s.opts.guid.as_deref().map_or(base_of_id(s.id), |g| xxh32(g.as_bytes(), 0)),
        Some("addr") => of_address(addr.addr.ip(), 0).unwrap_or(base_of_id(s.id)),
        Some("addr-port") => {
            let seed = avalanche(u32::from(addr.addr.port()));
            of_address(addr.addr.ip(), seed).unwrap_or(base_of_id(s.id))
        }
        _ => base_of_id(s.id),
    };
    Node { index: m.index, base, weight: m.weight }
}

/// Where the points of a server with this address start.
fn of_address(ip: Option<IpAddr>, seed: u32) -> Option<u32> {
    Some(match ip? {
        IpAddr::V4(ip) => avalanche(seed.wrapping_add(u32::from_ne_bytes(ip.octets()))),
        IpAddr::V6(ip) => xxh32(&ip.octets(), seed),
    })
}

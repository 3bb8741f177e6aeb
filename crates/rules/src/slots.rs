//! Capture slots: who fills which. Slots are numbered in the order of the lines that declare them: `capture … header`,
//! `declare capture`, and `capture … len` rules, those of a defaults section included.

use crate::txn::RuleSet;
use hawser_cfg::model::{Proxy, RuleLine, RuleLines};
use hawser_cfg::pos::Pos;

/// The slots of one direction.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// Lines that declare one, in order, with its length (0 until a rule has said it).
    declared: Vec<(Pos, u32)>,
    /// Slots that `capture … id` rules use.
    used: Vec<usize>,
}

impl Slots {
    /// All slots of a proxy: requests, responses.
    pub(crate) fn of(proxy: &Proxy) -> [Self; 2] {
        [true, false].map(|request| {
            let headers = if request { &proxy.req_captures } else { &proxy.res_captures };
            let mut declared: Vec<(Pos, u32)> = headers.iter().map(|h| (h.pos, h.len)).collect();
            declared.extend(proxy.declared_captures.iter().filter(|d| d.1 == request).map(|d| (d.0, d.2)));
            let own = [Some(&proxy.rules), proxy.default_rules.as_deref().map(|d| &d.rules)];
            for rules in own.into_iter().flatten().filter(|_| request) {
                declared.extend(lines(rules).filter(|l| declares(l)).map(|l| (l.pos, 0)));
            }
            declared.sort_by_key(|d| d.0);
            Self { declared, used: Vec::new() }
        })
    }

    /// The slot that a line declares; its length is noted.
    pub(crate) fn take(&mut self, pos: Pos, len: u32) -> usize {
        let at = self.declared.iter().position(|d| d.0 == pos).unwrap_or_else(|| {
            self.declared.push((pos, len));
            self.declared.len() - 1
        });
        self.declared[at].1 = len;
        at
    }

    /// Notes the use of a slot by its number.
    pub(crate) fn refer(&mut self, slot: usize) {
        self.used.push(slot);
    }

    /// Slots that are used and not declared.
    pub(crate) fn missing(&self) -> impl Iterator<Item = usize> {
        self.used.iter().copied().filter(|s| *s >= self.declared.len())
    }

    /// Length of each slot.
    pub(crate) fn lens(&self) -> Vec<u32> {
        self.declared.iter().map(|d| d.1).collect()
    }

    /// The slot of a line that is no rule.
    pub(crate) fn at(&self, pos: Pos) -> usize {
        self.declared.iter().position(|d| d.0 == pos).unwrap_or(usize::MAX)
    }
}

/// Rules that may declare a slot.
fn lines(rules: &RuleLines) -> impl Iterator<Item = &RuleLine> {
    [RuleSet::TcpReqCont, RuleSet::HttpReq].into_iter().flat_map(move |s| s.lines(rules))
}

/// Whether a rule is `capture EXPRESSION len N`.
fn declares(line: &RuleLine) -> bool {
    let words = line.words.iter().map(|w| w.as_str());
    let mut args = words.take_while(|w| !matches!(*w, "if" | "unless"));
    args.next() == Some("capture") && args.any(|w| w == "len")
}

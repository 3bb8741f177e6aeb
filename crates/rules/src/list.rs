//! Lists of compiled rules: how they are built and how they run.

use crate::action::Step;
use crate::compile::{self, Rule, RuleCx};
use crate::txn::{RuleSet, Txn, Verdict, WaitFor};
use hawser_cfg::model::RuleLine;
use hawser_sample::Acls;
use hawser_sample::cond::Tri;

/// The rules of one rule set of one proxy, in order.
#[derive(Debug, Default)]
pub struct RuleList {
    rules: Vec<Rule>,
}

impl RuleList {
    /// Compiles rule lines. Lines with errors are left out, the errors are in the context's diagnostics.
    pub fn compile(cx: &mut RuleCx<'_, '_>, set: RuleSet, lines: &[RuleLine]) -> Self {
        Self { rules: lines.iter().filter_map(|l| compile::rule(cx, set, l)).collect() }
    }

    /// Whether there is nothing to evaluate.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Evaluates the rules from the one at index `from`: 0, or what [`Verdict::Wait`] said.
    pub fn eval(&self, txn: &mut Txn<'_>, from: usize) -> Verdict {
        if from == 0 {
            txn.asks.lenient = false;
        }
        for (i, rule) in self.rules.iter().enumerate().skip(from) {
            match rule.holds(txn) {
                Tri::Yes => {}
                Tri::No => continue,
                // What the rules before this one made of less input is made anew once there is more.
                Tri::Unknown => return Verdict::Wait { rule: 0, until: WaitFor::Input },
            }
            match rule.action.run(txn) {
                Step::Next => {}
                Step::End(v) => {
                    rule.decided(txn);
                    return v;
                }
                Step::Again => return Verdict::Wait { rule: i, until: WaitFor::Input },
                Step::After(until) => return Verdict::Wait { rule: i + 1, until },
                Step::Failed => {
                    txn.asks.failed_rewrites += 1;
                    if !txn.asks.lenient {
                        rule.decided(txn);
                        return Verdict::Error;
                    }
                }
            }
        }
        Verdict::Continue
    }
}

impl Rule {
    fn holds(&self, txn: &mut Txn<'_>) -> Tri {
        let Some(cond) = &self.cond else { return Tri::Yes };
        let r = cond.test(&txn.ctx());
        txn.apply_writes();
        r
    }

    /// Notes that this rule was the last one, for logs and `last_rule_file`.
    fn decided(&self, txn: &mut Txn<'_>) {
        if let Some(strm) = &mut txn.strm {
            strm.final_rule = Some((self.file.clone(), self.line));
        }
    }
}

/// All rule sets of one proxy; those of its named `defaults` section come first in each.
#[derive(Debug, Default)]
pub struct ProxyRules {
    lists: [RuleList; 7],
    /// `redirect` lines: they run after the `http-request` rules, even after one that allows.
    pub redirects: RuleList,
    /// Length of each capture slot: (requests, responses).
    pub captures: [Vec<u32>; 2],
    /// Slots of the `capture … header` lines, in order: (requests, responses).
    pub header_captures: [Vec<usize>; 2],
}

impl ProxyRules {
    /// Compiles every rule set of the context's proxy.
    pub fn compile(cx: &mut RuleCx<'_, '_>) -> Self {
        let proxy = cx.proxy;
        let mut lists: [RuleList; 7] = Default::default();
        if let Some(d) = &proxy.default_rules {
            // Rules of a defaults section see its ACLs, not those of the proxies that use it.
            let own = std::mem::take(&mut cx.cx.acls);
            Acls::compile(cx.cx, &d.acls);
            for set in RuleSet::ALL {
                lists[set as usize] = RuleList::compile(cx, set, set.lines(&d.rules));
            }
            cx.cx.acls = own;
        }
        for set in RuleSet::ALL {
            let own = RuleList::compile(cx, set, set.lines(&proxy.rules));
            lists[set as usize].rules.extend(own.rules);
        }
        let http = &mut lists[RuleSet::HttpReq as usize].rules;
        let redirects = RuleList { rules: http.split_off(http.len().saturating_sub(proxy.redirects)) };
        cx.check_captures();
        let [req, res] = &cx.slots;
        let header_captures = [
            proxy.req_captures.iter().map(|h| req.at(h.pos)).collect(),
            proxy.res_captures.iter().map(|h| res.at(h.pos)).collect(),
        ];
        Self { lists, redirects, captures: [req.lens(), res.lens()], header_captures }
    }

    /// One rule set.
    pub fn get(&self, set: RuleSet) -> &RuleList {
        &self.lists[set as usize]
    }
}

#[cfg(test)]
mod tests;

//! Lists of compiled rules: how they are built and how they run.

use crate::txn::{RuleSet, Txn, Verdict};
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Config, Proxy, RuleLine};

/// What compiling the rules of one proxy needs to know, and what it gathers.
pub struct RuleCx<'a> {
    /// Where messages go.
    pub diags: &'a mut Diags,
    /// The configuration, for file names, `http-errors` sections and global settings.
    pub config: &'a Config,
    /// The proxy that the rules belong to.
    pub proxy: &'a Proxy,
    /// Capture slots declared so far: (requests, responses), each with its length. Starts with those of
    /// `capture request|response header` and `declare capture`; `capture … len` actions add to it.
    pub captures: [Vec<u32>; 2],
}

impl<'a> RuleCx<'a> {
    /// A context for one proxy.
    pub fn new(diags: &'a mut Diags, config: &'a Config, proxy: &'a Proxy) -> Self {
        let slots = |headers: &[(_, u32)], request| {
            let declared = proxy.declared_captures.iter().filter(|d| d.0 == request).map(|d| d.1);
            headers.iter().map(|h| h.1).chain(declared).collect()
        };
        let captures = [slots(&proxy.req_captures, true), slots(&proxy.res_captures, false)];
        Self { diags, config, proxy, captures }
    }
}

/// The rules of one rule set of one proxy, in order.
#[derive(Debug, Default)]
pub struct RuleList {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {}

impl RuleList {
    /// Compiles rule lines. Lines with errors are left out, the errors are in the context's diagnostics.
    pub fn compile(_cx: &mut RuleCx<'_>, _set: RuleSet, _lines: &[RuleLine]) -> Self {
        Self::default()
    }

    /// Whether there is nothing to evaluate.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Evaluates the rules from the one at index `from`: 0, or what [`Verdict::Wait`] said.
    pub fn eval(&self, txn: &mut Txn<'_>, from: usize) -> Verdict {
        if from == 0 {
            txn.asks.lenient = false;
        }
        Verdict::Continue
    }
}

/// All rule sets of one proxy; those of its named `defaults` section come first in each.
#[derive(Debug, Default)]
pub struct ProxyRules {
    lists: [RuleList; 7],
    /// Slots that the rules and `capture`/`declare capture` lines of this proxy need: (requests, responses), lengths.
    pub captures: [Vec<u32>; 2],
}

impl ProxyRules {
    /// Compiles every rule set of the context's proxy.
    pub fn compile(mut cx: RuleCx<'_>) -> Self {
        let proxy = cx.proxy;
        let mut lists: [RuleList; 7] = Default::default();
        for set in RuleSet::ALL {
            lists[set as usize] = RuleList::compile(&mut cx, set, set.lines(&proxy.rules));
        }
        Self { lists, captures: cx.captures }
    }

    /// One rule set.
    pub fn get(&self, set: RuleSet) -> &RuleList {
        &self.lists[set as usize]
    }
}

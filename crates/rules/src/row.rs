//! Rows of the action table: one per action, naming all rule sets that take it.

use crate::action::Action;
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::RuleSet;
use hawser_cfg::keyword::{Meta, Status};
use hawser_sample::Error;

/// A set of rule sets: one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sets(u8);

impl Sets {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const TCP_REQ_CONN: Self = Self::of(RuleSet::TcpReqConn);
    pub(crate) const TCP_REQ_SESS: Self = Self::of(RuleSet::TcpReqSess);
    pub(crate) const TCP_REQ_CONT: Self = Self::of(RuleSet::TcpReqCont);
    pub(crate) const TCP_RES_CONT: Self = Self::of(RuleSet::TcpResCont);
    pub(crate) const HTTP_REQ: Self = Self::of(RuleSet::HttpReq);
    pub(crate) const HTTP_RES: Self = Self::of(RuleSet::HttpRes);
    pub(crate) const HTTP_AFTER: Self = Self::of(RuleSet::HttpAfterRes);
    /// `http-request` and `http-response`.
    pub(crate) const HTTP: Self = Self::HTTP_REQ.or(Self::HTTP_RES);
    /// All HTTP rule sets.
    pub(crate) const HTTP_ALL: Self = Self::HTTP.or(Self::HTTP_AFTER);
    /// All `tcp-request` rule sets.
    pub(crate) const TCP_REQ: Self = Self::TCP_REQ_CONN.or(Self::TCP_REQ_SESS).or(Self::TCP_REQ_CONT);
    /// All TCP rule sets.
    pub(crate) const TCP: Self = Self::TCP_REQ.or(Self::TCP_RES_CONT);
    /// `tcp-request content` and `http-request`.
    pub(crate) const CONTENT_REQ: Self = Self::TCP_REQ_CONT.or(Self::HTTP_REQ);
    /// Both TCP content sets, `http-request` and `http-response`.
    pub(crate) const CONTENT: Self = Self::CONTENT_REQ.or(Self::TCP_RES_CONT).or(Self::HTTP_RES);

    /// The set of one.
    pub const fn of(set: RuleSet) -> Self {
        Self(1 << set as u8)
    }

    /// Whether it holds a rule set.
    pub const fn has(self, set: RuleSet) -> bool {
        self.0 & Self::of(set).0 != 0
    }

    pub(crate) const fn or(self, o: Self) -> Self {
        Self(self.0 | o.0)
    }

    const fn without(self, o: Self) -> Self {
        Self(self.0 & !o.0)
    }
}

/// Compiles the arguments of an action; the words of a condition are not its business.
pub type ParseFn = fn(&mut RuleCx<'_, '_>, &mut Args<'_>) -> Result<Box<dyn Action>, Error>;

/// One action.
#[derive(Debug)]
pub struct Row {
    /// Name, help, status. A prefix row takes every word that starts with its name.
    pub meta: Meta,
    /// Where it may be used.
    pub sets: Sets,
    /// Of these, where HAProxy's lists of keywords do not show it: it has another place in messages.
    pub unlisted: Sets,
    /// Its parser.
    pub parse: ParseFn,
}

/// A row for an implemented action.
pub(crate) const fn action(name: &'static str, sets: Sets, parse: ParseFn, help: &'static str) -> Row {
    Row { meta: Meta::new(name, help), sets, unlisted: Sets::NONE, parse }
}

/// A row for an action that another part of the program will bring.
pub(crate) const fn later(name: &'static str, sets: Sets, area: &'static str, help: &'static str) -> Row {
    let row = action(name, sets, |_, _| Err(Error::new("not supported yet")), help);
    Row { meta: row.meta.status(Status::NotYet(area)), ..row }
}

impl Row {
    /// The same row, for every word that starts with the name.
    pub(crate) const fn prefix(mut self) -> Self {
        self.meta = self.meta.prefix();
        self
    }

    /// The same row, experimental.
    pub(crate) const fn experimental(mut self) -> Self {
        self.meta = self.meta.experimental();
        self
    }

    /// The same row, accepted without effect for a reason.
    pub(crate) const fn no_effect(mut self, reason: &'static str) -> Self {
        self.meta = self.meta.status(Status::NoEffect(reason));
        self
    }

    /// The same row, left out of the lists of some rule sets.
    pub(crate) const fn unlisted(mut self, sets: Sets) -> Self {
        self.unlisted = sets;
        self
    }

    /// Where lists of keywords show it.
    pub fn listed(&self) -> Sets {
        self.sets.without(self.unlisted)
    }

    fn takes(&self, word: &str) -> bool {
        if self.meta.prefix { word.starts_with(self.meta.name) } else { word == self.meta.name }
    }
}

/// The row for a word in a rule set: the longest name wins among prefixes.
pub(crate) fn find(rows: &'static [Row], set: RuleSet, word: &str) -> Option<&'static Row> {
    let fits = |r: &&Row| r.sets.has(set) && r.takes(word);
    rows.iter().filter(fits).max_by_key(|r| (r.meta.name.len(), !r.meta.prefix))
}

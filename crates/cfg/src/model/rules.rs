//! Rule lines, kept as words until the crates that own their actions compile them.

use crate::pos::{Pos, Word};
use std::sync::Arc;

/// One rule line: everything after `http-request`, `tcp-request content` and so on.
#[derive(Debug, Clone)]
pub struct RuleLine {
    /// Where.
    pub pos: Pos,
    /// Action, its arguments, and the condition if any.
    pub words: Arc<[Word]>,
}

/// The rule sets of a proxy, in evaluation order.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "each field is the rule set of that name in the manual")]
pub struct RuleLines {
    pub tcp_req_conn: Vec<RuleLine>,
    pub tcp_req_sess: Vec<RuleLine>,
    pub tcp_req_cont: Vec<RuleLine>,
    pub tcp_res_cont: Vec<RuleLine>,
    pub http_req: Vec<RuleLine>,
    pub http_res: Vec<RuleLine>,
    pub http_after_res: Vec<RuleLine>,
}

impl RuleLines {
    /// Whether no set has a rule.
    pub fn is_empty(&self) -> bool {
        self.tcp_req_conn.is_empty()
            && self.tcp_req_sess.is_empty()
            && self.tcp_req_cont.is_empty()
            && self.tcp_res_cont.is_empty()
            && self.http_req.is_empty()
            && self.http_res.is_empty()
            && self.http_after_res.is_empty()
    }
}

/// Rules of a named defaults section (manual 4: `defaults` with rules must be named).
#[derive(Debug, Default, Clone)]
pub struct DefaultRules {
    /// Its name.
    pub name: Arc<str>,
    /// ACLs visible to these rules only.
    pub acls: Vec<RuleLine>,
    /// The rules.
    pub rules: RuleLines,
}

/// A `userlist` section.
#[derive(Debug, Clone, Default)]
pub struct Userlist {
    /// Its name.
    pub name: Arc<str>,
    /// The section line.
    pub pos: Pos,
    /// `user` and `group` lines, as written with their keyword.
    pub lines: Vec<RuleLine>,
}

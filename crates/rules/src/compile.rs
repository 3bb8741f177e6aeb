//! From a rule line to a condition and an action.

use crate::action::Action;
use crate::action::table::{self, ACTIONS};
use crate::args::Args;
use crate::row::{self, Row};
use crate::service::Service;
use crate::slots::Slots;
use crate::txn::RuleSet;
use hawser_cfg::diag::{Diag, Layout, Severity};
use hawser_cfg::keyword::Status;
use hawser_cfg::model::{Proxy, ProxyKind, RuleLine};
use hawser_cfg::pos::Word;
use hawser_cfg::suggest;
use hawser_sample::{Acls, Checkpoint, CompileCx, Cond, Error};
use std::sync::Arc;

/// What compiling the rules of one proxy needs to know, and what it gathers.
pub struct RuleCx<'a, 'c> {
    /// Names, keywords, ACLs in scope, and where messages go.
    pub cx: &'a mut CompileCx<'c>,
    /// The proxy that the rules belong to.
    pub proxy: &'c Proxy,
    /// The rule set that is being compiled.
    pub set: RuleSet,
    /// What `use-service` may name.
    pub services: &'a [Arc<dyn Service>],
    /// Capture slots: requests, responses.
    pub(crate) slots: [Slots; 2],
}

impl<'a, 'c> RuleCx<'a, 'c> {
    /// A context for the proxy at an index of the configuration. Compiles its `acl` lines into the given context,
    /// which keeps them: conditions outside rule sets may use them too.
    ///
    /// # Panics
    /// If there is no such proxy.
    pub fn new(cx: &'a mut CompileCx<'c>, proxy: usize) -> Self {
        let config = cx.config;
        cx.proxy = Some(proxy);
        let proxy = &config.proxies[proxy];
        cx.acls = Acls::default();
        Acls::compile(cx, &proxy.acls);
        Self { cx, proxy, set: RuleSet::HttpReq, services: &[], slots: Slots::of(proxy) }
    }

    /// Adds a warning at the rule's line.
    pub(crate) fn warn(&mut self, text: String) {
        self.cx.diags.warning(self.cx.pos, text);
    }

    /// Reports slots that are used and not declared. A backend cannot know: frontends declare them.
    pub(crate) fn check_captures(&mut self) {
        if !self.proxy.kind.is_fe() {
            return;
        }
        for (slots, keyword) in self.slots.iter().zip(["http-request", "http-response"]) {
            for id in slots.missing() {
                let text = format!(
                    "Proxy '{}': unable to find capture id '{id}' referenced by {keyword} capture rule.",
                    self.proxy.name
                );
                self.cx.diags.push(Severity::Alert, None, text).layout = Layout::Plain;
            }
        }
    }
}

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) cond: Option<Cond>,
    pub(crate) action: Box<dyn Action>,
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
}

/// Compiles one line of a rule set; `None` when it is wrong, which the diagnostics then say.
pub(crate) fn rule(cx: &mut RuleCx<'_, '_>, set: RuleSet, line: &RuleLine) -> Option<Rule> {
    let before = cx.cx.diags.list.len();
    let rule = compile(cx, set, line);
    if rule.is_none() && set.is_http() {
        cx.cx.diags.list.iter_mut().skip(before).for_each(|d| d.last = true);
    }
    rule
}

fn compile(cx: &mut RuleCx<'_, '_>, set: RuleSet, line: &RuleLine) -> Option<Rule> {
    cx.set = set;
    cx.cx.pos = line.pos;
    cx.cx.at = Some(checkpoint(set, cx.proxy.kind));
    let name = line.words.first().map_or("", |w| w.as_str());
    cx.cx.what = if set.is_http() { format!("{} {name}", set.keyword()) } else { set.keyword().to_owned() };
    let Some(row) = row::find(ACTIONS, set, name) else {
        unknown(cx, set, line);
        return None;
    };
    let mut args = Args::new(&line.words, 1);
    let action = action(cx, row, &mut args, &line.words)?;
    let cond = condition(cx, set, &args, &line.words)?;
    let file = cx.cx.config.files.get(usize::from(line.pos.file.0)).cloned();
    Some(Rule { cond, action, file: file.unwrap_or_else(|| "".into()), line: line.pos.line })
}

fn action(
    cx: &mut RuleCx<'_, '_>,
    row: &'static Row,
    args: &mut Args<'_>,
    words: &[Word],
) -> Option<Box<dyn Action>> {
    let set = cx.set;
    if let Status::NotYet(area) = row.meta.status {
        let e = Error::new(format!("action '{}' is not supported yet ({area})", args.action()));
        refuse(cx, set, words, e);
        return None;
    }
    if row.meta.experimental && !cx.cx.config.global.expose_experimental {
        let name = args.action();
        let text = format!(
            "'{name}' action is experimental, must be allowed via a global 'expose-experimental-directives'"
        );
        cx.cx.diags.alert(cx.cx.pos, text);
        return None;
    }
    (row.parse)(cx, args).map_err(|e| refuse(cx, set, words, e)).ok()
}

/// The condition behind the action's arguments; the outer `None` is an error.
fn condition(cx: &mut RuleCx<'_, '_>, set: RuleSet, args: &Args<'_>, words: &[Word]) -> Option<Option<Cond>> {
    let rule = format!("{} {}", set.keyword(), words[0].text);
    let Some(first) = args.peek() else { return Some(None) };
    if !matches!(first, "if" | "unless") {
        let text = if set.is_http() {
            format!("'{rule}' expects either 'if' or 'unless' followed by a condition but found '{first}'.")
        } else {
            format!("'{rule}' only accepts 'if' or 'unless', in {} (got '{first}')", place(cx.proxy))
        };
        let layout = if set.is_http() { Layout::Tight } else { Layout::Spaced };
        cx.cx.diags.alert_at(cx.cx.pos, &words[args.at()], text).layout = layout;
        return None;
    }
    match Cond::parse(cx.cx, args.rest()) {
        Ok(c) => Some(Some(c)),
        Err(e) => {
            let text = if words[0].as_str() == "redirect" {
                let place = place(cx.proxy);
                format!("error detected in {place} while parsing '{rule}' rule : error in condition: {e}.")
            } else if set.is_http() {
                format!("error detected while parsing an '{rule}' condition : {e}.")
            } else {
                let place = place(cx.proxy);
                format!("'{rule}' : error detected in {place} while parsing '{first}' condition : {e}")
            };
            let word = e.word.map(|w| w + args.at());
            report(cx, words, word, text).suggestion = e.suggestion;
            None
        }
    }
}

/// Reports an action's arguments.
fn refuse(cx: &mut RuleCx<'_, '_>, set: RuleSet, words: &[Word], e: Error) {
    let text = if set.is_http() {
        let rule = format!("{} {}", set.keyword(), words[0].text);
        format!("error detected in {} while parsing '{rule}' rule : {e}.", place(cx.proxy))
    } else {
        e.text.clone()
    };
    report(cx, words, e.word, text).suggestion = e.suggestion;
}

fn report<'d>(cx: &'d mut RuleCx<'_, '_>, words: &[Word], word: Option<usize>, text: String) -> &'d mut Diag {
    match word.and_then(|w| words.get(w)) {
        Some(w) => cx.cx.diags.alert_at(cx.cx.pos, w, text),
        None => cx.cx.diags.alert(cx.cx.pos, text),
    }
}

/// Reports an action that is none, with the list of those that are.
fn unknown(cx: &mut RuleCx<'_, '_>, set: RuleSet, line: &RuleLine) {
    let got = line.words.first().map_or("", |w| w.as_str());
    let keyword = set.keyword();
    let list = table::list(set);
    let text = if set.is_http() {
        let missing = if got.is_empty() { " (missing argument)" } else { "" };
        format!("'{keyword}' expects {list}, but got '{got}'{missing}.")
    } else {
        format!("'{keyword}' expects {list} in {} (got '{got}').", place(cx.proxy))
    };
    let names = ACTIONS.iter().filter(|r| r.sets.has(set)).map(|r| r.meta.name);
    // What stands between parentheses is no part of the name.
    let name = got.split('(').next().unwrap_or_default();
    let near = suggest::near(name, names).map(str::to_owned);
    let diag = report(cx, &line.words, Some(0), text);
    diag.suggestion = near;
    if set.is_http() {
        diag.layout = Layout::Tight;
    }
}

/// `frontend 'f'`, as messages name it.
pub(crate) fn place(proxy: &Proxy) -> String {
    format!("{} '{}'", proxy.kind.word(), proxy.name)
}

/// Where expressions of a rule set are evaluated. A `listen` section has both sides; what its rules may use is what
/// the backend side may, which is more.
fn checkpoint(set: RuleSet, kind: ProxyKind) -> Checkpoint {
    match (set, kind.is_be()) {
        (RuleSet::TcpReqConn, _) => Checkpoint::FeTcpReqConn,
        (RuleSet::TcpReqSess, _) => Checkpoint::FeTcpReqSess,
        (RuleSet::TcpReqCont, false) => Checkpoint::FeTcpReqCont,
        (RuleSet::TcpReqCont, true) => Checkpoint::BeTcpReqCont,
        (RuleSet::TcpResCont, false) => Checkpoint::FeTcpResCont,
        (RuleSet::TcpResCont, true) => Checkpoint::BeTcpResCont,
        (RuleSet::HttpReq, false) => Checkpoint::FeHttpReqHdr,
        (RuleSet::HttpReq, true) => Checkpoint::BeHttpReqHdr,
        (RuleSet::HttpRes | RuleSet::HttpAfterRes, false) => Checkpoint::FeHttpResHdr,
        (RuleSet::HttpRes | RuleSet::HttpAfterRes, true) => Checkpoint::BeHttpResHdr,
    }
}

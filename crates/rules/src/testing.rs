//! What the tests of this crate share: rules from text, and a transaction to run them on.

use crate::txn::{Asks, Room, RuleSet, Txn, Verdict};
use crate::{ErrorReplies, Errors, ProxyRules, RuleCx};
use hawser_cfg::diag::{Diags, Severity};
use hawser_cfg::model::{Config, Mode, Proxy, ProxyKind, RuleLine};
use hawser_cfg::pos::{FileId, Pos, Word};
use hawser_http::{Head, Version};
use hawser_proto::clock;
use hawser_sample::facts::{ProxyFacts, Sess, Strm};
use hawser_sample::vars::ProcVars;
use hawser_sample::{CompileCx, Runtime};
use std::sync::Arc;

/// Words of a line: split at spaces; double quotes keep spaces.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let (mut word, mut quoted, mut any) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    out.push(Word::synthetic(&std::mem::take(&mut word)));
                }
                any = false;
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        out.push(Word::synthetic(&word));
    }
    out
}

/// A position in the only file.
pub(crate) fn pos(number: u32) -> Pos {
    Pos { file: FileId(0), line: number }
}

/// A line of a configuration.
pub(crate) fn line(number: u32, text: &str) -> RuleLine {
    RuleLine { pos: pos(number), words: words(text).into() }
}

/// A configuration of one proxy `p` in HTTP mode; each line is a rule with its keyword.
pub(crate) fn config(kind: ProxyKind, lines: &[&str]) -> Config {
    let mut proxy = Proxy { name: "p".into(), kind, mode: Mode::Http, ..Proxy::default() };
    for (number, text) in (101..).zip(lines) {
        let set = RuleSet::ALL.into_iter().find(|s| text.starts_with(&format!("{} ", s.keyword())));
        let set = set.unwrap_or_else(|| panic!("no rule set in {text}"));
        let rule = line(number, &text[set.keyword().len()..]);
        let rules = &mut proxy.rules;
        match set {
            RuleSet::TcpReqConn => rules.tcp_req_conn.push(rule),
            RuleSet::TcpReqSess => rules.tcp_req_sess.push(rule),
            RuleSet::TcpReqCont => rules.tcp_req_cont.push(rule),
            RuleSet::TcpResCont => rules.tcp_res_cont.push(rule),
            RuleSet::HttpReq => rules.http_req.push(rule),
            RuleSet::HttpRes => rules.http_res.push(rule),
            RuleSet::HttpAfterRes => rules.http_after_res.push(rule),
        }
    }
    Config { files: vec!["test.cfg".into()], proxies: vec![proxy], ..Config::default() }
}

/// Compiles the first proxy's rules; returns them with all messages.
pub(crate) fn compile(config: &Config) -> (ProxyRules, Vec<String>) {
    let mut diags = Diags::default();
    let mut cx = CompileCx::new(config, &mut diags);
    let rules = ProxyRules::compile(&mut RuleCx::new(&mut cx, 0));
    (rules, texts(&diags))
}

/// Messages, alerts marked by `!`.
pub(crate) fn texts(diags: &Diags) -> Vec<String> {
    let mark = |s| if s == Severity::Alert { "!" } else { "" };
    diags.list.iter().map(|d| format!("{}{}", mark(d.severity), d.text)).collect()
}

/// The only message that a rule line gives.
pub(crate) fn message(line: &str) -> String {
    let mut texts = compile(&config(ProxyKind::Listen, &[line])).1;
    assert_eq!(texts.len(), 1, "{line}: {texts:?}");
    texts.remove(0)
}

struct NoRuntime;

impl Runtime for NoRuntime {}

/// A transaction with all that it borrows.
pub(crate) struct World {
    pub(crate) sess: Sess,
    pub(crate) strm: Strm,
    pub(crate) req: Head,
    pub(crate) res: Head,
    pub(crate) asks: Asks,
    pub(crate) room: Room,
    pub(crate) partial: bool,
    pub(crate) errors: ErrorReplies,
    proc_vars: ProcVars,
    files: Vec<Arc<str>>,
}

impl Default for World {
    fn default() -> Self {
        Self::new("GET /path?a=b HTTP/1.1\nHost: example.org")
    }
}

impl World {
    /// With this request; the response is an empty 200.
    pub(crate) fn new(request: &str) -> Self {
        let mut lines = request.lines();
        let first: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
        let mut req = Head::request(first[0].as_bytes(), first[1].as_bytes(), Version::H11);
        for l in lines {
            let (name, value) = l.split_once(": ").unwrap();
            req.add(name.as_bytes(), value.as_bytes());
        }
        Self {
            sess: Sess::new(Arc::new(ProxyFacts::default()), clock::now(), clock::wall()),
            strm: Strm::default(),
            req,
            res: Head::response(Version::H11, 200, b"OK"),
            asks: Asks::default(),
            room: Room::default(),
            partial: false,
            errors: ErrorReplies::default(),
            proc_vars: ProcVars::default(),
            files: Vec::new(),
        }
    }

    /// Compiles rule lines and evaluates the set that they belong to.
    pub(crate) fn run(&mut self, lines: &[&str]) -> Verdict {
        let config = config(ProxyKind::Listen, lines);
        let (rules, texts) = compile(&config);
        assert!(texts.is_empty(), "{texts:?}");
        self.files = config.files;
        let set = RuleSet::ALL.into_iter().find(|s| !rules.get(*s).is_empty()).unwrap();
        self.eval(&rules, set, 0)
    }

    /// Evaluates one rule set.
    pub(crate) fn eval(&mut self, rules: &ProxyRules, set: RuleSet, from: usize) -> Verdict {
        let stream = !matches!(set, RuleSet::TcpReqConn | RuleSet::TcpReqSess);
        let mut txn = Txn {
            sess: &mut self.sess,
            strm: stream.then_some(&mut self.strm),
            req: stream.then_some(&mut self.req),
            res: set.is_response().then_some(&mut self.res),
            req_data: None,
            res_data: None,
            proc_vars: &self.proc_vars,
            rt: &NoRuntime,
            response: set.is_response(),
            partial: self.partial,
            errors: Errors { backend: None, frontend: Some(&self.errors) },
            capture_lens: [&rules.captures[0], &rules.captures[1]],
            room: self.room,
            asks: &mut self.asks,
        };
        rules.get(set).eval(&mut txn, from)
    }
}

/// Start line and fields of a head, one a line.
pub(crate) fn text(head: &Head) -> String {
    let s = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let first = match head.status() {
        0 => format!("{} {}", s(head.method()), s(head.target())),
        status => format!("{status} {}", s(head.reason())),
    };
    head.iter().fold(first, |out, (n, v)| format!("{out}\n{}: {}", s(n), s(v)))
}

//! Stick counters: `track-sc`, `sc-inc-gpc`, `sc-add-gpc`, `sc-set-gpt` (manual 4.4).

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::txn::{RuleSet, Txn};
use hawser_cfg::diag::{Layout, Severity};
use hawser_cfg::model::{DataType, HttpCodes};
use hawser_sample::{Checkpoint, Error, Expr, stick};
use hawser_stick::{Event, Tracked};

type Parsed = Result<Box<dyn Action>, Error>;

/// `tune.stick-counters` where it is not set.
const COUNTERS: u8 = 3;

/// `track-sc<n> <expression> [table <name>]`.
#[derive(Debug)]
struct TrackSc {
    number: usize,
    key: Expr,
    table: usize,
    set: RuleSet,
    /// What statuses say of responses.
    codes: HttpCodes,
}

impl Action for TrackSc {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        // The first rule that finds a key wins.
        if txn.tracked(self.number).is_some() {
            return Step::Next;
        }
        if self.key.may_change(&txn.ctx()) {
            return Step::Again;
        }
        let Some(table) = txn.rt.table(self.table) else { return Step::Next };
        let Some(key) = txn.sample(&self.key, |v| stick::key(table, v)) else { return Step::Next };
        let now = txn.rt.now_ms();
        let Some(mut tracked) = table.track(&key, now) else { return Step::Next };
        tracked.begin(now);
        tracked.backend = in_backend(txn);
        self.count(txn, &tracked, now);
        match txn.strm.as_deref_mut() {
            Some(strm) => strm.tracked.set(self.number, tracked),
            None => txn.sess.tracked.set(self.number, tracked),
        }
        Step::Next
    }
}

/// Whether the stream has gone to another proxy than its frontend.
fn in_backend(txn: &Txn<'_>) -> bool {
    let backend = txn.strm.as_deref().and_then(|s| s.backend.as_ref());
    backend.is_some_and(|b| b.index != txn.sess.frontend.index)
}

impl TrackSc {
    /// Counts what the entry missed because it was not tracked when it happened.
    fn count(&self, txn: &Txn<'_>, tracked: &Tracked, now: u64) {
        if !self.set.is_http() {
            return;
        }
        tracked.count(Event::HttpRequest, now);
        let status = txn.res.as_deref().filter(|_| self.set.is_response()).map_or(0, |r| r.status());
        if self.codes.errors.has(status) {
            tracked.count(Event::HttpError, now);
        }
        if self.codes.failures.has(status) {
            tracked.count(Event::HttpFailure, now);
        }
    }
}

pub(super) fn track_sc(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let rule =
        if cx.set.is_http() { String::new() } else { format!("'{} {}' : ", cx.set.keyword(), args.action()) };
    let fail = |e: Error| e.prefix(&rule);
    let number = track_number(cx, args.action()).map_err(fail)?;
    let key = args.expr(cx.cx).map_err(fail)?;
    let mut name = &*cx.proxy.name;
    if args.eat("table") {
        // In TCP rules, a missing name is one that no table has.
        let missing = args.peek().is_none() && cx.set.is_http();
        name = if missing {
            return Err(Error::new("missing table name"));
        } else {
            args.advance().unwrap_or_default()
        };
    }
    let table = find_table(cx, name, &key, number);
    warn_of_luck(cx, &key);
    let codes = cx.cx.config.global.http_codes;
    Ok(Box::new(TrackSc { number, key, table, set: cx.set, codes }))
}

/// A key that is in the request's contents, which nothing waits for.
fn warn_of_luck(cx: &mut RuleCx<'_, '_>, key: &Expr) {
    let px = cx.proxy;
    let contents = cx.set == RuleSet::TcpReqCont && !key.needs().validity().at(Checkpoint::FeTcpReqSess);
    if !contents || !px.kind.is_fe() || px.req_inspect_delay.unwrap_or(0) > 0 {
        return;
    }
    let text = format!(
        "{} : a 'tcp-request content track-sc*' rule explicitly depending on request contents without any 'tcp-request \
         inspect-delay' setting. This means that this rule will randomly find its contents. This can be fixed by \
         setting the tcp-request inspect-delay.",
        crate::compile::place(px)
    );
    let pos = cx.cx.pos;
    cx.cx.diags.push(Severity::Warning, Some(pos), text).layout = Layout::Plain;
}

fn track_number(cx: &RuleCx<'_, '_>, action: &str) -> Result<usize, Error> {
    let text = action.strip_prefix("track-sc").unwrap_or_default();
    let number: usize = match text {
        // A missing number is 0.
        "" => 0,
        t => t.parse().map_err(|_| Error::new(format!("Wrong track-sc number '{t}'")))?,
    };
    match counters(cx) {
        0 => Err(Error::new(format!(
            "{number} track-sc number not usable, stick-counters are disabled by tune.stick-counters"
        ))),
        n if number >= n => {
            let text = format!("{number} track-sc number exceeding {} (tune.stick-counters-1) value", n - 1);
            Err(Error::new(text))
        }
        _ => Ok(number),
    }
}

/// How many counters there are.
fn counters(cx: &RuleCx<'_, '_>) -> usize {
    cx.cx.config.global.stick_counters.unwrap_or(COUNTERS).into()
}

/// The table of that name; what is wrong with it is found out after parsing, without the line.
fn find_table(cx: &mut RuleCx<'_, '_>, name: &str, key: &Expr, number: usize) -> usize {
    let config = cx.cx.config;
    let found = config.find_stick_table(name);
    let why = match found.and_then(|i| config.stick_tables.get(i)) {
        None => format!("unable to find table '{name}' referenced by track-sc{number}"),
        Some(t) if !key.out().casts_to(stick::key_type(t.key)) => {
            format!("stick-table '{name}' uses a type incompatible with the 'track-sc{number}' rule")
        }
        Some(_) => return found.unwrap_or_default(),
    };
    let text = format!("Proxy '{}': {why}.", cx.proxy.name);
    let pos = cx.cx.pos;
    cx.cx.diags.push(Severity::Alert, Some(pos), text).layout = Layout::Plain;
    usize::MAX
}

/// A counter or a tag: the first ones by their names, others by their index in the array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cell {
    data: DataType,
    index: u32,
    /// The stick counter.
    number: usize,
}

impl Cell {
    /// Counts, in the counter and in its rate.
    fn count(self, txn: &Txn<'_>, n: u64) {
        let now = txn.rt.now_ms();
        if let Some(t) = txn.tracked(self.number) {
            for data in [stick::counter_rate(self.data), self.data] {
                t.table().add(t.entry(), data, self.index, n, now);
            }
        }
    }
}

/// `sc-inc-gpc(<index>,<counter>)`, `sc-inc-gpc0(<counter>)`, `sc-inc-gpc1(<counter>)`.
#[derive(Debug)]
struct IncGpc(Cell);

impl Action for IncGpc {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        self.0.count(txn, 1);
        Step::Next
    }
}

/// `sc-add-gpc(<index>,<counter>)`.
#[derive(Debug)]
struct AddGpc(Cell, Number);

impl Action for AddGpc {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        if txn.tracked(self.0.number).is_none() {
            return Step::Next;
        }
        let Some(n) = self.1.eval(txn) else { return Step::Next };
        self.0.count(txn, n.into());
        Step::Next
    }
}

/// `sc-set-gpt(<index>,<counter>)`, `sc-set-gpt0(<counter>)`.
#[derive(Debug)]
struct SetGpt(Cell, Number);

impl Action for SetGpt {
    fn run(&self, txn: &mut Txn<'_>) -> Step {
        let Cell { data, index, number } = self.0;
        if txn.tracked(number).is_none() {
            return Step::Next;
        }
        let Some(n) = self.1.eval(txn) else { return Step::Next };
        let now = txn.rt.now_ms();
        if let Some(t) = txn.tracked(number) {
            t.table().set(t.entry(), data, index, n.into(), now);
        }
        Step::Next
    }
}

/// A number of 32 bits: fixed, or computed.
#[derive(Debug)]
enum Number {
    Fixed(u32),
    Expr(Expr),
}

impl Number {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counters and tags have 32 bits"
    )]
    fn parse(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Self, Error> {
        let Some(word) = args.peek() else { return Ok(Self::Fixed(0)) };
        if let "if" | "unless" = word {
            return Err(Error::new(format!("unknown fetch method '{word}'")));
        }
        match word.parse::<i64>() {
            Ok(n) => {
                args.advance();
                Ok(Self::Fixed(n as u32))
            }
            Err(_) => args.expr(cx.cx).map(Self::Expr),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counters and tags have 32 bits"
    )]
    fn eval(&self, txn: &mut Txn<'_>) -> Option<u32> {
        match self {
            Self::Fixed(n) => Some(*n),
            Self::Expr(e) => txn.sample(e, |v| v.as_int().map(|n| n as u32)),
        }
    }
}

pub(super) fn inc_gpc(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let what = What { action: "sc-inc-gpc", kind: "gpc", hint: " (tune.stick-counters)" };
    Ok(Box::new(IncGpc(what.indexed(cx, args.action(), DataType::Gpc)?)))
}

pub(super) fn inc_gpc0(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    first(cx, args, "sc-inc-gpc0", DataType::Gpc0).map(|c| Box::new(IncGpc(c)) as _)
}

pub(super) fn inc_gpc1(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    first(cx, args, "sc-inc-gpc1", DataType::Gpc1).map(|c| Box::new(IncGpc(c)) as _)
}

pub(super) fn add_gpc(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let what = What { action: "sc-add-gpc", kind: "gpc", hint: " (tune.stick-counters)" };
    let word = args.action();
    let list = word.strip_prefix(what.action).and_then(|w| w.strip_prefix('('));
    let Some(list) = list else {
        return Err(Error::new(format!(
            "Missing or invalid arguments for '{word}'. Expects sc-add-gpc(<GPC ID>,<Track ID>)"
        )));
    };
    if !list.contains(',') {
        return Err(Error::new(format!("Missing gpc ID. Expects {word}(<GPC ID>,<Track ID>)")));
    }
    let cell = what.indexed(cx, word, DataType::Gpc)?;
    Ok(Box::new(AddGpc(cell, Number::parse(cx, args)?)))
}

pub(super) fn set_gpt(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let what = What { action: "sc-set-gpt", kind: "gpt", hint: "" };
    let cell = what.indexed(cx, args.action(), DataType::Gpt)?;
    Ok(Box::new(SetGpt(cell, Number::parse(cx, args)?)))
}

pub(super) fn set_gpt0(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Parsed {
    let cell = first(cx, args, "sc-set-gpt0", DataType::Gpt0)?;
    Ok(Box::new(SetGpt(cell, Number::parse(cx, args)?)))
}

/// What the messages about an action with two arguments say.
struct What {
    action: &'static str,
    kind: &'static str,
    hint: &'static str,
}

impl What {
    /// `(<index>,<counter>)`.
    fn indexed(&self, cx: &RuleCx<'_, '_>, word: &str, data: DataType) -> Result<Cell, Error> {
        enabled(cx, word)?;
        let Self { action, kind, hint } = self;
        let usage = format!("Expects {action}(<{} ID>,<Track ID>)", kind.to_uppercase());
        let list = word.strip_prefix(action).and_then(|w| w.strip_prefix('('));
        let list = list.ok_or_else(|| Error::new(format!("invalid {kind} ID '{word}'. {usage}")))?;
        let missing = || Error::new(format!("Missing {kind} ID '{word}'. {usage}"));
        let (index, number) = list.split_once(',').ok_or_else(missing)?;
        let index = index.parse().map_err(|_| missing())?;
        let invalid = || Error::new(format!("invalid stick table track ID '{word}'. {usage}"));
        let number = number.strip_suffix(')').and_then(|n| n.parse().ok()).ok_or_else(invalid)?;
        let most = counters(cx);
        if number >= most {
            let most = most - 1;
            return Err(Error::new(format!(
                "invalid stick table track ID '{word}'. The max allowed ID is {most}{hint}"
            )));
        }
        Ok(Cell { data, index, number })
    }
}

/// `[(<counter>)]`.
fn first(cx: &RuleCx<'_, '_>, args: &Args<'_>, action: &'static str, data: DataType) -> Result<Cell, Error> {
    enabled(cx, args.action())?;
    let list = args.action().strip_prefix(action).unwrap_or_default();
    let word = if data == DataType::Gpt0 { format!(" '{}'", args.action()) } else { String::new() };
    let invalid = || {
        let shown = if data == DataType::Gpt0 { action } else { args.action() };
        Error::new(format!("invalid stick table track ID{word}. Expects {shown}(<Track ID>)"))
    };
    let number = match list {
        "" => 0,
        list => {
            let inner = list.strip_prefix('(').and_then(|l| l.strip_suffix(')'));
            inner.and_then(|n| n.parse().ok()).ok_or_else(invalid)?
        }
    };
    let most = counters(cx);
    if number >= most {
        let hint = if data == DataType::Gpt0 { "" } else { " (tune.stick-counters)" };
        let most = most - 1;
        return Err(Error::new(format!(
            "invalid stick table track ID{word}. The max allowed ID is {most}{hint}"
        )));
    }
    Ok(Cell { data, index: 0, number })
}

fn enabled(cx: &RuleCx<'_, '_>, word: &str) -> Result<(), Error> {
    if counters(cx) > 0 {
        return Ok(());
    }
    Err(Error::new(format!("Cannot use '{word}', stick-counters are disabled via tune.stick-counters")))
}

#[cfg(test)]
mod tests;

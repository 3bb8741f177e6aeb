//! Metrics of frontends, listeners, backends and servers: the columns of the statistics that are some.

use super::query::{Query, Scope};
use super::text::{Labels, Number, header, sample};
use super::{CHECK_RESULTS, LISTENER_STATES, PROXY_STATES, SERVER_STATES};
use crate::column::{COLUMNS, Col, FIRST_OF_MODULES};
use crate::row::{Census, Object, Row, Value};
use std::borrow::Cow;

/// One metric of one kind of object.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    /// Where its values are.
    column: usize,
    name: String,
    help: Cow<'static, str>,
    counter: bool,
    shape: Shape,
}

/// What the series of a metric are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// One for each object.
    Plain,
    /// The same, where there is a value.
    Present,
    /// The same, in seconds of what is kept in milliseconds.
    Seconds,
    /// The same, where there is a value.
    PresentSeconds,
    /// The same, with the class of statuses.
    Class(&'static str),
    /// The same, with the module that counts.
    Module(&'static str),
    /// One for each state.
    State,
    /// One for each result of a check ([`RESULTS`]), where there are checks.
    Check(usize),
    /// One for each result of a check: servers of a backend.
    Checks,
    /// One for each state of servers: servers of a backend.
    Servers,
}

impl Metric {
    /// All metrics of a kind of object that are wanted, in the order of the columns.
    pub(crate) fn all(object: Object, query: &Query) -> Vec<Self> {
        let mut all: Vec<Self> =
            (0..COLUMNS.len()).filter_map(|i| Self::of(i, object, query.extra)).collect();
        all.retain(|m| query.wants(&m.name));
        all
    }

    fn of(column: usize, object: Object, extra: bool) -> Option<Self> {
        let c = COLUMNS.get(column)?;
        let shape = shape(c.name);
        let (name, counter) = match c.metric {
            Some(m) if m.of.contains(object.letter()) => (m.name, c.tags.as_bytes().get(1) == Some(&b'C')),
            None if extra && module_of(column, object) => (c.name, true),
            _ => return None,
        };
        let name = match (object, name) {
            (Object::Server, "active_servers") => "active",
            (Object::Server, "backup_servers") => "backup",
            _ => name,
        };
        let help = match shape {
            Shape::Seconds | Shape::PresentSeconds => {
                c.help.replace("Milliseconds", "Seconds").replace(", ms", ", in seconds").into()
            }
            Shape::State | Shape::Check(_) => format!("{}, one series for each", c.help).into(),
            _ => c.help.into(),
        };
        let name = format!("haproxy_{}_{name}", scope_word(object));
        Some(Self { column, name, help, counter, shape })
    }

    /// Whether its lines start with those that tell what it is: the classes of statuses are one metric.
    fn is_first(&self) -> bool {
        !matches!(self.shape, Shape::Class(class) if class != "1xx")
    }

    /// Writes the series of one object; `fresh` is whether the metric has none yet.
    pub(crate) fn write(&self, e: &Entry, fresh: &mut bool, out: &mut String) {
        let value = e.values.get(self.column).copied().unwrap_or(f64::NAN);
        if (value.is_nan() && matches!(self.shape, Shape::Present | Shape::PresentSeconds))
            || (!e.http && of_http(self.column))
        {
            return;
        }
        let mut line = |last: Option<(&str, &str)>, value: Number| {
            if *fresh && self.is_first() {
                header(out, &self.name, &self.help, self.counter);
            }
            *fresh = false;
            sample(out, &self.name, &e.labels, last, value);
        };
        let mut words = |words: &[&str], value: &dyn Fn(usize, &str) -> u32| {
            for (i, word) in words.iter().enumerate() {
                line(Some(("state", word)), Number::Plain(value(i, word).into()));
            }
        };
        match (self.shape, &e.census) {
            (Shape::State, _) => words(states(e.object), &|_, word| u32::from(word == e.state)),
            (Shape::Check(i), _) => {
                if let Some(Some(result)) = e.results.get(i) {
                    words(&CHECK_RESULTS, &|_, word| u32::from(*word == **result));
                }
            }
            (Shape::Servers, Some(c)) => words(&SERVER_STATES, &|i, _| c.states.get(i).copied().unwrap_or(0)),
            (Shape::Checks, Some(c)) => words(&CHECK_RESULTS, &|i, _| c.checks.get(i).copied().unwrap_or(0)),
            (Shape::Servers | Shape::Checks, None) => {}
            (Shape::Plain | Shape::Present, _) => line(None, Number::Plain(value)),
            (Shape::Seconds | Shape::PresentSeconds, _) => line(None, Number::Seconds(value / 1000.0)),
            (Shape::Class(class), _) => line(Some(("code", class)), Number::Plain(value)),
            (Shape::Module(module), _) => line(Some(("mod", module)), Number::Plain(value)),
        }
    }
}

/// What the series of a column are.
fn shape(name: &'static str) -> Shape {
    match name {
        "status" => Shape::State,
        "check_status" => Shape::Check(0),
        "agent_status" => Shape::Check(1),
        "agg_server_status" | "agg_server_check_status" => Shape::Servers,
        "agg_check_status" => Shape::Checks,
        "qtime" | "ctime" | "rtime" | "ttime" | "qtime_max" | "ctime_max" | "rtime_max" | "ttime_max" => {
            Shape::Seconds
        }
        "check_code" | "agent_code" => Shape::Present,
        "check_duration" | "agent_duration" => Shape::PresentSeconds,
        _ => {
            let class = name.strip_prefix("hrsp_").map(Shape::Class);
            let module = ["ssl", "h2", "h1"].into_iter();
            let module = module.filter(|m| name.strip_prefix(m).is_some_and(|rest| rest.starts_with('_')));
            class.or_else(|| module.map(Shape::Module).next()).unwrap_or(Shape::Plain)
        }
    }
}

/// Whether a module counts this for a kind of object: listeners and servers have only those of TLS.
fn module_of(column: usize, object: Object) -> bool {
    column >= FIRST_OF_MODULES as usize
        && (column < Col::H2HeadersRcvd as usize || matches!(object, Object::Frontend | Object::Backend))
}

/// Columns that only proxies in HTTP mode have as metrics.
fn of_http(column: usize) -> bool {
    let is = |cols: &[Col]| cols.iter().any(|c| *c as usize == column);
    (Col::Hrsp1xx as usize..=Col::HrspOther as usize).contains(&column)
        || is(&[Col::ReqRateMax, Col::ReqTot, Col::Intercepted, Col::CacheLookups, Col::CacheHits])
        || is(&[Col::CompIn, Col::CompOut, Col::CompByp, Col::CompRsp])
}

fn states(object: Object) -> &'static [&'static str] {
    match object {
        Object::Frontend | Object::Backend => &PROXY_STATES,
        Object::Listener => &LISTENER_STATES,
        Object::Server => &SERVER_STATES,
    }
}

fn scope_word(object: Object) -> &'static str {
    match object {
        Object::Frontend => "frontend",
        Object::Backend => "backend",
        Object::Listener => "listener",
        Object::Server => "server",
    }
}

/// The scope that a kind of object belongs to.
pub(crate) fn scope(object: Object) -> Scope {
    match object {
        Object::Frontend => Scope::Frontend,
        Object::Backend => Scope::Backend,
        Object::Listener => Scope::Listener,
        Object::Server => Scope::Server,
    }
}

/// Columns of results of checks, and of their codes.
const RESULTS: [(Col, Col); 2] = [(Col::CheckStatus, Col::CheckCode), (Col::AgentStatus, Col::AgentCode)];

/// What metrics need of a row, in little room.
#[derive(Debug)]
pub(crate) struct Entry {
    object: Object,
    labels: Labels,
    http: bool,
    state: &'static str,
    /// By [`RESULTS`], of a server that is checked.
    results: [Option<Box<str>>; 2],
    census: Option<Box<Census>>,
    /// By column, NaN where there is none.
    values: Box<[f64]>,
}

impl Entry {
    /// Takes them from a row.
    pub(crate) fn new(row: &Row, query: &Query) -> Self {
        let mut labels = Labels::new();
        labels.add("proxy", row.text(Col::Pxname));
        if let Some(text) = row.description.as_ref().filter(|_| query.descriptions) {
            labels.add("desc", text);
        }
        match row.object {
            Object::Listener => labels.add("listener", row.text(Col::Svname)),
            Object::Server => labels.add("server", row.text(Col::Svname)),
            Object::Frontend | Object::Backend => {}
        }
        let last = if query.extra { COLUMNS.len() } else { FIRST_OF_MODULES as usize };
        let mut values = vec![f64::NAN; last].into_boxed_slice();
        for (col, _, value) in row.values() {
            if let (Some(place), Some(n)) = (values.get_mut(col as usize), number(value)) {
                *place = n;
            }
        }
        let results = RESULTS.map(|(status, code)| {
            let result = row.get(status).map(|_| row.text(status).into());
            // A check that got no code has the code 0.
            let code = values.get_mut(code as usize).filter(|code| result.is_some() && code.is_nan());
            code.into_iter().for_each(|code| *code = 0.0);
            result
        });
        let census = row.census.clone().filter(|c| c.states.iter().any(|n| *n > 0));
        let http = row.text(Col::Mode) == "http";
        Self { object: row.object, labels, http, state: row.state, results, census, values }
    }

    /// What it is about.
    pub(crate) fn object(&self) -> Object {
        self.object
    }
}

#[expect(clippy::cast_precision_loss, reason = "samples are of this type")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Num(n) => Some(*n as f64),
        Value::Signed(n) => Some((*n).into()),
        Value::Str(_) | Value::Name(_) => None,
    }
}

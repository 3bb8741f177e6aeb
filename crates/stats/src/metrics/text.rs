//! The text format: lines of samples behind the lines that tell what they are.

use std::fmt::Write;

/// Labels of a series, ready to be written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Labels(String);

impl Labels {
    /// No labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    /// Adds one.
    pub fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' | '"' => self.0.extend(['\\', c]),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

/// A metric and all its series.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// It only grows.
    pub counter: bool,
    /// Labels and value of each series.
    pub samples: Vec<(Labels, f64)>,
}

impl Family {
    /// Writes it, unless it has no series.
    pub(crate) fn write(&self, out: &mut String) {
        if self.samples.is_empty() {
            return;
        }
        header(out, self.name, self.help, self.counter);
        for (labels, value) in &self.samples {
            sample(out, self.name, labels, None, *value);
        }
    }
}

/// The lines before the samples of a metric.
pub(crate) fn header(out: &mut String, name: &str, help: &str, counter: bool) {
    let kind = if counter { "counter" } else { "gauge" };
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A sample; the last label may be given apart.
pub(crate) fn sample(
    out: &mut String,
    name: &str,
    labels: &Labels,
    last: Option<(&str, &str)>,
    value: impl Into<Number>,
) {
    out.push_str(name);
    if !labels.0.is_empty() || last.is_some() {
        out.push('{');
        out.push_str(&labels.0);
        if let Some((label, word)) = last {
            out.push_str(if labels.0.is_empty() { "" } else { "," });
            let _ = write!(out, "{label}=\"{word}\"");
        }
        out.push('}');
    }
    out.push(' ');
    number(out, value.into());
    out.push('\n');
}

/// A value, and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// As short as it gets; NaN stands for none.
    Plain(f64),
    /// Seconds, to the microsecond.
    Seconds(f64),
}

impl From<f64> for Number {
    fn from(v: f64) -> Self {
        Self::Plain(v)
    }
}

fn number(out: &mut String, n: Number) {
    let _ = match n {
        Number::Plain(v) | Number::Seconds(v) if v.is_nan() => write!(out, "NaN"),
        Number::Plain(v) => write!(out, "{v}"),
        Number::Seconds(v) => write!(out, "{v:.6}"),
    };
}

//! The top of the page: the process, what colours mean, and other ways to see the same.

use super::query::SCOPE_MAX;
use super::text::Plain;
use super::{Query, Settings};
use hawser_cli::info::{Sheet, Value};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// What colours of rows mean.
const LEGEND: [(&str, &str); 10] = [
    ("active_up", "active UP"),
    ("backup_up", "backup UP"),
    ("active_going_down", "active UP, going down"),
    ("backup_going_down", "backup UP, going down"),
    ("active_going_up", "active DOWN, going up"),
    ("backup_going_up", "backup DOWN, going up"),
    ("active_down", "active or backup DOWN"),
    ("active_no_check", "not checked"),
    ("maintain", "in maintenance (MAINT)"),
    ("active_draining", "no new load (DRAIN, NOLB)"),
];

/// Writes everything above the tables.
pub(super) fn write(out: &mut String, settings: &Settings, query: &Query, sheet: &Sheet) {
    let facts = Facts { sheet };
    let or = |own: &Option<Option<String>>, field: &str| {
        own.as_ref().map(|own| own.clone().unwrap_or_else(|| facts.text(field)))
    };
    let node = or(&settings.node, "node").map(|n| format!(" on {}", Plain(&n))).unwrap_or_default();
    let text = or(&settings.description, "description").filter(|d| !d.is_empty());
    let text = text.map(|d| format!(": {}", Plain(&d))).unwrap_or_default();
    let version = if settings.version { facts.text("Build info") } else { "Hawser".into() };
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Statistics Report for Hawser{node}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style></head>\n\
         <body><h1>{}</h1>\n<h2>Statistics Report for pid {}{node}{text}</h2>\n<div class=\"top\">\n",
        Plain(&version),
        facts.num("Pid"),
    );
    process(out, &facts);
    legend(out);
    links(out, settings, query);
    out.push_str("</div>\n");
    message(out, settings, query);
}

/// The fields of `show info`.
struct Facts<'a> {
    sheet: &'a Sheet,
}

impl Facts<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        self.sheet.fields().find(|(f, _)| f.name == name).and_then(|(_, v)| v)
    }

    fn text(&self, name: &str) -> String {
        match self.value(name) {
            Some(Value::Str(s)) => s.clone(),
            _ => String::new(),
        }
    }

    fn num(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::Num(n)) => *n,
            _ => 0,
        }
    }
}

fn process(out: &mut String, facts: &Facts<'_>) {
    let n = |name| facts.num(name);
    let memory = match n("Memmax_MB") {
        0 => "unlimited".to_owned(),
        mb => format!("{mb} MB"),
    };
    let used = n("PipesUsed");
    let rate = bits(n("BytesOutRate"));
    let _ = write!(
        out,
        "<div class=\"card\"><h3>General process information</h3>\n<p><b>pid = </b> {} (process #{}, nbproc = {}, \
         nbthread = {})<br>\n<b>uptime = </b> {}; warnings = {}<br>\n<b>system limits:</b> memmax = {memory}; ulimit-n = \
         {}<br>\n<b>maxsock = </b> {}; <b>maxconn = </b> {}; <b>reached = </b> {}; <b>maxpipes = </b> {}<br>\n\
         current conns = {}; current pipes = {used}/{}; conn rate = {}/sec; bit rate = {rate}<br>\n\
         Running tasks: {}/{} ({} niced); idle = {} %<br>\n</div>\n",
        n("Pid"),
        n("Process_num"),
        n("Nbproc"),
        n("Nbthread"),
        facts.text("Uptime"),
        n("TotalWarnings"),
        n("Ulimit-n"),
        n("Maxsock"),
        n("Maxconn"),
        n("MaxconnReached"),
        n("Maxpipes"),
        n("CurrConns"),
        used + n("PipesFree"),
        n("ConnRate"),
        n("Run_queue"),
        n("Tasks"),
        n("Niced_tasks"),
        n("Idle_pct"),
    );
}

/// Bytes per second as bits.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bits(bytes: u64) -> String {
    let bits = bytes as f64 * 8.0;
    let (unit, letter) = match bits {
        b if b >= 1e9 => (1e9, 'G'),
        b if b >= 1e6 => (1e6, 'M'),
        _ => (1e3, 'k'),
    };
    format!("{:.3} {letter}bps", bits / unit)
}

fn legend(out: &mut String) {
    out.push_str("<div class=\"card\"><h3>Colours</h3>\n<table class=\"lgd\">");
    for pair in LEGEND.chunks(2) {
        out.push_str("<tr>");
        for (class, text) in pair {
            let _ = write!(out, "<td class=\"{class}\">&nbsp;</td><td class=\"noborder\">{text}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
}

/// The address of a page that shows the same in another way.
fn link(settings: &Settings, query: &Query, words: &str, up: bool, no_refresh: bool) -> String {
    let mut uri = format!("{}{words}", settings.uri);
    query.options(&mut uri, up, no_refresh);
    uri
}

fn links(out: &mut String, settings: &Settings, query: &Query) {
    let refreshes = settings.refresh > 0;
    let still = refreshes && query.no_refresh;
    let _ = write!(
        out,
        "<div class=\"card\"><h3>Display option</h3><ul>\n<li><form method=\"GET\">Scope : <input value=\"{}\" \
         name=\"scope\" size=\"8\" maxlength=\"{SCOPE_MAX}\" tabindex=\"1\"/></form>\n",
        Plain(&query.scope)
    );
    let mut item = |uri: String, text: &str| {
        let _ = writeln!(out, "<li><a href=\"{}\">{text}</a>", Plain(&uri));
    };
    let here = |up, no_refresh| link(settings, query, "", up, no_refresh);
    item(here(!query.up, still), if query.up { "Show all servers" } else { "Hide 'DOWN' servers" });
    if refreshes {
        item(here(query.up, !still), if still { "Enable refresh" } else { "Disable refresh" });
    }
    item(here(query.up, still), "Refresh now");
    item(link(settings, query, ";csv", false, refreshes), "CSV export");
    item(link(settings, query, ";json", false, refreshes), "JSON export");
    item(format!("{};json-schema", settings.uri), "JSON schema");
    out.push_str("</ul></div>\n");
}

/// What became of the order before.
fn message(out: &mut String, settings: &Settings, query: &Query) {
    let Some(outcome) = query.outcome else { return };
    let (class, text) = outcome.message();
    let still = settings.refresh > 0 && query.no_refresh;
    let uri = link(settings, query, "", query.up, still);
    let _ = write!(
        out,
        "<p><div class={class}><a class=lfsb href=\"{}\" title=\"Remove this message\">[X]</a> {text}</div>\n<p>\n",
        Plain(&uri)
    );
}

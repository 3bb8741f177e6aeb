//! Rows of the tables: a cell for each column, some with details that show when one points at them.

use super::Settings;
use super::details::{
    Detail, backend_sessions, detail, frontend_sessions, is_http, num, server_connections, server_sessions,
    share, signed, text,
};
use super::text::{Ago, Grouped, Limit, Plain};
use crate::column::{COLUMNS, Col, FIRST_OF_MODULES};
use crate::row::{Object, Row};
use std::fmt::{Display, Write};
use std::ops::Range;

/// What a row is written with.
pub(super) struct Cells<'a> {
    pub(super) out: &'a mut String,
    pub(super) settings: &'a Settings,
    /// There is a column of boxes to tick.
    pub(super) admin: bool,
}

/// Modules that count on their own: names, and their columns.
pub(super) const MODULES: [(&str, Range<usize>); 3] = [
    ("ssl", FIRST_OF_MODULES as usize..Col::H2HeadersRcvd as usize),
    ("h2", Col::H2HeadersRcvd as usize..Col::H1OpenConns as usize),
    ("h1", Col::H1OpenConns as usize..COLUMNS.len()),
];

impl Cells<'_> {
    /// Writes a row.
    pub(super) fn row(&mut self, row: &Row) {
        match row.object {
            Object::Frontend => self.frontend(row),
            Object::Listener => self.listener(row),
            Object::Server => self.server(row),
            Object::Backend => self.backend(row),
        }
        if self.settings.modules {
            self.modules(row);
        }
        self.raw("</tr>\n");
    }

    fn raw(&mut self, html: &str) {
        self.out.push_str(html);
    }

    fn write(&mut self, html: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(html);
    }

    fn cell(&mut self, value: impl Display) {
        self.write(format_args!("<td>{value}</td>"));
    }

    fn centred(&mut self, value: impl Display) {
        self.write(format_args!("<td class=ac>{value}</td>"));
    }

    fn numbers(&mut self, row: &Row, cols: &[Col]) {
        cols.iter().for_each(|c| self.cell(Grouped(num(row, *c))));
    }

    fn detailed(&mut self, value: impl Display, details: &[Detail]) {
        self.write(format_args!("<td><u>{value}<div class=tips><table class=det>"));
        for (label, value, rest) in details {
            if value.is_empty() {
                self.write(format_args!("<tr><th colspan=3>{label}</th></tr>"));
                continue;
            }
            self.write(format_args!("<tr><th>{label}</th><td>{value}</td>"));
            if !rest.is_empty() {
                self.cell(rest);
            }
            self.raw("</tr>");
        }
        self.raw("</table></div></u></td>");
    }

    /// Starts a row; its name is that of an anchor too.
    fn start(&mut self, class: &str, row: &Row, name: &str, shown: &str, legend: &[String]) {
        self.write(format_args!("<tr class=\"{class}\">"));
        let (px, legends) = (Plain(text(row, Col::Pxname)), self.settings.legends && !legend.is_empty());
        let (name, shown) = (Plain(name), Plain(shown));
        if self.admin {
            match row.object {
                Object::Server => self.write(format_args!(
                    "<td><input class='{px}-checkbox' type=\"checkbox\" name=\"s\" value=\"{shown}\"></td>"
                )),
                _ => self.raw("<td></td>"),
            }
        }
        self.write(format_args!("<td class=ac><a name=\"{px}/{name}\"></a>"));
        self.raw(if legends { "<u>" } else { "" });
        self.write(format_args!("<a class=lfsb href=\"#{px}/{name}\">{shown}</a>"));
        if legends {
            self.write(format_args!("<div class=tips>{}</div></u>", legend.join(", ")));
        }
        self.raw("</td>");
    }

    fn frontend(&mut self, row: &Row) {
        self.start("frontend", row, "Frontend", "Frontend", &[]);
        self.raw("<td colspan=3></td>");
        let http = is_http(row);
        let rates = |words: [&'static str; 3], cols: [Col; 3]| {
            let rate = |i: usize| detail(words[i], format!("{}/s", Grouped(num(row, cols[i]))));
            (0..if http { 3 } else { 2 }).map(rate).collect::<Vec<_>>()
        };
        let words = ["Current connection rate:", "Current session rate:", "Current request rate:"];
        let current = rates(words, [Col::ConnRate, Col::Rate, Col::ReqRate]);
        self.detailed(Grouped(num(row, Col::Rate)), &current);
        let words = ["Max connection rate:", "Max session rate:", "Max request rate:"];
        let most = rates(words, [Col::ConnRateMax, Col::RateMax, Col::ReqRateMax]);
        self.detailed(Grouped(num(row, Col::RateMax)), &most);
        self.cell(Limit(num(row, Col::RateLim)));
        self.numbers(row, &[Col::Scur, Col::Smax, Col::Slim]);
        self.detailed(Grouped(num(row, Col::Stot)), &frontend_sessions(row));
        self.raw("<td></td><td></td>");
        self.bytes(row);
        self.numbers(row, &[Col::Dreq, Col::Dresp, Col::Ereq]);
        self.raw("<td></td><td></td><td></td><td></td>");
        self.centred(Plain(text(row, Col::Status)));
        self.raw("<td class=ac colspan=8></td>");
    }

    fn listener(&mut self, row: &Row) {
        let name = text(row, Col::Svname);
        let mut legend = address(row);
        legend.push(format!("proto={}", Plain(text(row, Col::Proto))));
        legend.push(format!("id: {}", row.sid));
        self.start("socket", row, &format!("+{name}"), name, &legend);
        self.raw("<td colspan=3></td><td colspan=3>&nbsp;</td>");
        self.numbers(row, &[Col::Scur, Col::Smax, Col::Slim, Col::Stot]);
        self.raw("<td>&nbsp;</td><td>&nbsp;</td>");
        self.numbers(row, &[Col::Bin, Col::Bout, Col::Dreq, Col::Dresp, Col::Ereq]);
        self.raw("<td></td><td></td><td></td><td></td>");
        self.centred(Plain(text(row, Col::Status)));
        self.raw("<td class=ac colspan=8></td>");
    }

    fn server(&mut self, row: &Row) {
        let name = text(row, Col::Svname);
        let mut legend = address(row);
        legend.push(format!("id: {}, rid: {}", row.sid, num(row, Col::Srid)));
        legend.extend(cookie(row));
        self.start(&class(row), row, name, name, &legend);
        self.numbers(row, &[Col::Qcur, Col::Qmax]);
        self.cell(Limit(num(row, Col::Qlimit)));
        self.numbers(row, &[Col::Rate, Col::RateMax]);
        self.raw("<td></td>");
        self.detailed(Grouped(num(row, Col::Scur)), &server_connections(row));
        self.cell(Grouped(num(row, Col::Smax)));
        self.cell(Limit(num(row, Col::Slim)));
        self.detailed(Grouped(num(row, Col::Stot)), &server_sessions(row));
        self.numbers(row, &[Col::Lbtot]);
        self.cell(Ago(signed(row, Col::Lastsess)));
        self.numbers(row, &[Col::Bin, Col::Bout]);
        self.raw("<td></td>");
        self.numbers(row, &[Col::Dresp]);
        self.raw("<td></td>");
        self.errors(row);
        self.server_state(row);
    }

    fn server_state(&mut self, row: &Row) {
        let status = text(row, Col::Status);
        let since = Ago(signed(row, Col::Lastchg));
        match status {
            s if s.starts_with("MAINT") => self.centred(format_args!("{since} MAINT")),
            "no check" => self.centred("<i>no check</i>"),
            s => self.centred(format_args!("{since} {}{}", Plain(s), trend(row))),
        }
        self.check(row);
        self.centred(format_args!("{}/{}", num(row, Col::Weight), num(row, Col::Uweight)));
        let backup = num(row, Col::Bck) > 0;
        self.centred(if backup { "-" } else { "Y" });
        self.centred(if backup { "Y" } else { "-" });
        self.downs(row, status);
        match num(row, Col::Throttle) {
            0 => self.centred("-"),
            n => self.centred(format_args!("{n} %")),
        }
    }

    /// The last check.
    fn check(&mut self, row: &Row) {
        if row.get(Col::CheckStatus).is_none() {
            return self.raw("<td></td>");
        }
        self.write(format_args!("<td class=ac><u> {}", Plain(text(row, Col::CheckStatus))));
        if row.get(Col::CheckCode).is_some() {
            self.write(format_args!("/{}", num(row, Col::CheckCode)));
        }
        if row.get(Col::CheckDuration).is_some() {
            self.write(format_args!(" in {}ms", num(row, Col::CheckDuration)));
        }
        self.write(format_args!("<div class=tips>{}", Plain(text(row, Col::CheckDesc))));
        if !text(row, Col::LastChk).is_empty() {
            self.write(format_args!(": {}", Plain(text(row, Col::LastChk))));
        }
        self.raw("</div></u></td>");
    }

    /// Failed checks, transitions and downtime.
    fn downs(&mut self, row: &Row, status: &str) {
        if status == "MAINT (resolution)" {
            self.raw("<td class=ac colspan=3>resolution</td>");
        } else if row.get(Col::Chkfail).is_some() {
            let observed = row.get(Col::Hanafail).map(|_| num(row, Col::Hanafail));
            let (analyses, more) = match observed {
                Some(n) => (format!("/{n}"), "/Health Analyses"),
                None => (String::new(), ""),
            };
            let failed = num(row, Col::Chkfail);
            self.write(format_args!(
                "<td><u>{failed}{analyses}<div class=tips>Failed Health Checks{more}</div></u></td>"
            ));
            self.cell(num(row, Col::Chkdown));
            self.cell(Ago(signed(row, Col::Downtime)));
        } else if status != "MAINT" && row.get(Col::Tracked).is_some() {
            let via = Plain(text(row, Col::Tracked));
            self.write(format_args!(
                "<td class=ac colspan=3><a class=lfsb href=\"#{via}\">via {via}</a></td>"
            ));
        } else {
            self.raw("<td colspan=3></td>");
        }
    }

    fn backend(&mut self, row: &Row) {
        let algo = text(row, Col::Algo);
        let mut legend = vec![format!("balancing: {}", Plain(algo))];
        legend.extend(cookie(row));
        self.start("backend", row, "Backend", "Backend", &legend);
        self.numbers(row, &[Col::Qcur, Col::Qmax]);
        self.raw("<td></td>");
        self.numbers(row, &[Col::Rate, Col::RateMax]);
        self.raw("<td></td>");
        self.numbers(row, &[Col::Scur, Col::Smax, Col::Slim]);
        self.detailed(Grouped(num(row, Col::Stot)), &backend_sessions(row));
        self.numbers(row, &[Col::Lbtot]);
        self.cell(Ago(signed(row, Col::Lastsess)));
        self.bytes(row);
        self.numbers(row, &[Col::Dreq, Col::Dresp]);
        self.raw("<td></td>");
        self.errors(row);
        let (since, status) = (Ago(signed(row, Col::Lastchg)), Plain(text(row, Col::Status)));
        if text(row, Col::Status).starts_with("DOWN") {
            self.centred(format_args!("{since} <b class=\"lost\">{status}</b>"));
        } else {
            self.centred(format_args!("{since} {status}"));
        }
        self.centred("&nbsp;");
        self.centred(format_args!("{}/{}", num(row, Col::Weight), num(row, Col::Uweight)));
        self.centred(num(row, Col::Act));
        self.centred(num(row, Col::Bck));
        self.centred("&nbsp;");
        self.cell(num(row, Col::Chkdown));
        match row.get(Col::Downtime) {
            Some(_) => self.cell(Ago(signed(row, Col::Downtime))),
            None => self.cell("&nbsp;"),
        }
        self.raw("<td></td>");
    }

    /// Bytes in and out, with what compression did.
    fn bytes(&mut self, row: &Row) {
        let (bout, before) = (num(row, Col::Bout), num(row, Col::CompIn));
        let after = num(row, Col::CompOut);
        let saved = before.saturating_sub(after);
        self.cell(Grouped(num(row, Col::Bin)));
        self.detailed(
            Grouped(bout),
            &[
                detail("Response bytes in:", Grouped(bout)),
                detail("Compression in:", Grouped(before)),
                share("Compression out:", after, before),
                detail("Compression bypass:", Grouped(num(row, Col::CompByp))),
                share("Total bytes saved:", saved, bout),
            ],
        );
    }

    /// Errors of connections and responses, retries and redispatches.
    fn errors(&mut self, row: &Row) {
        self.cell(Grouped(num(row, Col::Econ)));
        let (client, server) = (num(row, Col::CliAbrt), num(row, Col::SrvAbrt));
        self.write(format_args!(
            "<td><u>{}<div class=tips>Connection resets during transfers: {client} client, {server} server</div></u></td>",
            Grouped(num(row, Col::Eresp))
        ));
        self.cell(num(row, Col::Wretr));
        self.cell(num(row, Col::Wredis));
    }

    fn modules(&mut self, row: &Row) {
        for (name, cols) in MODULES {
            let values: Vec<Detail> = row
                .values()
                .filter(|(col, ..)| cols.contains(&(*col as usize)))
                .map(|(col, c, _)| detail(c.help, Grouped(num(row, col))))
                .collect();
            if values.is_empty() {
                self.raw("<td></td>");
            } else {
                self.detailed(name, &values);
            }
        }
    }
}

/// Where it is, as legends tell.
fn address(row: &Row) -> Vec<String> {
    let address = text(row, Col::Addr);
    let family = match address.as_bytes().first() {
        None => return Vec::new(),
        Some(b'[') => "IPv6: ",
        Some(b'0'..=b'9') => "IPv4: ",
        Some(_) => "",
    };
    vec![format!("{family}{}", Plain(address))]
}

fn cookie(row: &Row) -> Option<String> {
    row.get(Col::Cookie).map(|_| format!("cookie: '{}'", Plain(text(row, Col::Cookie))))
}

/// The class of a server's row: what it is, and how it is.
fn class(row: &Row) -> String {
    let status = text(row, Col::Status);
    let full = num(row, Col::CheckRise) + num(row, Col::CheckFall);
    let unsure = row.get(Col::Chkfail).is_some() && num(row, Col::CheckHealth) + 1 != full;
    let style = match status {
        "DOWN" | "DOWN (agent)" => "down",
        "DRAIN" => "draining",
        "NOLB" => "nolb",
        "no check" => "no_check",
        s if s.starts_with("MAINT") => return "maintain".into(),
        s if s.starts_with("DOWN ") => "going_up",
        s if s.starts_with("NOLB ") || s.starts_with("UP ") => "going_down",
        _ if unsure => "going_down",
        _ if num(row, Col::Weight) == 0 => "draining",
        _ => "up",
    };
    format!("{}_{style}", if num(row, Col::Bck) > 0 { "backup" } else { "active" })
}

/// An arrow, where checks are about to change the state.
fn trend(row: &Row) -> &'static str {
    let health = num(row, Col::CheckHealth);
    if text(row, Col::Status).starts_with("DOWN") {
        return if health > 0 { " &uarr;" } else { "" };
    }
    let full = num(row, Col::CheckRise) + num(row, Col::CheckFall);
    if health + 1 < full { " &darr;" } else { "" }
}

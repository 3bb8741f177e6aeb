//! The table of a proxy: what stands above and below its rows.

use super::cells::{Cells, MODULES};
use super::form::ACTIONS;
use super::text::Plain;
use super::{Section, Settings};
use std::fmt::Write;

/// Headings of groups of columns, how many columns each, and the columns.
#[rustfmt::skip]
const GROUPS: [(&str, &[&str]); 8] = [
    ("Queue", &["Cur", "Max", "Limit"]),
    ("Session rate", &["Cur", "Max", "Limit"]),
    ("Sessions", &["Cur", "Max", "Limit", "Total", "LbTot", "Last"]),
    ("Bytes", &["In", "Out"]),
    ("Denied", &["Req", "Resp"]),
    ("Errors", &["Req", "Conn", "Resp"]),
    ("Warnings", &["Retr", "Redis"]),
    ("Server", &["Status", "LastChk", "Wght", "Act", "Bck", "Chk", "Dwn", "Dwntme", "Thrtle"]),
];

/// A box that ticks those of all servers of its form.
const ALL: &str = "<th rowspan=2 width=1><input type=\"checkbox\" aria-label=\"all servers\" onclick=\"for(const c of \
                   this.form.querySelectorAll('[name=s]'))c.checked=this.checked\"></th>";

/// Writes the table of a proxy, or a part of it; administrators get a form.
pub(super) fn write(out: &mut String, section: &Section, settings: &Settings, admin: bool) {
    let form = admin && section.servers;
    let [first, last] = section.ends;
    if first {
        out.push_str(if form { "<form method=\"post\">" } else { "" });
        title(out, section, settings);
        out.push_str("<div class=\"scroll\"><table class=\"tbl\" width=\"100%\">\n<tr class=\"titre\">");
        headings(out, section, settings, admin);
        out.push_str("</tr>\n");
    }
    let mut cells = Cells { out, settings, admin };
    section.rows.iter().for_each(|row| cells.row(row));
    if last {
        out.push_str("</table></div>");
        if form {
            actions(out, section.id);
        }
        out.push_str("<p>\n");
    }
}

/// The name of the proxy, and what it is.
fn title(out: &mut String, section: &Section, settings: &Settings) {
    let name = Plain(&section.name);
    out.push_str(
        "<table class=\"tbl\" width=\"100%\">\n<tr class=\"titre\"><th class=\"pxname\" width=\"10%\">",
    );
    let _ = write!(out, "<a name=\"{name}\"></a>");
    let link = format!("<a class=px href=\"#{name}\">{name}</a>");
    let _ = if settings.legends {
        let (kind, mode, id) = (section.kind, section.mode, section.id);
        write!(out, "<u>{link}<div class=tips>cap: {kind}, mode: {mode}, id: {id}</div></u>")
    } else {
        write!(out, "{link}")
    };
    let (class, text) = section.description.as_deref().map_or(("empty", ""), |d| ("desc", d));
    let _ = write!(out, "</th><th class=\"{class}\" width=\"90%\">{}</th></tr>\n</table>\n", Plain(text));
}

fn headings(out: &mut String, section: &Section, settings: &Settings, admin: bool) {
    if admin && section.servers {
        out.push_str(ALL);
    } else if admin {
        out.push_str("<th rowspan=2></th>");
    }
    out.push_str("<th rowspan=2></th>");
    for (group, columns) in GROUPS {
        let _ = write!(out, "<th colspan={}>{group}</th>", columns.len());
    }
    if settings.modules {
        let _ = write!(out, "<th colspan={}>Extra modules</th>", MODULES.len());
    }
    out.push_str("</tr>\n<tr class=\"titre\">");
    let columns = GROUPS.iter().flat_map(|g| g.1).copied();
    let modules = MODULES.iter().map(|m| m.0).filter(|_| settings.modules);
    for column in columns.chain(modules) {
        let _ = write!(out, "<th>{column}</th>");
    }
}

/// What to do with the servers that are ticked.
fn actions(out: &mut String, id: u32) {
    out.push_str(
        "<div class=\"act\">With the selected servers: <select name=action><option value=\"\"></option>",
    );
    for (word, _, text) in ACTIONS.iter().filter(|a| !a.2.is_empty()) {
        let _ = write!(out, "<option value=\"{word}\">{text}</option>");
    }
    let _ = write!(
        out,
        "</select><input type=\"hidden\" name=\"b\" value=\"#{id}\">&nbsp;<input type=\"submit\" value=\"Apply\">\
         </div></form>"
    );
}

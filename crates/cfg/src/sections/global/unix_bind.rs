//! `unix-bind` (manual 3.1): defaults for UNIX sockets of listeners.

use crate::accounts;
use crate::model::Global;
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;

/// Parses the line.
pub(crate) fn parse(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let mut i = 0;
    while i < line.len() {
        let (option, value) = (line.arg(i), line.arg(i + 1));
        let known = matches!(option, "prefix" | "mode" | "uid" | "gid" | "user" | "group");
        if !known {
            let text =
                "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' and 'group' options.";
            cx.alert_arg(line, i, text);
            return;
        }
        if value.is_empty() {
            let what = if option == "prefix" { "a path" } else { "a value" };
            cx.alert_arg(line, i, format!("unix_bind '{option}' expects {what} as an argument."));
            return;
        }
        let bad = match option {
            "prefix" => {
                g.unix_bind.prefix = Some(value.to_owned());
                None
            }
            "mode" => store(&mut g.unix_bind.mode, u32::from_str_radix(value, 8).ok(), "mode"),
            "uid" => store(&mut g.unix_bind.uid, value.parse().ok(), "uid"),
            "gid" => store(&mut g.unix_bind.gid, value.parse().ok(), "gid"),
            "user" => store(&mut g.unix_bind.uid, accounts::user(value), "user"),
            _ => store(&mut g.unix_bind.gid, accounts::group(value), "group"),
        };
        if let Some(what) = bad {
            cx.alert_arg(line, i + 1, format!("'unix-bind' : '{value}' unknown {what}."));
        }
        i += 2;
    }
    cx.st.unix_bind = g.unix_bind.clone();
}

/// Stores a value; gives back what it should have been when there is none.
fn store(slot: &mut Option<u32>, value: Option<u32>, what: &'static str) -> Option<&'static str> {
    *slot = value.or(*slot);
    if value.is_some() { None } else { Some(what) }
}

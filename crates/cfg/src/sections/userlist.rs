//! `userlist` sections (manual 12.2): checked here, kept as words for the authentication fetches.

use crate::keyword::Table;
use crate::model::{RuleLine, Userlist};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, run};
use crate::parse::line::Line;

/// The keywords.
#[rustfmt::skip]
pub(crate) static KEYWORDS: Table<Kw<Userlist>> = Table::new(&[
    run("group", (1, MANY), "<name> as arguments.", group, "A group and its users."),
    run("user", (1, MANY), "<name> as arguments.", user, "A user, the password and the groups."),
]);

fn group(cx: &mut Ctx<'_>, u: &mut Userlist, line: &Line<'_>) {
    let name = line.arg(0);
    let twice = u.lines.iter().any(|l| is(l, "group", name));
    if twice {
        cx.warn(line, format!("ignoring duplicated group '{name}' in userlist '{}'.", u.name));
        return;
    }
    if line.len() > 1 && (line.arg(1) != "users" || line.len() != 3) {
        cx.alert_arg(line, 1, "'group' only supports 'users' option.");
        return;
    }
    keep(u, line);
}

fn user(cx: &mut Ctx<'_>, u: &mut Userlist, line: &Line<'_>) {
    let name = line.arg(0);
    if u.lines.iter().any(|l| is(l, "user", name)) {
        cx.warn(line, format!("ignoring duplicated user '{name}' in userlist '{}'.", u.name));
        return;
    }
    let mut i = 1;
    while i < line.len() {
        match line.arg(i) {
            "password" | "insecure-password" | "groups" if i + 1 < line.len() => i += 2,
            other => {
                let text = format!(
                    "'user' only supports 'password', 'insecure-password' and 'groups' options (got '{other}')."
                );
                cx.alert_arg(line, i, text);
                return;
            }
        }
    }
    keep(u, line);
}

fn is(line: &RuleLine, keyword: &str, name: &str) -> bool {
    line.words.first().is_some_and(|w| w.as_str() == keyword)
        && line.words.get(1).is_some_and(|w| w.as_str() == name)
}

fn keep(u: &mut Userlist, line: &Line<'_>) {
    u.lines.push(RuleLine { pos: line.pos, words: line.words().into() });
}

//! `stats`: the statistics page of a proxy (manual 4.2).

use super::P;
use crate::diag::{Diags, Layout, Severity};
use crate::keyword::Table;
use crate::model::{Config, Proxy, RuleLine, StatsPage, Userlist};
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, run};
use crate::parse::line::Line;
use crate::parse::run as dispatch;
use crate::pos::Word;
use crate::units::{self, TimeUnit, UnitError};
use std::sync::Arc;

/// What follows `stats`. HAProxy looks at no argument behind those that it wants.
#[rustfmt::skip]
pub(crate) static STATS: Table<Kw<P>> = Table::new(&[
    run("admin", (0, MANY), "", admin, "Who may change servers from the page."),
    run("auth", (0, MANY), "", auth, "A user of the page and the password."),
    run("enable", (0, MANY), "", |_, p, l| _ = page(p, l), "A page with default settings."),
    run("hide-version", (0, MANY), "", hide_version, "Does not tell the version, which is the default."),
    run("http-request", (0, MANY), "", http_request, "A rule for requests for the page."),
    run("realm", (0, MANY), "", realm, "Realm that users are asked to log in to."),
    run("refresh", (0, MANY), "", refresh, "How often browsers load the page anew."),
    run("scope", (0, MANY), "", scope, "A proxy that the page shows."),
    run("show-desc", (0, MANY), "", show_desc, "Tells a description."),
    run("show-legends", (0, MANY), "", |_, p, l| page(p, l).show_legends = true, "Tells addresses, ids and cookies."),
    run("show-modules", (0, MANY), "", |_, p, l| page(p, l).show_modules = true, "Shows what multiplexers and TLS count."),
    run("show-node", (0, MANY), "", show_node, "Tells the name of the node."),
    run("show-version", (0, MANY), "", |_, p, l| page(p, l).show_version = true, "Tells the version."),
    run("uri", (0, MANY), "", uri, "Where the page is."),
]);

/// `stats …`.
pub(crate) fn parse(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    // What is inherited is replaced as a whole, even by a line that makes no page.
    p.stats = p.stats.take().filter(|s| !s.inherited || cx.st.kind.is_defaults());
    let inner = line.deeper();
    let index = &crate::sections::registry().stats_page;
    if let Some(row) = index.get(inner.word()) {
        return dispatch::run(cx, row, p, &inner);
    }
    let what = match inner.word() {
        "" => "missing keyword in 'stats'".to_owned(),
        other => format!("unknown stats parameter '{other}'"),
    };
    let text = format!(
        "{what}, expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', 'show-desc' \
         , 'show-legends' or 'show-version'."
    );
    cx.alert_arg(line, 0, text).layout = Layout::Tight;
    cx.suggest(inner.word(), index.names());
}

fn page<'p>(p: &'p mut P, line: &Line<'_>) -> &'p mut StatsPage {
    p.stats.get_or_insert_with(|| Box::new(StatsPage::new(line.pos)))
}

/// Whether the line has an argument; alerts when not.
fn given(cx: &mut Ctx<'_>, line: &Line<'_>, what: &str) -> bool {
    if line.arg(0).is_empty() {
        cx.alert(line, format!("'{}' needs {what}.", line.word()));
    }
    !line.arg(0).is_empty()
}

/// Whether the line stands in a proxy; alerts when not.
fn in_proxy(cx: &mut Ctx<'_>, line: &Line<'_>, keyword: &str) -> bool {
    if cx.st.kind.is_defaults() {
        cx.alert(line, format!("'{keyword}' not allowed in 'defaults' section.")).layout = Layout::Tight;
    }
    !cx.st.kind.is_defaults()
}

fn uri(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    if given(cx, line, "an URI prefix") {
        page(p, line).uri = line.owned(0);
    }
}

fn realm(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    if given(cx, line, "an realm name") {
        page(p, line).realm = Some(line.owned(0));
    }
}

fn scope(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    if given(cx, line, "a proxy name") {
        page(p, line).scopes.push(line.owned(0));
    }
}

fn auth(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    if !given(cx, line, "a user:password account") {
        return;
    }
    let word = line.owned(0);
    let (user, password) = word.split_once(':').unwrap_or((&word, ""));
    let page = page(p, line);
    if page.users.iter().any(|(u, _)| u.as_str() == user) {
        let text = format!("config : uri auth: ignoring duplicated user '{user}'.");
        cx.warn(line, text).layout = Layout::Plain;
        return;
    }
    let part = |text: &str| Word { text: text.into(), ..word.clone() };
    page.users.push((part(user), part(password)));
}

fn refresh(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    let text = line.arg(0);
    let why = match units::parse_time(text, TimeUnit::S) {
        Ok(seconds) => {
            if let Some(text) = units::trailing_character(text) {
                cx.warn(line, text);
            }
            page(p, line).refresh = seconds;
            return;
        }
        Err(UnitError::Overflow) => format!(
            "timer overflow in argument <{text}> to stats refresh interval, maximum value is 2147483647 s (~68 years)."
        ),
        Err(UnitError::Unexpected(_, c)) => format!(
            "unexpected character '{}' in argument to stats refresh interval.",
            c.map(String::from).unwrap_or_default()
        ),
    };
    cx.alert_arg(line, 0, why).layout = Layout::Tight;
}

/// Nothing is hidden where there is no page: it makes none.
fn hide_version(_: &mut Ctx<'_>, p: &mut P, _: &Line<'_>) {
    if let Some(page) = &mut p.stats {
        page.show_version = false;
    }
}

fn show_node(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    let name = line.arg(0);
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
        let text = "'stats show-node' invalid node name - should be a string with digits(0-9), letters(A-Z, a-z), \
                    hyphen(-) or underscode(_).";
        cx.alert_arg(line, 0, text).layout = Layout::Tight;
        return;
    }
    page(p, line).show_node = Some((!name.is_empty()).then(|| name.to_owned()));
}

fn show_desc(_: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    let words: Vec<&str> = line.args().iter().map(Word::as_str).collect();
    page(p, line).show_desc = Some((line.pos, (!words.is_empty()).then(|| words.join(" "))));
}

fn admin(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    if !in_proxy(cx, line, "stats admin") {
        return;
    }
    if !matches!(line.arg(0), "if" | "unless") {
        let text = "'stats admin' requires either 'if' or 'unless' followed by a condition.";
        cx.alert_arg(line, 0, text);
        return;
    }
    page(p, line).admin.push(RuleLine { pos: line.pos, words: line.owned_from(0) });
}

fn http_request(cx: &mut Ctx<'_>, p: &mut P, line: &Line<'_>) {
    if !in_proxy(cx, line, "stats") {
        return;
    }
    let page = page(p, line);
    let conditional = |r: &RuleLine| r.words.iter().any(|w| matches!(w.as_str(), "if" | "unless"));
    if page.rules.last().is_some_and(|last| !conditional(last)) {
        let text = "previous 'stats' action has no condition attached, further entries are NOOP.";
        cx.warn(line, text).layout = Layout::Tight;
    }
    page.rules.push(RuleLine { pos: line.pos, words: line.owned_from(0) });
}

/// Checks the page of a proxy, and turns its users into a list and a rule that asks for them.
pub(crate) fn finish(config: &mut Config, p: &mut Proxy, index: usize, diags: &mut Diags) {
    let Some(page) = &mut p.stats else { return };
    let mut plain = |severity, pos, text: String| {
        diags.push(severity, Some(pos), text).layout = Layout::Plain;
    };
    if !page.rules.is_empty() && (!page.users.is_empty() || page.realm.is_some()) {
        let text = format!(
            "proxy '{}': stats 'auth'/'realm' and 'http-request' can't be used at the same time.",
            p.name
        );
        return plain(Severity::Alert, page.pos, text);
    }
    if let Some((pos, None)) = page.show_desc
        && config.global.description.is_none()
    {
        page.show_desc = None;
        let text = "'show-desc' requires a parameter or 'desc' to be set in the global section.";
        diags.warning(pos, text).layout = Layout::Tight;
    }
    let realm = page.realm.take();
    for rule in &mut page.rules {
        default_realm(rule);
    }
    let users = std::mem::take(&mut page.users);
    if users.is_empty() {
        return;
    }
    let list: Arc<str> = format!(".internal-stats-userlist-{index}").into();
    let line = |words: &[&str]| words.iter().map(|w| Word::synthetic(w)).collect::<Vec<_>>();
    let mut rule = line(&["auth", "realm", StatsPage::REALM, "unless", "{"]);
    if let Some(realm) = realm {
        rule[2] = realm;
    }
    rule.extend(line(&[&format!("http_auth({list})"), "}"]));
    page.rules.push(RuleLine { pos: page.pos, words: rule.into() });
    let user = |(name, password): (Word, Word)| RuleLine {
        pos: page.pos,
        words: vec![Word::synthetic("user"), name, Word::synthetic("insecure-password"), password].into(),
    };
    let lines = users.into_iter().map(user).collect();
    config.userlists.push(Userlist { name: list, pos: page.pos, lines });
}

/// The realm of the page is that of every rule that names none.
fn default_realm(rule: &mut RuleLine) {
    let is = |i: usize, word: &str| rule.words.get(i).is_some_and(|w| w.as_str() == word);
    if is(0, "auth") && !is(1, "realm") {
        let mut words = rule.words.to_vec();
        words.splice(1..1, ["realm", StatsPage::REALM].map(Word::synthetic));
        rule.words = words.into();
    }
}

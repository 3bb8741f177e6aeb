//! `stick` rules and the tables that they and others use.

use hawser_cfg::diag::{Diags, Layout, Severity};
use hawser_cfg::model::{self, Config, RuleLine};
use hawser_sample::{Checkpoint, CompileCx, Cond, Expr, stick};
use hawser_stick::Table;
use std::sync::Arc;

/// The `stick` rules of a backend.
#[derive(Debug, Default)]
pub struct StickRules {
    /// Those that see requests.
    pub request: Vec<StickRule>,
    /// `store-response`.
    pub response: Vec<StickRule>,
}

/// A `stick` rule.
#[derive(Debug)]
pub struct StickRule {
    /// Where an entry is found, its server is used.
    pub matches: bool,
    /// The key is stored with the server that was used.
    pub stores: bool,
    /// The key.
    pub key: Expr,
    /// Index of the table.
    pub table: usize,
    /// Its condition.
    pub cond: Option<Cond>,
}

/// Checks `write-to`, which only peers make use of.
pub(super) fn check(cfg: &Config, diags: &mut Diags) {
    for table in &cfg.stick_tables {
        let Some(name) = &table.write_to else { continue };
        let target = cfg.find_stick_table(name).and_then(|i| cfg.stick_tables.get(i));
        let why = match target {
            None => format!("table '{name}' doesn't exist"),
            Some(t) if t.write_to.is_some() => {
                format!("table '{}' is already used as a source table", t.name)
            }
            Some(t) if t.key.word() != table.key.word() => format!(
                "cannot mix table types ('{}' has '{}' type and '{}' has '{}' type)",
                t.name,
                t.key.word(),
                table.name,
                table.key.word()
            ),
            Some(t) if t.key.size() != table.key.size() => format!(
                "cannot mix key sizes ('{}' has '{}' key_size and '{}' has '{}' key_size)",
                t.name,
                t.key.size(),
                table.name,
                table.key.size()
            ),
            Some(_) => continue,
        };
        let text = format!("Proxy '{}': failed to initialize stick-table: write-to: {why}.", table.name);
        diags.push(Severity::Alert, Some(table.pos), text).layout = Layout::Plain;
    }
}

/// The tables of a configuration; those that `stick` rules use remember servers.
pub(super) fn tables(cfg: &Config, sticky: impl Iterator<Item = usize>) -> Vec<Arc<Table>> {
    let mut servers = vec![false; cfg.stick_tables.len()];
    for index in sticky {
        if let Some(slot) = servers.get_mut(index) {
            *slot = true;
        }
    }
    cfg.stick_tables.iter().zip(servers).map(|(t, servers)| Arc::new(Table::new(t, servers))).collect()
}

impl StickRules {
    /// Compiles the lines of a proxy, whose ACLs are in scope.
    pub(super) fn compile(cx: &mut CompileCx<'_>, px: &model::Proxy) -> Self {
        let mut rules = Self::default();
        if !px.kind.is_be() {
            return rules;
        }
        "stick".clone_into(&mut cx.what);
        for line in &px.stick_rules {
            cx.pos = line.pos;
            let response = line.words.first().is_some_and(|w| w.as_str() == "store-response");
            cx.at = Some(if response { Checkpoint::BeStickStore } else { Checkpoint::BeServerChoice });
            let list = if response { &mut rules.response } else { &mut rules.request };
            list.extend(rule(cx, px, line, response));
        }
        rules
    }

    /// The tables that they use.
    pub(super) fn tables(&self) -> impl Iterator<Item = usize> {
        self.request.iter().chain(&self.response).map(|r| r.table)
    }
}

fn rule(cx: &mut CompileCx<'_>, px: &model::Proxy, line: &RuleLine, response: bool) -> Option<StickRule> {
    let kind = line.words.first().map_or("", |w| w.as_str());
    let mut at = 1;
    let key = match Expr::parse(cx, &line.words, &mut at) {
        Ok(key) => key,
        Err(e) => {
            let text = format!("'stick': {e}");
            cx.diags.alert(line.pos, text).suggestion = e.suggestion;
            return None;
        }
    };
    if cx.at.is_some_and(|c| !key.needs().validity().at(c)) {
        let when = if response { "for 'store-response'" } else { "during request" };
        let text = format!(
            "'stick': fetch method '{}' extracts information from '{}', none of which is available {when}.",
            key.fetch_name(),
            key.needs().describe()
        );
        cx.diags.alert(line.pos, text);
        return None;
    }
    let word = |at: usize| line.words.get(at).map_or("", |w| w.as_str());
    let mut name = &*px.name;
    if word(at) == "table" {
        name = word(at + 1);
        at += 2;
    }
    let cond = match word(at) {
        "" => None,
        "if" | "unless" => match Cond::parse(cx, &line.words[at..]) {
            Ok(c) => Some(c),
            Err(e) => {
                let text = format!("'stick': error detected while parsing sticking condition : {e}.");
                cx.diags.alert(line.pos, text).suggestion = e.suggestion;
                return None;
            }
        },
        other => {
            cx.diags.alert_at(line.pos, &line.words[at], format!("'stick': unknown keyword '{other}'."));
            return None;
        }
    };
    let table = table(cx.config, cx.diags, px, line, (name, &key))?;
    Some(StickRule { matches: matches!(kind, "on" | "match"), stores: kind != "match", key, table, cond })
}

/// The table of that name; what is wrong with it HAProxy finds out after parsing.
fn table(
    cfg: &Config,
    diags: &mut Diags,
    px: &model::Proxy,
    line: &RuleLine,
    (name, key): (&str, &Expr),
) -> Option<usize> {
    let found = cfg.find_stick_table(name);
    let why = match found.and_then(|i| cfg.stick_tables.get(i)) {
        None => format!("unable to find stick-table '{name}'"),
        Some(t) if !key.out().casts_to(stick::key_type(t.key)) => {
            format!("type of fetch not usable with type of stick-table '{name}'")
        }
        Some(_) => return found,
    };
    let text = format!("Proxy '{}': {why}.", px.name);
    diags.push(Severity::Alert, Some(line.pos), text).layout = Layout::Plain;
    None
}

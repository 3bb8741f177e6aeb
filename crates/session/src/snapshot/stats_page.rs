//! The statistics page of a proxy.

use hawser_cfg::model::{self, ProxyKind};
use hawser_rules::{RuleCx, RuleList, RuleSet};
use hawser_sample::{Checkpoint, Cond};
use hawser_stats::page::{Settings, Source};
use std::sync::Arc;

/// A statistics page.
pub struct StatsPage {
    /// What the URI of a request for it starts with.
    pub uri: Box<[u8]>,
    /// Who may see it.
    pub rules: RuleList,
    /// Who may change what it shows: one of these has to hold.
    pub admin: Vec<Cond>,
    /// How it looks.
    pub settings: Arc<Settings>,
    /// What it shows.
    pub source: Option<Arc<dyn Source>>,
}

impl StatsPage {
    /// Compiles the page of the context's proxy.
    pub(super) fn compile(
        cx: &mut RuleCx<'_, '_>,
        page: &model::StatsPage,
        source: Option<&Arc<dyn Source>>,
    ) -> Box<Self> {
        let own = |scope: &str| if scope == "." { cx.proxy.name.to_string() } else { scope.to_owned() };
        let settings = Settings {
            uri: page.uri.as_str().to_owned(),
            refresh: page.refresh,
            scopes: page.scopes.iter().map(|s| own(s)).collect(),
            version: page.show_version,
            legends: page.show_legends,
            modules: page.show_modules,
            node: page.show_node.clone(),
            description: page.show_desc.as_ref().map(|(_, text)| text.clone()),
        };
        Box::new(Self {
            uri: page.uri.octets().into(),
            rules: RuleList::compile(cx, RuleSet::HttpReq, &page.rules),
            admin: admin(cx, page),
            settings: Arc::new(settings),
            source: source.cloned(),
        })
    }
}

/// `stats admin` lines: nothing but a condition.
fn admin(rules: &mut RuleCx<'_, '_>, page: &model::StatsPage) -> Vec<Cond> {
    let backend = rules.proxy.kind != ProxyKind::Frontend;
    let cx = &mut *rules.cx;
    cx.at = Some(if backend { Checkpoint::BeHttpReqHdr } else { Checkpoint::FeHttpReqHdr });
    "stats admin".clone_into(&mut cx.what);
    let mut out = Vec::new();
    for line in &page.admin {
        cx.pos = line.pos;
        match Cond::parse(cx, &line.words) {
            Ok(c) => out.push(c),
            Err(e) => {
                let text = format!("error detected while parsing a 'stats admin' rule : {e}.");
                cx.diags.alert(line.pos, text).suggestion = e.suggestion;
            }
        }
    }
    out
}

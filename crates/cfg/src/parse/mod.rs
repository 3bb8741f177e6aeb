//! Parses a configuration: every line goes to the keyword rows of its section; what the rows set makes a
//! [`Config`]; everything that is wrong makes a [`Diags`], in one pass.

pub(crate) mod ctx;
mod defaults;
mod dump;
mod inherit;
pub(crate) mod kw;
pub(crate) mod line;
pub(crate) mod options;
pub(crate) mod run;
mod section;
mod validate;

use crate::cond::CondCx;
use crate::diag::Diags;
use crate::env::Env;
use crate::load::{self, Files, Source};
use crate::model::{Addr, Config};

pub use dump::dump;

/// A parsed configuration.
#[derive(Debug)]
pub struct Parsed {
    /// What it says, as far as it makes sense.
    pub config: Config,
    /// What is wrong with it.
    pub diags: Diags,
    /// Its files, to show lines of them.
    pub files: Files,
}

/// Parses all sources in order. Changes of the environment by the configuration stay in `env`.
///
/// Names of backends, sections and trackers are resolved; rules, expressions and formats stay words for the
/// crates that own them. Never fails: a configuration with alerts must not be run.
pub fn parse(sources: &[Source], cond: &CondCx<'_>, env: &mut Env) -> Parsed {
    let mut diags = Diags::default();
    let mut parser = section::Parser::default();
    let files = load::load(sources, cond, env, &mut diags, &mut parser);
    let mut config = parser.finish(&mut diags);
    config.files = files.list.iter().map(|f| f.name.clone()).collect();
    let sockets = config.global.stats_sockets.iter().flat_map(|s| &s.bind.addrs);
    let sockets: Vec<String> = sockets.map(Addr::full_name).collect();
    if !sockets.is_empty() {
        env.set("HAPROXY_CLI", &sockets.join(";"));
    }
    config.env = env.clone();
    validate::config(&mut config, &mut diags);
    Parsed { config, diags, files }
}

#[cfg(test)]
mod tests;

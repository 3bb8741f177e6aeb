//! One index per family of keywords, built from the tables of all sections.

use super::proxy::option::Opt;
use super::proxy::timeout::Timeout;
use super::{SECTIONS, Section, global, http_errors, later, log_forward, proxy, userlist};
use crate::keyword::{DuplicateKeyword, Index};
use crate::model::{Global, HttpErrors, LogForward, Proxy, ServerOpts, Userlist};
use crate::parse::kw::Kw;
use std::sync::LazyLock;

/// All indexes.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) sections: Index<Section>,
    pub(crate) global: Index<Kw<Global>>,
    pub(crate) stats: Index<Kw<Global>>,
    pub(crate) proxy: Index<Kw<Proxy>>,
    pub(crate) stats_page: Index<Kw<Proxy>>,
    pub(crate) option: Index<Opt>,
    pub(crate) timeout: Index<Timeout>,
    pub(crate) bind: Index<Kw<proxy::bind::Target>>,
    pub(crate) server: Index<Kw<ServerOpts>>,
    pub(crate) http_errors: Index<Kw<HttpErrors>>,
    pub(crate) userlist: Index<Kw<Userlist>>,
    pub(crate) log_forward: Index<Kw<LogForward>>,
    pub(crate) log_forward_option: Index<Kw<LogForward>>,
    pub(crate) log_forward_timeout: Index<Kw<LogForward>>,
    pub(crate) later: Vec<(&'static str, Index<Kw<()>>)>,
}

impl Registry {
    fn new() -> Self {
        Self {
            sections: Index::new(&[&SECTIONS]),
            global: Index::new(global::TABLES),
            stats: Index::new(&[&global::STATS]),
            proxy: Index::new(proxy::TABLES),
            stats_page: Index::new(&[&proxy::STATS]),
            option: Index::new(&[&proxy::OPTIONS]),
            timeout: Index::new(&[&proxy::TIMEOUTS]),
            bind: Index::new(proxy::BIND),
            server: Index::new(proxy::SERVER),
            http_errors: Index::new(&[&http_errors::KEYWORDS]),
            userlist: Index::new(&[&userlist::KEYWORDS]),
            log_forward: Index::new(&[&log_forward::KEYWORDS]),
            log_forward_option: Index::new(&[&log_forward::OPTIONS]),
            log_forward_timeout: Index::new(&[&log_forward::TIMEOUTS]),
            later: later::LATER.iter().map(|s| (s.name, Index::new(&[s.keywords]))).collect(),
        }
    }

    /// Whether no keyword has two rows; a test asks.
    #[cfg_attr(not(test), expect(dead_code, reason = "an invariant of static tables, checked by a test"))]
    pub(crate) fn check(&self) -> Result<(), DuplicateKeyword> {
        self.sections.check()?;
        self.global.check()?;
        self.stats.check()?;
        self.proxy.check()?;
        self.stats_page.check()?;
        self.option.check()?;
        self.timeout.check()?;
        self.bind.check()?;
        self.server.check()?;
        self.http_errors.check()?;
        self.userlist.check()?;
        self.log_forward.check()?;
        self.log_forward_option.check()?;
        self.log_forward_timeout.check()?;
        self.later.iter().try_for_each(|(_, index)| index.check())
    }
}

/// The indexes; building them takes some ten microseconds, once.
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);
    &REGISTRY
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_keyword_has_one_row() {
        assert_eq!(super::registry().check(), Ok(()));
    }
}

//! Names of backends, and what leads to them. That the names exist was checked when the configuration was read.

use hawser_cfg::model::Config;
use hawser_cfg::pos::Word;

/// Looks backends up.
pub(crate) struct Names<'a> {
    cfg: &'a Config,
    fullconn: Vec<u32>,
}

impl<'a> Names<'a> {
    /// Of a configuration.
    pub(crate) fn new(cfg: &'a Config, maxconn: u32) -> Self {
        let fullconn = fullconns(cfg, maxconn);
        Self { cfg, fullconn }
    }

    /// `fullconn` of a backend that sets none: a tenth of the connections that its frontends accept.
    pub(crate) fn fullconn(&self, index: usize) -> u32 {
        self.fullconn.get(index).copied().unwrap_or(1)
    }

    /// Index of a backend.
    pub(crate) fn backend(&self, name: &str) -> Option<usize> {
        let index = *self.cfg.proxy_names.get(name)?;
        self.cfg.proxies.get(index)?.kind.is_be().then_some(index)
    }
}

/// `maxconn` is the limit of the process: that of frontends without their own.
fn fullconns(cfg: &Config, maxconn: u32) -> Vec<u32> {
    let mut sums = vec![0u32; cfg.proxies.len()];
    for (i, p) in cfg.proxies.iter().enumerate().filter(|(_, p)| p.kind.is_fe()) {
        let named = p.use_backend.iter().filter_map(|l| l.words.first()).map(Word::as_str);
        let default_be = p.default_backend.as_ref().map(|(_, w)| w.as_str());
        let targets = named.chain(default_be).filter_map(|n| cfg.proxy_names.get(n).copied());
        let mut targets: Vec<usize> = targets.collect();
        if p.kind.is_be() {
            targets.push(i);
        }
        targets.sort_unstable();
        targets.dedup();
        for t in targets {
            sums[t] = sums[t].saturating_add(p.maxconn.unwrap_or(maxconn));
        }
    }
    sums.into_iter().map(|s| s.div_ceil(10).max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_cfg::model::{Proxy, ProxyKind};

    #[test]
    fn fullconn_is_a_tenth_of_what_leads_to_a_backend() {
        let px = |name: &str, kind, maxconn| Proxy { name: name.into(), kind, maxconn, ..Proxy::default() };
        let mut cfg = Config::default();
        let to = |p: Proxy, be: &str| Proxy {
            default_backend: Some((Default::default(), Word::synthetic(be))),
            ..p
        };
        cfg.proxies = vec![
            to(px("f1", ProxyKind::Frontend, Some(100)), "b"),
            to(px("f2", ProxyKind::Frontend, Some(205)), "b"),
            px("b", ProxyKind::Backend, None),
            px("l", ProxyKind::Listen, Some(7)),
        ];
        cfg.proxy_names = cfg.proxies.iter().enumerate().map(|(i, p)| (p.name.clone(), i)).collect();
        let names = Names::new(&cfg, 2000);
        assert_eq!((names.fullconn(2), names.fullconn(3), names.fullconn(0)), (31, 1, 1));
        assert_eq!((names.backend("b"), names.backend("f1"), names.backend("x")), (Some(2), None, None));
    }
}

//! `use-service`: an answer from inside the process.

use super::{Action, Step};
use crate::args::Args;
use crate::compile::RuleCx;
use crate::service::Service;
use crate::txn::{Txn, Verdict};
use hawser_sample::Error;
use std::sync::Arc;

#[derive(Debug)]
struct UseService(Arc<dyn Service>);

impl Action for UseService {
    fn run(&self, _: &mut Txn<'_>) -> Step {
        Step::End(Verdict::Service(Arc::clone(&self.0)))
    }
}

/// `use-service <name>`.
pub(super) fn use_service(cx: &mut RuleCx<'_, '_>, args: &mut Args<'_>) -> Result<Box<dyn Action>, Error> {
    let Some(name) = args.advance() else {
        return Err(Error::new("'use-service' expects a service name."));
    };
    let Some(service) = cx.services.iter().find(|s| s.name() == name) else {
        return Err(Error::new(format!("'{name}' unknown service name.")));
    };
    if !cx.set.is_http() {
        return Err(Error::new(format!("service '{name}' is only available on 'http-request' rule sets")));
    }
    Ok(Box::new(UseService(Arc::clone(service))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProxyRules;
    use crate::service::Served;
    use crate::testing::config;
    use crate::txn::RuleSet;
    use hawser_cfg::diag::Diags;
    use hawser_cfg::model::ProxyKind;
    use hawser_http::Head;
    use hawser_sample::CompileCx;

    #[derive(Debug)]
    struct Echo;

    impl Service for Echo {
        fn name(&self) -> &'static str {
            "echo"
        }

        fn log_name(&self) -> &'static str {
            "<ECHO>"
        }

        fn answer(&self, _: &Head) -> Result<Served, u16> {
            Err(404)
        }
    }

    /// Rules that were compiled, and messages.
    fn compile(line: &str) -> (usize, String) {
        let config = config(ProxyKind::Frontend, &[line]);
        let mut diags = Diags::default();
        let mut cx = CompileCx::new(&config, &mut diags);
        let services: [Arc<dyn Service>; 1] = [Arc::new(Echo)];
        let mut rules = RuleCx::new(&mut cx, 0);
        rules.services = &services;
        let rules = ProxyRules::compile(&mut rules);
        let count = [RuleSet::HttpReq, RuleSet::TcpReqCont].map(|set| rules.get(set).len()).iter().sum();
        (count, diags.list.iter().map(|d| d.text.clone()).collect())
    }

    #[test]
    fn services_are_found_by_name() {
        assert_eq!(compile("http-request use-service echo"), (1, String::new()));
        assert_eq!(compile("http-request use-service echo if TRUE"), (1, String::new()));
        for (line, what) in [
            ("http-request use-service", "'use-service' expects a service name"),
            ("http-request use-service ech", "'ech' unknown service name"),
            ("http-request use-service if TRUE", "'if' unknown service name"),
            ("http-request use-service echo twice", "expects either 'if' or 'unless'"),
            ("tcp-request content use-service echo", "only available on 'http-request'"),
        ] {
            let (count, text) = compile(line);
            assert_eq!(count, 0, "{line}");
            assert!(text.contains(what), "{line}: {text}");
        }
    }
}

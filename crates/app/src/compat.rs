//! `docs/compatibility.md`: every keyword of every family, from the tables that parse them.

use crate::dump;
use hawser_cfg::compat::{CompatRow, markdown, rows};
use hawser_cfg::keyword::{Meta, Status};
use hawser_cli::Status as CommandStatus;
use hawser_sample::registry::Registry as Samples;

/// The document.
pub fn compatibility() -> String {
    let samples = Samples::builtin();
    let actions = hawser_rules::action::table::rows(true).map(|a| CompatRow::new(a.rule_set, a.meta));
    let fetches = samples.all_fetches().into_iter().map(|f| CompatRow::new("sample fetch", &f.meta));
    let converters = samples.all_converters().into_iter().map(|c| CompatRow::new("converter", &c.meta));
    let acls = samples.all_acls().into_iter().map(|a| {
        let fetch = samples.all_fetches().into_iter().find(|f| f.meta.name == a.fetch);
        let status = fetch.map_or(Status::NotYet("rules"), |f| f.meta.status);
        CompatRow::new("ACL", &Meta::new(a.name, "A fetch with a matching method.").status(status))
    });
    let filters = dump::FILTERS.iter().map(|(meta, _)| CompatRow::new("filter", meta));
    let services = dump::SERVICES.iter().map(|meta| CompatRow::new("service", meta));
    let registry = crate::commands::registry();
    let commands = registry.rows().iter().map(|c| {
        let status = match c.status {
            CommandStatus::Implemented => Status::Implemented,
            CommandStatus::NotYet => Status::NotYet("runtime API"),
            CommandStatus::Master if crate::master::implements(c.words) => Status::Implemented,
            CommandStatus::Master => Status::NotYet("master process"),
        };
        CompatRow::new("runtime API", &Meta::new(c.words, c.help).status(status))
    });
    let rows = rows().into_iter().chain(actions).chain(fetches).chain(converters).chain(acls);
    markdown(rows.chain(filters).chain(services).chain(commands))
}

//! What statistics pages show.

use crate::commands::Statistics;
use crate::running::Running;
use hawser_cli::info::Sheet;
use hawser_stats::page::{Ask, Place, Section, Source};
use std::sync::Arc;

/// The process and its proxies, once they run.
#[derive(Debug)]
pub(crate) struct Pages(pub(crate) Arc<Running>);

impl Source for Pages {
    fn sheet(&self) -> Option<Sheet> {
        hawser_cli::commands::sheet(&*self.0.state()?)
    }

    fn sections(&self, from: Place, most: usize, ask: &Ask<'_>) -> Option<(Place, Vec<Section>)> {
        let state = self.0.state()?;
        let engine = state.get::<Statistics>()?.0.clone();
        engine.sections(from, most, ask)
    }
}

//! From a frontend to a backend: `use_backend`, `default_backend`.

use crate::client::Client;
use crate::snapshot::Proxy;
use crate::stop::Stop;
use crate::stream::{Stream, with_ctx};
use hawser_balance::time;
use hawser_sample::facts::{TermCause, TermState};
use std::sync::Arc;

/// The backend for a stream, if there is one.
pub(crate) fn pick(cl: &Client, st: &Stream) -> Option<Arc<Proxy>> {
    let front = cl.fe.front.as_ref()?;
    let open = |index: usize| cl.snapshot.proxy(index).filter(|p| takes_traffic(p)).cloned();
    let mut target = None;
    if !front.targets.is_empty() {
        target = with_ctx(cl, st, false, |ctx| {
            front.switching.choices(ctx).find_map(|choice| {
                let fixed = front.targets.get(choice.rule).copied().flatten();
                match fixed.or_else(|| cl.snapshot.find_backend(&choice.name)) {
                    // A name that leads nowhere ends the search, a backend that takes nothing does not.
                    None => Some(None),
                    Some(index) => open(index).map(Some),
                }
            })
        });
    }
    target.flatten().or_else(|| open(front.default_backend?))
}

/// Neither disabled nor taken out by `unpublish backend`.
fn takes_traffic(px: &Proxy) -> bool {
    !px.disabled && px.back.as_ref().is_some_and(|b| b.backend.is_published())
}

/// Counts the stream among a backend's.
pub(crate) fn enter(cl: &Client, st: &mut Stream, be: Option<Arc<Proxy>>) -> Result<(), Stop> {
    let Some(be) = be else {
        return Err(Stop::error(503, TermCause::Server, TermState::Connect));
    };
    if let Some(back) = &be.back {
        st.guard = Some(back.backend.begin(cl.worker.number(), time::ms(cl.now())));
    }
    st.strm.backend = Some(be.facts.clone());
    st.be = Some(be);
    Ok(())
}

//! Persistence: the server that a stream has to go to, whatever the load says.

use crate::client::Client;
use crate::http::cookie;
use crate::snapshot::{Back, Proxy};
use crate::stream::{Stream, with_ctx};
use hawser_balance::Forced;
use hawser_cfg::model::opt;

/// What persistence says of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Persist {
    /// The server that a rule or a cookie designates.
    pub(crate) server: Option<u32>,
    /// It is to be used even when it is down (`force-persist`, `option persist`).
    pub(crate) even_down: bool,
    /// Cookies do not count (`ignore-persist`).
    pub(crate) ignored: bool,
    /// What the request's cookie says besides.
    pub(crate) seen: cookie::Seen,
}

impl Persist {
    /// The designated server, as balancing is told of it.
    pub(crate) fn forced(&self) -> Option<Forced> {
        self.server.map(|server| Forced { server, even_down: self.even_down })
    }
}

/// `force-persist`, `ignore-persist` and `use-server`, once the backend is known.
pub(crate) fn designate(cl: &Client, st: &mut Stream) {
    let Some(be) = cl.backend(st) else { return };
    let Some(back) = &be.back else { return };
    st.persist.even_down = be.options.has(opt::PERSIST);
    if !back.persist.is_empty() {
        let rule = with_ctx(cl, st, false, |ctx| back.persist.iter().find(|(_, c)| c.eval(ctx)).map(|r| r.0));
        match rule {
            Some(true) => st.persist.even_down = true,
            Some(false) => st.persist.ignored = true,
            None => {}
        }
    }
    if !back.use_targets.is_empty() {
        st.persist.server = use_server(cl, st, back);
    }
}

/// The server that a `use-server` line designates.
fn use_server(cl: &Client, st: &Stream, back: &Back) -> Option<u32> {
    let even_down = st.persist.even_down;
    with_ctx(cl, st, false, |ctx| {
        back.use_server.choices(ctx).find_map(|c| {
            let fixed = back.use_targets.get(c.rule).copied().flatten();
            let server = fixed.or_else(|| back.backend.find(std::str::from_utf8(&c.name).ok()?))?;
            let usable = back.backend.servers.get(server as usize).is_some_and(|s| s.is_usable());
            (usable || even_down).then_some(server)
        })
    })
}

/// Whether `option prefer-last-server` is set.
pub(crate) fn prefers_last(be: &Proxy) -> bool {
    be.options.has(opt::PREFER_LAST_SERVER)
}

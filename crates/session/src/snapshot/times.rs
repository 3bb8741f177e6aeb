//! Timeouts with HAProxy's fallbacks applied.

use hawser_cfg::model::Timeouts;
use std::time::Duration;

/// Timeouts of a proxy; `None` waits forever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "each field is the timeout of that name in the manual")]
pub struct Times {
    pub client: Option<Duration>,
    pub client_fin: Option<Duration>,
    pub connect: Option<Duration>,
    pub http_keep_alive: Option<Duration>,
    pub http_request: Option<Duration>,
    pub queue: Option<Duration>,
    pub server: Option<Duration>,
    pub server_fin: Option<Duration>,
    pub tarpit: Option<Duration>,
    pub tunnel: Option<Duration>,
}

/// A configured time; 0 is unlimited.
pub(crate) fn time(ms: Option<u32>) -> Option<Duration> {
    ms.filter(|t| *t != 0).map(|t| Duration::from_millis(t.into()))
}

impl Times {
    /// What the manual says of each timeout that is not set: `queue` and `tarpit` take `connect`'s value,
    /// `http-request` takes `client`'s, `http-keep-alive` takes `http-request`'s.
    pub(crate) fn of(t: &Timeouts) -> Self {
        let http_request = t.http_request.or(t.client);
        Self {
            client: time(t.client),
            client_fin: time(t.client_fin),
            connect: time(t.connect),
            http_keep_alive: time(t.http_keep_alive.or(http_request)),
            http_request: time(http_request),
            queue: time(t.queue.or(t.connect)),
            server: time(t.server),
            server_fin: time(t.server_fin),
            tarpit: time(t.tarpit.or(t.connect)),
            tunnel: time(t.tunnel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallbacks() {
        let s = |n| Some(Duration::from_secs(n));
        let t = Timeouts { client: Some(1000), connect: Some(2000), ..Timeouts::default() };
        let times = Times::of(&t);
        assert_eq!((times.http_request, times.http_keep_alive), (s(1), s(1)));
        assert_eq!((times.queue, times.tarpit, times.server), (s(2), s(2), None));
        let t = Timeouts { http_request: Some(3000), queue: Some(0), connect: Some(5), ..t };
        let times = Times::of(&t);
        assert_eq!((times.http_request, times.http_keep_alive, times.queue), (s(3), s(3), None));
    }
}

//! When and where to try again after a failure (manual 4.2 `retries`, `option redispatch`, `retry-on`).

use crate::backend::Backend;
use crate::time::Ms;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Mode, Proxy};

/// Pause before the same server is tried again, ms, unless `timeout connect` is shorter.
const TURN_AROUND: Ms = 1000;

/// Statuses that `retry-on` accepts.
const STATUSES: [u16; 12] = [401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503, 504];

/// What went wrong with an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The connection was refused, reset or impossible before the request was sent.
    Connect,
    /// `timeout connect` struck.
    ConnectTimeout,
    /// The server closed without a byte of a response.
    EmptyResponse,
    /// The response is not HTTP, or only a part of a head.
    JunkResponse,
    /// `timeout server` struck before a response head.
    ResponseTimeout,
    /// Early data was rejected.
    EarlyData,
    /// A response status.
    Status(u16),
}

/// What to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Try the same server again, after a pause (ms). The slot is kept.
    SameServer(Ms),
    /// Give the slot back and choose again, avoiding the server and ignoring persistence, after a pause (ms).
    /// It counts as a redispatch if another server comes out, as a retry otherwise.
    Redispatch(Ms),
    /// No attempt is left, or this failure is not to be retried.
    GiveUp,
}

/// Circumstances of the failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Circumstances {
    /// Attempts that were already repeated (`%rc`).
    pub retries: u32,
    /// `http-request set-retries` changed the limit.
    pub limit: Option<u32>,
    /// A cookie or `use-server` designated the server.
    pub persistent: bool,
    /// `force-persist`: never leave the server.
    pub forced: bool,
    /// The algorithm may choose any server at any time: [`Backend::is_indifferent`].
    pub indifferent: bool,
    /// Active servers: [`Backend::active_servers`].
    pub active: u32,
}

/// The retry settings of a backend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    retries: u32,
    /// 0 never, n on every n-th retry, -n on the n-th before the end.
    redispatch: i32,
    turn_around: Ms,
    kinds: Kinds,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Kinds {
    connect: bool,
    empty: bool,
    junk: bool,
    timeout: bool,
    early: bool,
    /// Bit i stands for `STATUSES[i]`.
    statuses: u16,
}

impl RetryPolicy {
    /// The settings of a section; wrong words of `retry-on` become alerts.
    pub fn compile(proxy: &Proxy, diags: &mut Diags) -> Self {
        let mut kinds = Kinds::default();
        if proxy.retry_on.is_empty() || proxy.mode != Mode::Http {
            kinds.connect = true;
        } else {
            for w in &proxy.retry_on {
                if !kinds.add(w) {
                    diags.alert(proxy.pos, format!("unknown keyword '{w}' in 'retry-on'"));
                }
            }
        }
        let connect = proxy.timeouts.connect.filter(|t| *t != 0).map_or(Ms::MAX, Ms::from);
        Self {
            retries: proxy.retries.unwrap_or(3),
            redispatch: proxy.redispatch,
            turn_around: TURN_AROUND.min(connect),
            kinds,
        }
    }

    /// Whether a request has to be kept in memory until the response comes: only then can it be sent again
    /// once some of it was sent.
    pub fn keeps_request(&self) -> bool {
        self.kinds != Kinds { connect: self.kinds.connect, ..Kinds::default() }
    }

    /// Whether every failure that an idle connection may cause is retried, so that even a first request may use one.
    pub fn repairs_reuse(&self) -> bool {
        self.kinds.connect && self.kinds.empty && self.kinds.timeout
    }

    /// Whether such a failure is retried at all.
    pub fn retries_on(&self, failure: Failure) -> bool {
        let k = &self.kinds;
        match failure {
            Failure::Connect | Failure::ConnectTimeout => k.connect,
            Failure::EmptyResponse => k.empty,
            Failure::JunkResponse => k.junk,
            Failure::ResponseTimeout => k.timeout,
            Failure::EarlyData => k.early,
            Failure::Status(code) => {
                STATUSES.iter().position(|s| *s == code).is_some_and(|i| k.statuses & (1 << i) != 0)
            }
        }
    }

    /// Most attempts that are repeated; `asked` is what a rule made of it (`set-retries`).
    pub fn limit(&self, asked: Option<u32>) -> u32 {
        asked.unwrap_or(self.retries)
    }

    /// Decides after a failed attempt.
    pub fn after_failure(&self, failure: Failure, c: &Circumstances) -> Decision {
        let limit = self.limit(c.limit);
        if c.retries >= limit || !self.retries_on(failure) {
            return Decision::GiveUp;
        }
        // Only a server that said no at once is given time to recover.
        let pause = if failure == Failure::Connect { self.turn_around } else { 0 };
        if !self.redispatches(c, limit) {
            Decision::SameServer(pause)
        } else if c.active > 1 {
            Decision::Redispatch(0)
        } else {
            Decision::Redispatch(pause)
        }
    }

    fn redispatches(&self, c: &Circumstances, limit: u32) -> bool {
        if self.redispatch == 0 || c.forced {
            return false;
        }
        let nth = i64::from(c.retries) + 1;
        let interval = i64::from(self.redispatch);
        let due = if interval > 0 { nth % interval == 0 } else { nth == i64::from(limit) + 1 + interval };
        // Nobody cares about this particular server: another one is as good, and at once.
        due || (!c.persistent && c.indifferent && c.active > 1)
    }
}

impl Kinds {
    fn add(&mut self, word: &str) -> bool {
        match word {
            "none" => {}
            "conn-failure" => self.connect = true,
            "empty-response" => self.empty = true,
            "junk-response" => self.junk = true,
            "response-timeout" => self.timeout = true,
            "0rtt-rejected" => self.early = true,
            "all-retryable-errors" => {
                let all =
                    ["conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected"];
                return all.iter().chain(&["500", "502", "503", "504"]).all(|w| self.add(w));
            }
            code => match STATUSES.iter().position(|s| code.parse() == Ok(*s)) {
                Some(i) => self.statuses |= 1 << i,
                None => return false,
            },
        }
        true
    }
}

impl Backend {
    /// The algorithm would not mind any other server: no hash decides.
    pub fn is_indifferent(&self) -> bool {
        !self.algo.bound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::words;
    use Decision::{GiveUp, Redispatch, SameServer};

    fn policy(retries: u32, redispatch: i32, connect: u32, on: &str) -> RetryPolicy {
        let mut p = crate::tests::proxy("", vec![]);
        (p.retries, p.redispatch) = (Some(retries), redispatch);
        p.timeouts.connect = Some(connect);
        p.retry_on = words(on);
        let mut diags = Diags::default();
        let policy = RetryPolicy::compile(&p, &mut diags);
        assert!(diags.list.is_empty(), "{:?}", diags.list);
        policy
    }

    /// Everything that happens to a request whose every attempt fails the same way.
    fn run(p: &RetryPolicy, failure: Failure, c: Circumstances) -> Vec<Decision> {
        let mut out = Vec::new();
        for retries in c.retries.. {
            out.push(p.after_failure(failure, &Circumstances { retries, ..c }));
            if out.last() == Some(&GiveUp) {
                break;
            }
        }
        out
    }

    const RR: Circumstances = Circumstances {
        retries: 0,
        limit: None,
        persistent: false,
        forced: false,
        indifferent: true,
        active: 2,
    };
    const ALONE: Circumstances = Circumstances { active: 1, ..RR };
    const HASH: Circumstances = Circumstances { indifferent: false, ..RR };
    const COOKIE: Circumstances = Circumstances { persistent: true, ..RR };
    const FORCED: Circumstances = Circumstances { forced: true, ..COOKIE };

    #[test]
    fn sequences() {
        let c = Failure::Connect;
        let t = Failure::ConnectTimeout;
        let (s, r, r0, s0, g) = (SameServer(1000), Redispatch(1000), Redispatch(0), SameServer(0), GiveUp);
        // (retries, redispatch, timeout connect, failure, circumstances, decisions)
        type Case<'a> = (u32, i32, u32, Failure, Circumstances, &'a [Decision]);
        let cases: &[Case<'_>] = &[
            (3, 0, 5000, c, ALONE, &[s, s, s, g]),
            (3, 0, 5000, c, RR, &[s, s, s, g]),
            (3, -1, 5000, c, ALONE, &[s, s, r, g]),
            (3, -1, 5000, c, RR, &[r0, r0, r0, g]),
            (1, -1, 5000, c, RR, &[r0, g]),
            (3, -1, 5000, c, HASH, &[s, s, r0, g]),
            (3, 1, 5000, c, HASH, &[r0, r0, r0, g]),
            (3, 2, 5000, c, HASH, &[s, r0, s, g]),
            (3, -2, 5000, c, HASH, &[s, r0, s, g]),
            (2, -1, 5000, c, COOKIE, &[s, r0, g]),
            (2, 1, 5000, c, COOKIE, &[r0, r0, g]),
            (2, 1, 5000, c, FORCED, &[s, s, g]),
            (0, -1, 5000, c, RR, &[g]),
            (3, 0, 300, c, RR, &[SameServer(300), SameServer(300), SameServer(300), g]),
            (1, 0, 0, c, RR, &[s, g]),
            (1, 0, 500, t, RR, &[s0, g]),
            (2, -1, 500, t, HASH, &[s0, r0, g]),
        ];
        for (retries, redispatch, connect, failure, circ, want) in cases {
            let p = policy(*retries, *redispatch, *connect, "");
            assert_eq!(run(&p, *failure, *circ), *want, "{retries} {redispatch} {failure:?} {circ:?}");
        }
    }

    #[test]
    fn a_rule_may_change_the_limit() {
        let p = policy(3, -1, 0, "");
        assert_eq!(run(&p, Failure::Connect, Circumstances { limit: Some(0), ..RR }), [GiveUp]);
        let hash = Circumstances { limit: Some(1), ..HASH };
        assert_eq!(run(&p, Failure::Connect, hash), [Redispatch(0), GiveUp]);
    }

    #[test]
    fn retry_on() {
        use Failure::*;
        let all = [Connect, ConnectTimeout, EmptyResponse, JunkResponse, ResponseTimeout, EarlyData];
        // (words, which of `all`, statuses, keeps the request)
        let cases: &[(&str, [bool; 6], &[u16], bool)] = &[
            ("", [true, true, false, false, false, false], &[], false),
            ("none", [false; 6], &[], false),
            ("conn-failure", [true, true, false, false, false, false], &[], false),
            ("empty-response 503 404", [false, false, true, false, false, false], &[404, 503], true),
            ("junk-response response-timeout", [false, false, false, true, true, false], &[], true),
            ("all-retryable-errors", [true; 6], &[500, 502, 503, 504], true),
        ];
        for (on, kinds, statuses, keeps) in cases {
            let p = policy(3, 0, 0, on);
            assert_eq!(all.map(|f| p.retries_on(f)), *kinds, "{on}");
            let found: Vec<u16> = (100..600).filter(|s| p.retries_on(Status(*s))).collect();
            assert_eq!(found, *statuses, "{on}");
            assert_eq!(p.keeps_request(), *keeps, "{on}");
        }
    }

    #[test]
    fn wrong_words_are_refused() {
        let mut p = crate::tests::proxy("", vec![]);
        p.retry_on = words("conn-failure 200");
        let mut diags = Diags::default();
        RetryPolicy::compile(&p, &mut diags);
        assert!(diags.has_alert());
        p.mode = Mode::Tcp;
        let tcp = RetryPolicy::compile(&p, &mut Diags::default());
        assert!(tcp.retries_on(Failure::Connect) && !tcp.keeps_request());
    }
}

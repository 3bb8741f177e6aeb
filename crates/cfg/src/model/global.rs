//! The `global` section (manual chapter 3).

use super::{Bind, HttpCodes, LogTarget};
use crate::pos::{Pos, Word};
use std::path::PathBuf;

/// `global` (manual chapter 3). Keywords that only tune HAProxy's internals are not kept.
#[derive(Default, Debug, Clone)]
pub struct Global {
    /// `pp2-never-send-local`.
    pub pp2_never_send_local: bool,
    /// `daemon`.
    pub daemon: bool,
    /// `master-worker`.
    pub master_worker: bool,
    /// `master-worker no-exit-on-failure`.
    pub no_exit_on_failure: bool,
    /// `quiet`.
    pub quiet: bool,
    /// `zero-warning`.
    pub zero_warning: bool,
    /// `nbthread`.
    pub nbthread: Option<u32>,
    /// `maxconn`.
    pub maxconn: Option<u32>,
    /// `ulimit-n`.
    pub ulimit_n: Option<u32>,
    /// `fd-hard-limit`.
    pub fd_hard_limit: Option<u32>,
    /// `maxconnrate` (connections per second).
    pub maxconnrate: Option<u32>,
    /// `maxsessrate` (sessions per second).
    pub maxsessrate: Option<u32>,
    /// `user`, resolved name kept for messages.
    pub user: Option<(Pos, Word)>,
    /// `group`.
    pub group: Option<(Pos, Word)>,
    /// `uid`.
    pub uid: Option<u32>,
    /// `gid`.
    pub gid: Option<u32>,
    /// `chroot`.
    pub chroot: Option<PathBuf>,
    /// `pidfile`.
    pub pidfile: Option<PathBuf>,
    /// `server-state-base`.
    pub server_state_base: Option<Word>,
    /// `server-state-file`.
    pub server_state_file: Option<Word>,
    /// `node`.
    pub node: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `localpeer`.
    pub localpeer: Option<String>,
    /// `hard-stop-after` (ms).
    pub hard_stop_after: Option<u32>,
    /// `grace` (ms).
    pub grace: Option<u32>,
    /// `close-spread-time` (ms); `u32::MAX` for `infinite`.
    pub close_spread_time: Option<u32>,
    /// `cpu-map` lines, as written.
    pub cpu_map: Vec<(Pos, Vec<Word>)>,
    /// `log` lines of the global section.
    pub logs: Vec<LogTarget>,
    /// `log-tag`.
    pub log_tag: Option<String>,
    /// `log-send-hostname`; an empty string stands for the machine's name.
    pub log_send_hostname: Option<String>,
    /// `stats socket` lines, as written after the two words.
    pub stats_sockets: Vec<StatsSocket>,
    /// `stats timeout` (ms).
    pub stats_timeout: Option<u32>,
    /// `stats maxconn`.
    pub stats_maxconn: Option<u32>,
    /// `tune.bufsize` (bytes); HAProxy's default is 16384.
    pub bufsize: Option<u32>,
    /// `tune.maxrewrite` (bytes); default 1024.
    pub maxrewrite: Option<u32>,
    /// `tune.http.maxhdr`; default 101.
    pub maxhdr: Option<u32>,
    /// `tune.http.logurilen`; default 1024.
    pub logurilen: Option<u32>,
    /// `tune.http.cookielen`; default 63.
    pub cookielen: Option<u32>,
    /// `tune.h1.fe.glitches-threshold` and `tune.h1.be.glitches-threshold`.
    pub h1_glitches: (Option<u32>, Option<u32>),
    /// `tune.h2.*`.
    pub h2: H2Global,
    /// `tune.maxaccept`.
    pub maxaccept: Option<i32>,
    /// `tune.rcvbuf.client` and friends (bytes).
    pub rcvbuf_client: Option<u32>,
    /// See above.
    pub sndbuf_client: Option<u32>,
    /// See above.
    pub rcvbuf_server: Option<u32>,
    /// See above.
    pub sndbuf_server: Option<u32>,
    /// `tune.stick-counters`, HAProxy's 3 by default.
    pub stick_counters: Option<u8>,
    /// `tune.idle-pool.shared` (default on).
    pub idle_pool_shared: Option<bool>,
    /// `tune.pool-low-fd-ratio` and `tune.pool-high-fd-ratio` (percent).
    pub pool_fd_ratios: (Option<u32>, Option<u32>),
    /// `spread-checks` (percent).
    pub spread_checks: Option<u32>,
    /// `max-spread-checks` (ms).
    pub max_spread_checks: Option<u32>,
    /// `expose-experimental-directives`.
    pub expose_experimental: bool,
    /// `expose-deprecated-directives`.
    pub expose_deprecated: bool,
    /// `h1-accept-payload-with-any-method`.
    pub h1_accept_payload_with_any_method: bool,
    /// `h1-do-not-close-on-insecure-transfer-encoding`.
    pub h1_do_not_close_on_insecure_te: bool,
    /// `set-var` and `set-var-fmt` lines: scope+name word, expression words, whether `-fmt`.
    pub set_vars: Vec<SetVar>,
    /// `h1-case-adjust` pairs: lower-case name, name as to be sent.
    pub h1_case_adjust: Vec<(String, String)>,
    /// `http-err-codes` and `http-fail-codes`.
    pub http_codes: HttpCodes,
    /// `unix-bind` prefix and permissions.
    pub unix_bind: UnixBind,
    /// `strict-limits`; on by default.
    pub strict_limits: Option<bool>,
    /// `set-dumpable`.
    pub set_dumpable: Option<bool>,
    /// `noreuseport`: listeners share one socket.
    pub noreuseport: bool,
    /// `nosplice`.
    pub nosplice: bool,
    /// `insecure-fork-wanted`.
    pub insecure_fork_wanted: bool,
    /// `maxpipes`.
    pub maxpipes: Option<u32>,
    /// `thread-hard-limit`: most threads that are started when `nbthread` is not set.
    pub thread_hard_limit: Option<u32>,
    /// `tune.pipesize` (bytes).
    pub pipesize: Option<u32>,
    /// `mworker-max-reloads`.
    pub mworker_max_reloads: Option<u32>,
    /// `default-path` in force at the end.
    pub default_path: Option<Vec<Word>>,
}

/// `unix-bind` (manual 3.1).
#[derive(Default, Debug, Clone)]
pub struct UnixBind {
    /// Put before every absolute UNIX socket path.
    pub prefix: Option<String>,
    /// Octal mode.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
}

/// `set-var` in `global`.
#[derive(Debug, Clone)]
pub struct SetVar {
    /// Where.
    pub pos: Pos,
    /// `proc.name`.
    pub name: Word,
    /// The expression or format.
    pub args: Vec<Word>,
    /// `set-var-fmt`.
    pub fmt: bool,
}

/// `stats socket`.
#[derive(Debug, Clone)]
pub struct StatsSocket {
    /// The bind line behind it.
    pub bind: Bind,
    /// `level`: 0 user, 1 operator, 2 admin.
    pub level: u8,
    /// `expose-fd listeners`.
    pub expose_fd: bool,
    /// `severity-output`: none, number, string.
    pub severity_output: Option<String>,
}

/// `tune.h2.*` of both sides.
#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub struct H2Global {
    /// `tune.h2.fe.*`.
    pub fe: H2Side,
    /// `tune.h2.be.*`.
    pub be: H2Side,
    /// What both sides take where they say nothing themselves.
    pub common: H2Side,
    /// `tune.h2.header-table-size` (bytes).
    pub header_table_size: Option<u32>,
    /// `tune.h2.max-frame-size` (bytes).
    pub max_frame_size: Option<u32>,
    /// `tune.h2.fe.max-total-streams`.
    pub max_total_streams: Option<u32>,
    /// `h2-workaround-bogus-websocket-clients`.
    pub no_extended_connect: bool,
}

/// `tune.h2.*` of one side.
#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub struct H2Side {
    /// `glitches-threshold`.
    pub glitches_threshold: Option<u32>,
    /// `initial-window-size` (bytes).
    pub initial_window_size: Option<u32>,
    /// `max-concurrent-streams`, 0 for no limit.
    pub max_concurrent_streams: Option<u32>,
    /// `rxbuf` (bytes).
    pub rxbuf: Option<u32>,
}

//! Performance tuning, debugging and HTTP client keywords of `global` (manual 3.2 to 3.4).

use super::process::once;
use crate::diag::Layout;
use crate::keyword::{Row, Table};
use crate::model::Global;
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kind, Kw, MANY, check, flag, int, run, size, word};
use crate::parse::line::Line;

type G = Global;

const MAX: u32 = i32::MAX as u32;
const POLLER: &str = "the runtime chooses how it polls";
const INTERNAL: &str = "it tunes a mechanism of HAProxy that Hawser does without";
const BUFFERS: &str = "buffers are allocated when data arrives and bounded by the number of connections";
const COPY: &str = "how data is copied is the data path's own choice";
const NO_LUA: &str = "Lua cannot be loaded yet, so that this setting applies to nothing";
const NO_COMPRESSION: &str = "nothing can compress yet, so that this limit applies to nothing";
const NO_CLIENT: &str = "only Lua, OCSP updates and ACME use the HTTP client, and they are refused";
const VARS: &str =
    "the names are those of the configuration, and a variable holds no more than a buffer does";
const THREADS: &str = "every thread has its own listeners and connections, without groups of threads";

const fn idle(name: &'static str, kind: Kind, why: &'static str, help: &'static str) -> Row<Kw<G>> {
    check(name, kind, help).idle(why)
}

const N: Kind = Kind::Int(0, i64::MAX);
const P: Kind = Kind::Int(0, MAX as i64);
const E: Kind = Kind::Exact(0, i64::MAX);
const Z: Kind = Kind::Int(i64::MIN, i64::MAX);
const ON: Kind = Kind::OnOff;

/// Limits and buffers that act.
#[rustfmt::skip]
pub(crate) static LIMITS: Table<Kw<G>> = Table::new(&[
    run("maxconn", (1, 1), "an integer argument.", |cx, g, l| once(cx, l, &mut g.maxconn), "Most connections of the whole process."),
    int("maxconnrate", (0, MAX), |g| &mut g.maxconnrate, "Most connections accepted in a second."),
    int("maxsessrate", (0, MAX), |g| &mut g.maxsessrate, "Most sessions created in a second."),
    int("maxpipes", (0, MAX), |g| &mut g.maxpipes, "Most pipes for splicing."),
    run("spread-checks", (1, 1), "an integer argument (0..50).", spread_checks, "Spreads health checks in time, in percent of their interval."),
    run("max-spread-checks", (1, 1), "an integer argument (0..50).", max_spread, "Longest delay by which a check is spread."),
    flag("nosplice", |g| &mut g.nosplice, "Never uses splice()."),
    flag("noreuseport", |g| &mut g.noreuseport, "Listeners share one socket instead of having one per thread."),
    run("tune.bufsize", (1, 1), "an integer argument", bufsize, "Bytes of a request or response head that can be held."),
    run("tune.maxrewrite", (1, 1), "a size argument.", maxrewrite, "Bytes of a buffer that are reserved for rewriting."),
    int("tune.http.maxhdr", (1, 32767), |g| &mut g.maxhdr, "Most header fields of a message."),
    int("tune.http.logurilen", (0, MAX), |g: &mut Global| &mut g.logurilen, "Length from which request lines are cut in logs."),
    int("tune.http.cookielen", (0, MAX), |g: &mut Global| &mut g.cookielen, "Most bytes of a captured cookie.").idle("a captured cookie has the length that its line says"),
    run("tune.maxaccept", (1, 1), "an integer argument", maxaccept, "Most connections that are accepted in a row; -1 for no limit."),
    size("tune.rcvbuf.client", |g| &mut g.rcvbuf_client, "Kernel receive buffer of client connections."),
    size("tune.rcvbuf.server", |g| &mut g.rcvbuf_server, "Kernel receive buffer of server connections."),
    size("tune.sndbuf.client", |g| &mut g.sndbuf_client, "Kernel send buffer of client connections."),
    size("tune.sndbuf.server", |g| &mut g.sndbuf_server, "Kernel send buffer of server connections."),
    size("tune.pipesize", |g| &mut g.pipesize, "Size of the pipes for splicing."),
    run("tune.stick-counters", (1, 1), "an integer argument", stick_counters, "Stick counters of a session and of a stream."),
    run("tune.idle-pool.shared", (1, 1), "'full', 'on' or 'off'.", idle_pool, "Whether threads share idle server connections."),
    run("tune.pool-high-fd-ratio", (1, 1), "an integer argument between 0 and 100.", |cx, g, l| g.pool_fd_ratios.1 = cx.u32(l, 0, 0, 100), "Percent of descriptors from which idle connections are closed."),
    run("tune.pool-low-fd-ratio", (1, 1), "an integer argument between 0 and 100.", |cx, g, l| g.pool_fd_ratios.0 = cx.u32(l, 0, 0, 100), "Percent of descriptors up to which idle connections are kept."),
]);

/// Polling, threads, memory and HTTP/1 knobs without effect.
#[rustfmt::skip]
pub(crate) static INTERNALS: Table<Kw<G>> = Table::new(&[
    word("busy-polling", "Polls without sleeping.").negatable().idle("spinning threads only cost here"),
    word("noepoll", "Does not poll with epoll.").idle(POLLER),
    word("nopoll", "Does not poll with poll().").idle(POLLER),
    word("nokqueue", "Does not poll with kqueue.").idle(POLLER),
    word("noevports", "Does not poll with event ports.").idle(POLLER),
    word("nogetaddrinfo", "Does not resolve names with getaddrinfo().").idle("the system's resolver is used in any case"),
    word("no-memory-trimming", "Does not give free memory back to the system.").idle("the allocator gives it back in the background"),
    word("prealloc-fd", "Grows the table of descriptors at start.").idle("the kernel grows it when needed"),
    idle("maxcompcpuusage", Kind::Int(0, 100), NO_COMPRESSION, "Most CPU percent for compression."),
    idle("maxcomprate", N, NO_COMPRESSION, "Most kilobytes that are compressed in a second."),
    idle("maxzlibmem", N, NO_COMPRESSION, "Most megabytes for zlib."),
    idle("tune.comp.maxlevel", Kind::Int(1, 9), NO_COMPRESSION, "Highest compression level."),
    idle("tune.zlib.memlevel", Kind::Int(1, 9), NO_COMPRESSION, "Memory of zlib for a stream."),
    idle("tune.zlib.windowsize", Kind::Int(8, 15), NO_COMPRESSION, "Window of zlib."),
    idle("tune.applet.zero-copy-forwarding", ON, COPY, "Lets services send without a copy."),
    idle("tune.buffers.limit", P, BUFFERS, "Most buffers of the process."),
    idle("tune.buffers.reserve", P, BUFFERS, "Buffers kept for emergencies."),
    idle("tune.bufsize.large", Kind::Bytes(1, MAX), BUFFERS, "Size of large buffers."),
    idle("tune.bufsize.small", Kind::Bytes(1, MAX), BUFFERS, "Size of small buffers."),
    word("tune.chksize", "Size of the buffer for health checks.").removed("", "'tune.bufsize'"),
    idle("tune.cli.max-payload-size", Kind::Size, "the command line interface bounds payloads itself", "Largest payload of a command."),
    word("tune.defaults.purge", "Drops defaults sections after parsing.").words(0, 1).idle("they are dropped when nothing refers to them"),
    word("tune.disable-fast-forward", "Disables fast forwarding.").idle(COPY),
    word("tune.disable-zero-copy-forwarding", "Disables zero-copy forwarding.").idle(COPY),
    idle("tune.epoll.mask-events", Kind::SomeOf(&["err", "hup", "rdhup"]), POLLER, "Ignores some epoll events."),
    idle("tune.events.max-events-at-once", Kind::Int(1, 10000), INTERNAL, "Most events handled in a row."),
    word("tune.fail-alloc", "Lets allocations fail at random.").later("fault injection"),
    idle("tune.fd.edge-triggered", ON, POLLER, "Polls edge-triggered.").experimental(),
    idle("tune.glitches.kill.cpu-usage", Kind::Int(0, 100), "the thresholds hold whatever the load is", "CPU percent from which glitches kill a connection."),
    int("tune.h1.be.glitches-threshold", (0, MAX), |g: &mut Global| &mut g.h1_glitches.1, "Glitches of a server connection until it is closed.").idle("a response that breaks a rule ends its connection at once"),
    int("tune.h1.fe.glitches-threshold", (0, MAX), |g| &mut g.h1_glitches.0, "Glitches of a client connection until it is closed."),
    idle("tune.h1.zero-copy-fwd-recv", ON, COPY, "Receives HTTP/1 data without a copy."),
    idle("tune.h1.zero-copy-fwd-send", ON, COPY, "Sends HTTP/1 data without a copy."),
    idle("tune.pt.zero-copy-forwarding", ON, COPY, "Forwards TCP data without a copy."),
    idle("tune.idletimer", Kind::Within(0, 65535), INTERNAL, "Idle time after which a stream counts as idle."),
    idle("tune.listener.default-shards", Kind::OneOf(&["by-process", "by-group", "by-thread"]), THREADS, "Sockets of a bind line."),
    idle("tune.listener.multi-queue", Kind::OneOf(&["on", "fair", "off"]), THREADS, "How accepted connections are spread over threads."),
    idle("tune.max-checks-per-thread", Z, INTERNAL, "Most health checks that a thread runs at once."),
    idle("tune.max-rules-at-once", P, INTERNAL, "Most rules evaluated in a row."),
    idle("tune.maxpollevents", Kind::Int(-1, 1_000_000), POLLER, "Most events of one poll."),
    idle("tune.memory.hot-size", Kind::Int(1, i64::MAX), INTERNAL, "Bytes of free memory that a thread keeps."),
    idle("tune.notsent-lowat.client", Kind::Size, "sockets keep the system's mark", "Unsent bytes of a client socket from which it is not written to."),
    idle("tune.notsent-lowat.server", Kind::Size, "sockets keep the system's mark", "Unsent bytes of a server socket from which it is not written to."),
    idle("tune.pattern.cache-size", P, INTERNAL, "Entries of the cache of pattern look-ups."),
    idle("tune.peers.max-updates-at-once", Kind::Int(1, MAX as i64), "peers are refused, so that this setting applies to nothing", "Most updates sent to a peer in a row."),
    idle("tune.rcvbuf.backend", Kind::Bytes(1, MAX), "datagram sockets keep the system's size", "Kernel receive buffer of datagram sockets to servers."),
    idle("tune.rcvbuf.frontend", Kind::Bytes(1, MAX), "datagram sockets keep the system's size", "Kernel receive buffer of datagram sockets of listeners."),
    idle("tune.sndbuf.backend", Kind::Bytes(1, MAX), "datagram sockets keep the system's size", "Kernel send buffer of datagram sockets to servers."),
    idle("tune.sndbuf.frontend", Kind::Bytes(1, MAX), "datagram sockets keep the system's size", "Kernel send buffer of datagram sockets of listeners."),
    idle("tune.recv_enough", Kind::Bytes(0, MAX), INTERNAL, "Bytes after which a short read is trusted."),
    word("tune.renice.runtime", "Priority of the process at run time.").later("process priority"),
    word("tune.renice.startup", "Priority of the process while it starts.").later("process priority"),
    idle("tune.ring.queues", Kind::Int(0, 16), "rings are refused, so that this setting applies to nothing", "Queues in front of a ring."),
    idle("tune.runqueue-depth", Z, INTERNAL, "Most tasks that run in a row."),
    idle("tune.sched.low-latency", ON, INTERNAL, "Prefers latency to throughput."),
    run("tune.streams-elasticity", (1, 1), "an integer argument.", elasticity, "How streams of one connection share the process.").idle(INTERNAL),
    idle("tune.takeover-other-tg-connections", Kind::OneOf(&["none", "restricted", "full"]), THREADS, "Whether idle connections of other groups are taken."),
    idle("tune.vars.check-max-size", Kind::Plain, VARS, "Most bytes of variables of a check."),
    idle("tune.vars.global-max-size", Kind::Plain, VARS, "Most bytes of all variables."),
    idle("tune.vars.proc-max-size", Kind::Plain, VARS, "Most bytes of process variables."),
    idle("tune.vars.reqres-max-size", Kind::Plain, VARS, "Most bytes of request and response variables."),
    idle("tune.vars.sess-max-size", Kind::Plain, VARS, "Most bytes of session variables."),
    idle("tune.vars.txn-max-size", Kind::Plain, VARS, "Most bytes of transaction variables."),
]);

/// Lua, the HTTP client, and debugging aids.
#[rustfmt::skip]
pub(crate) static EXTRAS: Table<Kw<G>> = Table::new(&[
    word("lua-load", "Loads a Lua file.").later("Lua"),
    word("lua-load-per-thread", "Loads a Lua file once per thread.").later("Lua"),
    run("lua-prepend-path", (1, 2), "to receive a <path> as argument", lua_path, "Adds a path where Lua looks for modules.").idle(NO_LUA),
    idle("tune.lua.bool-sample-conversion", Kind::OneOf(&["normal", "pre-3.1-bug"]), NO_LUA, "How booleans reach Lua."),
    idle("tune.lua.burst-timeout", Kind::Time, NO_LUA, "Longest run of Lua without a break."),
    idle("tune.lua.forced-yield", E, NO_LUA, "Lua instructions between two breaks."),
    idle("tune.lua.log.loggers", ON, NO_LUA, "Whether Lua logs to the loggers."),
    idle("tune.lua.log.stderr", Kind::OneOf(&["on", "auto", "off"]), NO_LUA, "Whether Lua logs to stderr."),
    idle("tune.lua.maxmem", E, NO_LUA, "Most megabytes for Lua."),
    idle("tune.lua.openlibs", Kind::SomeOf(&["all", "none", "table", "io", "os", "string", "math", "utf8", "package", "debug"]), NO_LUA, "Libraries that Lua code may use."),
    idle("tune.lua.service-timeout", Kind::Time, NO_LUA, "Longest run of a Lua service."),
    idle("tune.lua.session-timeout", Kind::Time, NO_LUA, "Longest run of Lua in a session."),
    idle("tune.lua.task-timeout", Kind::Time, NO_LUA, "Longest run of a Lua task."),
    idle("httpclient.resolvers.disabled", ON, NO_CLIENT, "Whether the HTTP client resolves names."),
    idle("httpclient.resolvers.id", Kind::Any, NO_CLIENT, "Resolvers of the HTTP client."),
    idle("httpclient.resolvers.prefer", Kind::OneOf(&["ipv4", "ipv6"]), NO_CLIENT, "Address family that the HTTP client prefers."),
    idle("httpclient.retries", N, NO_CLIENT, "Retries of the HTTP client."),
    idle("httpclient.ssl.ca-file", Kind::Any, NO_CLIENT, "Authorities that the HTTP client trusts."),
    idle("httpclient.ssl.verify", Kind::OneOf(&["none", "required"]), NO_CLIENT, "Whether the HTTP client verifies servers."),
    idle("httpclient.timeout.connect", Kind::Time, NO_CLIENT, "Connect timeout of the HTTP client."),
    word("anonkey", "Key of anonymised dumps.").later("anonymised dumps"),
    word("debug.counters", "Debugging event counters.").later("debugging aids"),
    word("force-cfg-parser-pause", "Pauses while parsing.").words(0, 1).idle("a debugging aid of HAProxy's developers").experimental(),
    idle("profiling.tasks", Kind::OneOf(&["on", "auto", "off", "lock", "no-lock", "memory", "no-memory"]), "there is no profiler of tasks", "Measures the time spent in tasks.").words(1, MANY),
    word("profiling.memory", "Counts allocations per call site.").later("memory profiling"),
    idle("stress-level", Kind::Exact(0, 9), "a debugging aid of HAProxy's developers", "Provokes rare events."),
    idle("warn-blocked-traffic-after", Kind::Within(1, 1000), "threads never run for long without a break", "Warns about a task that blocks traffic."),
]);

fn lua_path(cx: &mut Ctx<'_>, _: &mut Global, line: &Line<'_>) {
    if !matches!(line.arg(1), "" | "path" | "cpath") {
        cx.alert_arg(line, 1, "'lua-prepend-path' expects <type> to either be 'path' or 'cpath'");
    }
}

fn spread_checks(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    match line.arg(0).parse::<u32>() {
        Ok(_) if g.spread_checks.is_some() => {
            cx.harmless(line, "spread-checks already specified. Continuing.").layout = Layout::Tight;
        }
        Ok(n) if n <= 50 => g.spread_checks = Some(n),
        _ => {
            cx.alert_arg(line, 0, "'spread-checks' needs a positive value in range 0..50.");
        }
    }
}

fn max_spread(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if let Some(ms) = cx.time(line, 0) {
        g.max_spread_checks = Some(ms);
    }
}

fn bufsize(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    match cx.size(line, 0) {
        Some(0) => {
            cx.alert_arg(line, 0, "'tune.bufsize' expects a positive integer argument.");
        }
        // What HAProxy's own bookkeeping leaves of the largest buffer.
        Some(n) if n > MAX - 16 => {
            let text = format!("'tune.bufsize' expects a size in bytes from 0 to {}.", MAX - 16);
            cx.alert_arg(line, 0, text);
        }
        Some(n) => g.bufsize = Some(n),
        None => {}
    }
}

fn maxrewrite(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    match cx.size(line, 0) {
        Some(n) if n > MAX => {
            cx.alert_arg(line, 0, "'tune.maxrewrite' expects a positive integer argument.");
        }
        Some(n) => g.maxrewrite = Some(n),
        None => {}
    }
}

fn elasticity(cx: &mut Ctx<'_>, _: &mut Global, line: &Line<'_>) {
    if !matches!(line.arg(0).parse::<i32>(), Ok(0 | 100..)) {
        let text = "'tune.streams-elasticity' expects 0 or a positive percentage value of 100 or above";
        cx.alert_arg(line, 0, text);
    }
}

fn maxaccept(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    if let Some(n) = cx.int(line, 0, -1, i64::from(i32::MAX)) {
        g.maxaccept = i32::try_from(n).ok();
    }
}

/// `tune.stick-counters`.
fn stick_counters(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let value = line.arg(0);
    match value.parse::<i64>() {
        Ok(n @ 0..=100) => g.stick_counters = u8::try_from(n).ok(),
        Ok(n) => {
            let text = format!(
                "tune.stick-counters: the number of stick-counters must be between 1 and 100 (was {n})"
            );
            cx.alert_arg(line, 0, text);
        }
        Err(_) => {
            cx.alert_arg(line, 0, format!("tune.stick-counters: '{value}' is an invalid number"));
        }
    }
}

fn idle_pool(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    match line.arg(0) {
        "full" | "on" => g.idle_pool_shared = Some(true),
        "off" => g.idle_pool_shared = Some(false),
        other => {
            let text = format!("'tune.idle-pool.shared' expects 'full', 'on' or 'off' but got '{other}'.");
            cx.alert_arg(line, 0, text);
        }
    }
}

//! `show info`: the fields, who fills them, and the formats (management guide 9.2).

use std::fmt::Write;

use Kind::{Str, U32, U64};

/// Type of a field in the typed formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Str,
    /// 32 bits.
    U32,
    /// 64 bits.
    U64,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Str => "str",
            U32 => "u32",
            U64 => "u64",
        }
    }
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Origin, nature, scope, persistence: one letter each.
    pub tags: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
    /// Its name among the metrics of the process, behind `haproxy_process_`.
    pub metric: Option<&'static str>,
    /// As a metric it is a counter: not always what the tags say.
    pub counter: bool,
}

const fn field(name: &'static str, tags: &'static str, kind: Kind, help: &'static str) -> Field {
    Field { name, tags, kind, help, metric: None, counter: false }
}

impl Field {
    const fn gauge(self, name: &'static str) -> Self {
        Self { metric: Some(name), ..self }
    }

    const fn counter(self, name: &'static str) -> Self {
        Self { metric: Some(name), counter: true, ..self }
    }
}

/// All fields in HAProxy's order; the position is part of the typed formats.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    field("Name", "POSV", Str, "Name of the product"),
    field("Version", "POSV", Str, "Version of HAProxy whose interface this is"),
    field("Release_date", "POSV", Str, "Date of the release"),
    field("Nbthread", "CGSV", U32, "Worker threads").gauge("nbthread"),
    field("Nbproc", "CGSV", U32, "Worker processes, always 1").gauge("nbproc"),
    field("Process_num", "KGPV", U32, "Number of this worker process, always 1").gauge("relative_process_id"),
    field("Pid", "SGPV", U32, "Process id"),
    field("Uptime", "MDPV", Str, "Time since the start, for humans"),
    field("Uptime_sec", "MDPV", U32, "Seconds since the start").gauge("uptime_seconds"),
    field("Memmax_MB", "CLPV", U32, "Memory limit (-m) in MB"),
    field("PoolAlloc_MB", "MGPV", U32, "Memory that pools hold, in MB"),
    field("PoolUsed_MB", "MGPV", U32, "Memory of pools in use, in MB"),
    field("PoolFailed", "MCPV", U32, "Allocations that failed").counter("pool_failures_total"),
    field("Ulimit-n", "CLPV", U32, "Limit of file descriptors").gauge("max_fds"),
    field("Maxsock", "CLPV", U32, "File descriptors that the configuration may need").gauge("max_sockets"),
    field("Maxconn", "CLPV", U32, "Limit of concurrent connections").gauge("max_connections"),
    field("Hard_maxconn", "CLPV", U32, "Largest limit of connections that memory and descriptors allow").gauge("hard_max_connections"),
    field("CurrConns", "MGPV", U32, "Connections now").gauge("current_connections"),
    field("CumConns", "MCPV", U32, "Connections so far").counter("connections_total"),
    field("CumReq", "MCPV", U32, "Requests so far").counter("requests_total"),
    field("MaxSslConns", "MMPV", U32, "Limit of TLS connections").gauge("max_ssl_connections"),
    field("CurrSslConns", "MGPV", U32, "TLS connections now").gauge("current_ssl_connections"),
    field("CumSslConns", "MCPV", U32, "TLS connections so far").counter("ssl_connections_total"),
    field("Maxpipes", "CLPV", U32, "Limit of pipes for splicing").gauge("max_pipes"),
    field("PipesUsed", "MGPV", U32, "Pipes in use").counter("pipes_used_total"),
    field("PipesFree", "MGPV", U32, "Idle pipes").counter("pipes_free_total"),
    field("ConnRate", "MRPV", U32, "Connections in the last second").gauge("current_connection_rate"),
    field("ConnRateLimit", "CLPV", U32, "Limit of connections per second").gauge("limit_connection_rate"),
    field("MaxConnRate", "MMPV", U32, "Most connections in one second").gauge("max_connection_rate"),
    field("SessRate", "MRPV", U32, "Sessions in the last second").gauge("current_session_rate"),
    field("SessRateLimit", "CLPV", U32, "Limit of sessions per second").gauge("limit_session_rate"),
    field("MaxSessRate", "MRPV", U32, "Most sessions in one second").gauge("max_session_rate"),
    field("SslRate", "MRPV", U32, "TLS connections in the last second").gauge("current_ssl_rate"),
    field("SslRateLimit", "CLPV", U32, "Limit of TLS connections per second").gauge("limit_ssl_rate"),
    field("MaxSslRate", "MMPV", U32, "Most TLS connections in one second").gauge("max_ssl_rate"),
    field("SslFrontendKeyRate", "MGPV", U32, "TLS keys computed for clients in the last second").gauge("current_frontend_ssl_key_rate"),
    field("SslFrontendMaxKeyRate", "MMPV", U32, "Most TLS keys computed for clients in one second").gauge("max_frontend_ssl_key_rate"),
    field("SslFrontendSessionReuse_pct", "MGPV", U32, "Share of TLS sessions of clients that were resumed").gauge("frontend_ssl_reuse"),
    field("SslBackendKeyRate", "MRPV", U32, "TLS keys computed for servers in the last second").gauge("current_backend_ssl_key_rate"),
    field("SslBackendMaxKeyRate", "MMPV", U32, "Most TLS keys computed for servers in one second").gauge("max_backend_ssl_key_rate"),
    field("SslCacheLookups", "MCPV", U32, "Look-ups in the TLS session cache").counter("ssl_cache_lookups_total"),
    field("SslCacheMisses", "MCPV", U32, "Look-ups in the TLS session cache that found nothing").counter("ssl_cache_misses_total"),
    field("CompressBpsIn", "MRPV", U32, "Bytes per second into compression").counter("http_comp_bytes_in_total"),
    field("CompressBpsOut", "MRPV", U32, "Bytes per second out of compression").counter("http_comp_bytes_out_total"),
    field("CompressBpsRateLim", "CLPV", U32, "Limit of bytes per second out of compression").gauge("limit_http_comp"),
    field("ZlibMemUsage", "MGPV", U32, "Memory used by compression").gauge("current_zlib_memory"),
    field("MaxZlibMemUsage", "CLPV", U32, "Limit of memory used by compression").gauge("max_zlib_memory"),
    field("Tasks", "MGPV", U32, "Tasks that exist").gauge("current_tasks"),
    field("Run_queue", "MGPV", U32, "Tasks ready to run").gauge("current_run_queue"),
    field("Idle_pct", "MaPV", U32, "Share of the time, a second at least, that threads had nothing to do, percent").gauge("idle_time_percent"),
    field("node", "COSV", Str, "Name of this node").gauge("node"),
    field("description", "COSV", Str, "Description of this node").gauge("description"),
    field("Stopping", "MGPV", U32, "1 while a soft stop is under way").gauge("stopping"),
    field("Jobs", "MGPV", U32, "Connections, listeners and tasks that keep the process alive").gauge("jobs"),
    field("Unstoppable Jobs", "MGPV", U32, "Jobs that a soft stop does not wait for").gauge("unstoppable_jobs"),
    field("Listeners", "MGPV", U32, "Sockets that accept").gauge("listeners"),
    field("ActivePeers", "MGPV", U32, "Peers that are verified").gauge("active_peers"),
    field("ConnectedPeers", "MGPV", U32, "Peers that are connected").gauge("connected_peers"),
    field("DroppedLogs", "MGPV", U32, "Log lines that could not be sent").counter("dropped_logs_total"),
    field("BusyPolling", "MGPV", U32, "1 with busy-polling").gauge("busy_polling_enabled"),
    field("FailedResolutions", "MGPV", U32, "DNS resolutions that failed").counter("failed_resolutions"),
    field("TotalBytesOut", "MGPV", U64, "Bytes sent so far").counter("bytes_out_total"),
    field("TotalSplicedBytesOut", "MGPV", U64, "Bytes sent by splicing so far").counter("spliced_bytes_out_total"),
    field("BytesOutRate", "MRPV", U64, "Bytes sent in the last second").gauge("bytes_out_rate"),
    field("DebugCommandsIssued", "MGPV", U32, "Debug commands run so far"),
    field("CumRecvLogs", "MCPV", U32, "Log lines received so far").counter("recv_logs_total"),
    field("Build info", "POSV", Str, "Name and version of this program").gauge("build_info"),
    field("Memmax_bytes", "CLPV", U32, "Memory limit (-m) in bytes").gauge("max_memory_bytes"),
    field("PoolAlloc_bytes", "MGPV", U64, "Memory that pools hold, in bytes").gauge("pool_allocated_bytes"),
    field("PoolUsed_bytes", "MGPV", U64, "Memory of pools in use, in bytes").gauge("pool_used_bytes"),
    field("Start_time_sec", "MDPV", U32, "Date of the start, in seconds of the epoch").gauge("start_time_seconds"),
    field("Tainted", "SGPV", Str, "Flags of experimental or debugging features in use"),
    field("TotalWarnings", "MCPV", U32, "Warnings so far").counter("total_warnings"),
    field("MaxconnReached", "MCPV", U32, "Times that the limit of connections was reached"),
    field("BootTime_ms", "MDPV", U32, "Milliseconds that the start took"),
    field("Niced_tasks", "MGPV", U32, "Tasks with another priority"),
    field("CurrStreams", "MGPV", U64, "Streams now"),
    field("CumStreams", "MGPV", U64, "Streams so far"),
    field("BlockedTrafficWarnings", "MGPV", U32, "Warnings about threads that were stuck"),
    field("PatternsAdded", "MGPV", U64, "Patterns added so far").gauge("patterns_added_total"),
    field("PatternsFreed", "MGPV", U64, "Patterns removed so far").gauge("patterns_freed_total"),
    field("NbThreadGroups", "CGSV", U32, "Thread groups, always 1").gauge("nb_thread_groups"),
];

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Text.
    Str(String),
    /// A number.
    Num(u64),
    /// A number with a fraction, shown by `float` only.
    Float(f64),
}

impl From<u64> for Value {
    fn from(v: u64) -> Self {
        Self::Num(v)
    }
}

impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Self::Num(u64::from(v))
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Str(v.to_owned())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Str(v)
    }
}

impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Self::Float(v)
    }
}

/// The values of one `show info`.
#[derive(Debug)]
pub struct Sheet {
    values: Vec<Option<Value>>,
}

impl Default for Sheet {
    fn default() -> Self {
        let zero = |f: &Field| (f.kind != Str).then_some(Value::Num(0));
        Self { values: FIELDS.iter().map(zero).collect() }
    }
}

impl Sheet {
    /// Sets a field; a name that is no field is a mistake that tests find.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let at = FIELDS.iter().position(|f| f.name == name);
        debug_assert!(at.is_some(), "no field {name}");
        if let Some(slot) = at.and_then(|i| self.values.get_mut(i)) {
            *slot = Some(value.into());
        }
    }

    /// Adds to a numeric field, for those that several parts of the program count.
    pub fn add(&mut self, name: &str, n: u64) {
        let at = FIELDS.iter().position(|f| f.name == name);
        if let Some(Some(Value::Num(v))) = at.and_then(|i| self.values.get_mut(i)) {
            *v = v.saturating_add(n);
        }
    }

    /// The fields, each with its value if it has one.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, Option<&Value>)> {
        FIELDS.iter().zip(self.values.iter().map(Option::as_ref))
    }

    /// The sheet as text.
    pub fn print(&self, format: Format) -> String {
        let present = FIELDS.iter().zip(&self.values).enumerate();
        let present = present.filter_map(|(pos, (f, v))| v.as_ref().map(|v| (pos, f, show(v, format.float))));
        let mut out = String::new();
        if format.json {
            return json(present);
        }
        for (pos, f, v) in present {
            let _ = match format.typed {
                true => write!(out, "{pos}.{}.1:{}:{}:{v}", f.name, f.tags, f.kind.word()),
                false => write!(out, "{}: {v}", f.name),
            };
            if format.desc {
                let _ = write!(out, ":\"{}\"", f.help);
            }
            out.push('\n');
        }
        out
    }
}

/// How to print; the words after `show info`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Format {
    /// `typed`.
    pub typed: bool,
    /// `json`.
    pub json: bool,
    /// `desc`.
    pub desc: bool,
    /// `float`.
    pub float: bool,
}

impl Format {
    /// Reads the words; unknown ones are ignored, as HAProxy does.
    pub fn parse(words: &[String]) -> Self {
        let has = |w: &str| words.iter().any(|x| x == w);
        Self { typed: has("typed"), json: has("json"), desc: has("desc"), float: has("float") }
    }
}

/// Six digits behind the point at most.
fn microseconds(seconds: f64) -> String {
    let text = format!("{seconds:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn show(v: &Value, float: bool) -> String {
    match v {
        Value::Str(s) => s.clone(),
        Value::Num(n) => n.to_string(),
        Value::Float(f) if float => microseconds(*f),
        Value::Float(f) => format!("{:.0}", f.trunc()),
    }
}

fn json<'a>(fields: impl Iterator<Item = (usize, &'a Field, String)>) -> String {
    let one = |(pos, f, v): (usize, &Field, String)| {
        let value = if f.kind == Str { quote(&v) } else { v };
        let mut item = String::from("{");
        json_item(&mut item, (pos, f.name), f.tags, (f.kind.word(), &value));
        item.push('}');
        item
    };
    format!("[{}]\n", fields.map(one).collect::<Vec<_>>().join(","))
}

/// The members of an item that `show info json` and `show stat json` share. The field is given by position and
/// name, the value by the word of its type and as JSON.
pub fn json_item(out: &mut String, field: (usize, &str), tags: &str, value: (&str, &str)) {
    let mut tags = tags.chars();
    let origin = word(ORIGINS, tags.next());
    let nature = word(NATURES, tags.next());
    let scope = word(SCOPES, tags.next());
    let _ = write!(
        out,
        "\"field\":{{\"pos\":{},\"name\":\"{}\"}},\"processNum\":1,\"tags\":{{\"origin\":\"{origin}\",\
         \"nature\":\"{nature}\",\"scope\":\"{scope}\"}},\"value\":{{\"type\":\"{}\",\"value\":{}}}",
        field.0, field.1, value.0, value.1
    );
}

type Letters = &'static [(char, &'static str)];

const ORIGINS: Letters = &[('M', "Metric"), ('S', "Status"), ('K', "Key"), ('C', "Config"), ('P', "Product")];
const NATURES: Letters = &[
    ('A', "Age"),
    ('a', "Avg"),
    ('C', "Counter"),
    ('D', "Duration"),
    ('G', "Gauge"),
    ('L', "Limit"),
    ('M', "Max"),
    ('m', "Min"),
    ('N', "Name"),
    ('O', "Output"),
    ('R', "Rate"),
    ('T', "Time"),
];
const SCOPES: Letters = &[('C', "Cluster"), ('P', "Process"), ('S', "Service"), ('s', "System")];

fn word(of: Letters, letter: Option<char>) -> &'static str {
    of.iter().find(|(c, _)| Some(*c) == letter).map_or("Unknown", |(_, w)| w)
}

/// A text as JSON.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Fills the sheet; whoever counts something registers one in the [`crate::State`] as part of
/// [`InfoSources`].
pub type InfoSource = Box<dyn Fn(&mut Sheet) + Send + Sync>;

/// All sources, asked in order.
#[derive(Default)]
pub struct InfoSources(pub Vec<InfoSource>);

#[cfg(test)]
mod tests;

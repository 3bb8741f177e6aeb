//! Rows of fetches that wait for another part of the program.

use crate::args::ArgType::{Sint, Str};
use crate::args::{ArgSpec, NONE, args};
use crate::checkpoint::Source;
use crate::row::{Fetch, later};
use crate::types::Type;

const CPU: &str = "task accounting";
const TCP_INFO: &str = "the kernel's view of connections";
const MUX: &str = "state of multiplexers";
const HTX: &str = "HAProxy's own message format";
const CACHE: &str = "cache";
const COMP: &str = "compression";
const FCGI: &str = "FastCGI";
const SPOE: &str = "stream processing offload";
const DISTCC: &str = "payload protocols";
const MSG: Source = Source::REQ_HDR.or(Source::RES_HDR);
const UNIT: ArgSpec = args(0, &[Str]);
const BLOCK: ArgSpec = args(1, &[Str]);
const TOKEN: ArgSpec = args(1, &[Str, Sint]);

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    later("bc_nb_streams", NONE, Type::Sint, Source::L5_SERVER, MUX),
    later("bc_rtt", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("bc_rttvar", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("bc_settings_streams_limit", NONE, Type::Sint, Source::L5_SERVER, MUX),
    later("bs.aborted", NONE, Type::Sint, Source::L5_SERVER, MUX),
    later("bs.debug_str", args(0, &[Sint]), Type::Str, Source::L5_SERVER, MUX),
    later("bs.id", NONE, Type::Sint, Source::L5_SERVER, MUX),
    later("bs.rst_code", NONE, Type::Sint, Source::L5_SERVER, MUX),
    later("cpu_calls", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("cpu_ns_avg", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("cpu_ns_tot", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("cpu_usage_grp", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("cpu_usage_proc", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("cpu_usage_thr", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("distcc_body", TOKEN, Type::Bin, Source::REQ_BUF.or(Source::RES_BUF), DISTCC),
    later("distcc_param", TOKEN, Type::Sint, Source::REQ_BUF.or(Source::RES_BUF), DISTCC),
    later("fc_fackets", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_lost", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_reordering", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_retrans", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_rtt", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_rttvar", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_sacked", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fc_unacked", UNIT, Type::Sint, Source::L4_CLIENT, TCP_INFO),
    later("fcgi.docroot", NONE, Type::Str, Source::REQ_HDR, FCGI),
    later("fcgi.index", NONE, Type::Str, Source::REQ_HDR, FCGI),
    later("fs.aborted", NONE, Type::Sint, Source::L5_CLIENT, MUX),
    later("fs.debug_str", args(0, &[Sint]), Type::Str, Source::L5_CLIENT, MUX),
    later("fs.id", NONE, Type::Str, Source::L5_CLIENT, MUX),
    later("fs.rst_code", NONE, Type::Sint, Source::L5_CLIENT, MUX),
    later("internal.htx.data", NONE, Type::Sint, MSG, HTX),
    later("internal.htx.free", NONE, Type::Sint, MSG, HTX),
    later("internal.htx.free_data", NONE, Type::Sint, MSG, HTX),
    later("internal.htx.has_eom", NONE, Type::Bool, MSG, HTX),
    later("internal.htx.nbblks", NONE, Type::Sint, MSG, HTX),
    later("internal.htx.size", NONE, Type::Sint, MSG, HTX),
    later("internal.htx.used", NONE, Type::Sint, MSG, HTX),
    later("internal.htx_blk.data", BLOCK, Type::Bin, MSG, HTX),
    later("internal.htx_blk.hdrname", BLOCK, Type::Str, MSG, HTX),
    later("internal.htx_blk.hdrval", BLOCK, Type::Str, MSG, HTX),
    later("internal.htx_blk.size", BLOCK, Type::Sint, MSG, HTX),
    later("internal.htx_blk.start_line", BLOCK, Type::Str, MSG, HTX),
    later("internal.htx_blk.type", BLOCK, Type::Str, MSG, HTX),
    later("lat_ns_avg", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("lat_ns_tot", NONE, Type::Sint, Source::INTERNAL, CPU),
    later("res.cache_hit", NONE, Type::Bool, Source::SERVER, CACHE),
    later("res.cache_name", NONE, Type::Str, Source::SERVER, CACHE),
    later("res.comp", NONE, Type::Bool, Source::RES_KEPT, COMP),
    later("res.comp_algo", NONE, Type::Str, Source::RES_KEPT, COMP),
    later("spoe.engine-id", NONE, Type::Str, Source::INTERNAL, SPOE),
];

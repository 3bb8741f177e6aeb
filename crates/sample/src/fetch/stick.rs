//! Stick tables and tracked counters (manual 7.3.3 and chapter 11).

use crate::args::ArgType::{Sint, Table};
use crate::args::{Arg, NONE, args};
use crate::checkpoint::Source;
use crate::ctx::Ctx;
use crate::row::{Fetch, fetch};
use crate::stick::{self, CLR, GET, INC};
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::model::DataType as D;
use hawser_stick::Tracked;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("sc0_bytes_in_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::BytesInRate as u8 }>, "Bytes from the client in a period."),
    fetch("sc0_bytes_out_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::BytesOutRate as u8 }>, "Bytes to the client in a period."),
    fetch("sc0_clr_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, CLR, { D::Gpc0 as u8 }>, "Clears the first counter, gives what it was."),
    fetch("sc0_clr_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, CLR, { D::Gpc1 as u8 }>, "Clears the second counter, gives what it was."),
    fetch("sc0_conn_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::ConnCnt as u8 }>, "Connections of the entry."),
    fetch("sc0_conn_cur", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::ConnCur as u8 }>, "Connections that are open."),
    fetch("sc0_conn_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::ConnRate as u8 }>, "Connections in a period."),
    fetch("sc0_get_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::Gpc0 as u8 }>, "First general purpose counter."),
    fetch("sc0_get_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::Gpc1 as u8 }>, "Second general purpose counter."),
    fetch("sc0_get_gpt0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::Gpt0 as u8 }>, "First general purpose tag."),
    fetch("sc0_glitch_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::GlitchCnt as u8 }>, "Glitches of client connections."),
    fetch("sc0_glitch_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::GlitchRate as u8 }>, "Glitches of client connections in a period."),
    fetch("sc0_gpc0_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::Gpc0Rate as u8 }>, "Increments of the first counter in a period."),
    fetch("sc0_gpc1_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::Gpc1Rate as u8 }>, "Increments of the second counter in a period."),
    fetch("sc0_http_err_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::HttpErrCnt as u8 }>, "Requests that were wrong."),
    fetch("sc0_http_err_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::HttpErrRate as u8 }>, "Requests that were wrong, in a period."),
    fetch("sc0_http_fail_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::HttpFailCnt as u8 }>, "Responses that failed."),
    fetch("sc0_http_fail_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::HttpFailRate as u8 }>, "Responses that failed, in a period."),
    fetch("sc0_http_req_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::HttpReqCnt as u8 }>, "HTTP requests."),
    fetch("sc0_http_req_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::HttpReqRate as u8 }>, "HTTP requests in a period."),
    fetch("sc0_inc_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, INC, { D::Gpc0 as u8 }>, "Increments the first counter."),
    fetch("sc0_inc_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, INC, { D::Gpc1 as u8 }>, "Increments the second counter."),
    fetch("sc0_kbytes_in", args(0, &[Table]), Type::Sint, Source::L4_CLIENT, sc_numbered::<0, GET, { D::BytesInCnt as u8 }>, "KiB from the client."),
    fetch("sc0_kbytes_out", args(0, &[Table]), Type::Sint, Source::L4_CLIENT, sc_numbered::<0, GET, { D::BytesOutCnt as u8 }>, "KiB to the client."),
    fetch("sc0_key", NONE, Type::Any, Source::INTERNAL, key::<0>, "Key of the tracked entry."),
    fetch("sc0_sess_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::SessCnt as u8 }>, "Sessions."),
    fetch("sc0_sess_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<0, GET, { D::SessRate as u8 }>, "Sessions in a period."),
    fetch("sc0_tracked", args(0, &[Table]), Type::Bool, Source::INTERNAL, tracked_by::<0>, "Whether the counter tracks an entry."),
    fetch("sc0_trackers", args(0, &[Table]), Type::Sint, Source::INTERNAL, trackers::<0>, "How many track the entry."),
    fetch("sc1_bytes_in_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::BytesInRate as u8 }>, "Bytes from the client in a period."),
    fetch("sc1_bytes_out_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::BytesOutRate as u8 }>, "Bytes to the client in a period."),
    fetch("sc1_clr_gpc", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc_numbered_indexed::<1, CLR, { D::Gpc as u8 }>, "Clears a counter, gives what it was."),
    fetch("sc1_clr_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, CLR, { D::Gpc0 as u8 }>, "Clears the first counter, gives what it was."),
    fetch("sc1_clr_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, CLR, { D::Gpc1 as u8 }>, "Clears the second counter, gives what it was."),
    fetch("sc1_conn_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::ConnCnt as u8 }>, "Connections of the entry."),
    fetch("sc1_conn_cur", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::ConnCur as u8 }>, "Connections that are open."),
    fetch("sc1_conn_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::ConnRate as u8 }>, "Connections in a period."),
    fetch("sc1_get_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::Gpc0 as u8 }>, "First general purpose counter."),
    fetch("sc1_get_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::Gpc1 as u8 }>, "Second general purpose counter."),
    fetch("sc1_get_gpt0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::Gpt0 as u8 }>, "First general purpose tag."),
    fetch("sc1_glitch_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::GlitchCnt as u8 }>, "Glitches of client connections."),
    fetch("sc1_glitch_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::GlitchRate as u8 }>, "Glitches of client connections in a period."),
    fetch("sc1_gpc0_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::Gpc0Rate as u8 }>, "Increments of the first counter in a period."),
    fetch("sc1_gpc1_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::Gpc1Rate as u8 }>, "Increments of the second counter in a period."),
    fetch("sc1_http_err_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::HttpErrCnt as u8 }>, "Requests that were wrong."),
    fetch("sc1_http_err_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::HttpErrRate as u8 }>, "Requests that were wrong, in a period."),
    fetch("sc1_http_fail_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::HttpFailCnt as u8 }>, "Responses that failed."),
    fetch("sc1_http_fail_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::HttpFailRate as u8 }>, "Responses that failed, in a period."),
    fetch("sc1_http_req_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::HttpReqCnt as u8 }>, "HTTP requests."),
    fetch("sc1_http_req_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::HttpReqRate as u8 }>, "HTTP requests in a period."),
    fetch("sc1_inc_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, INC, { D::Gpc0 as u8 }>, "Increments the first counter."),
    fetch("sc1_inc_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, INC, { D::Gpc1 as u8 }>, "Increments the second counter."),
    fetch("sc1_kbytes_in", args(0, &[Table]), Type::Sint, Source::L4_CLIENT, sc_numbered::<1, GET, { D::BytesInCnt as u8 }>, "KiB from the client."),
    fetch("sc1_kbytes_out", args(0, &[Table]), Type::Sint, Source::L4_CLIENT, sc_numbered::<1, GET, { D::BytesOutCnt as u8 }>, "KiB to the client."),
    fetch("sc1_key", NONE, Type::Any, Source::INTERNAL, key::<1>, "Key of the tracked entry."),
    fetch("sc1_sess_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::SessCnt as u8 }>, "Sessions."),
    fetch("sc1_sess_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<1, GET, { D::SessRate as u8 }>, "Sessions in a period."),
    fetch("sc1_tracked", args(0, &[Table]), Type::Bool, Source::INTERNAL, tracked_by::<1>, "Whether the counter tracks an entry."),
    fetch("sc1_trackers", args(0, &[Table]), Type::Sint, Source::INTERNAL, trackers::<1>, "How many track the entry."),
    fetch("sc2_bytes_in_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::BytesInRate as u8 }>, "Bytes from the client in a period."),
    fetch("sc2_bytes_out_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::BytesOutRate as u8 }>, "Bytes to the client in a period."),
    fetch("sc2_clr_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, CLR, { D::Gpc0 as u8 }>, "Clears the first counter, gives what it was."),
    fetch("sc2_clr_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, CLR, { D::Gpc1 as u8 }>, "Clears the second counter, gives what it was."),
    fetch("sc2_conn_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::ConnCnt as u8 }>, "Connections of the entry."),
    fetch("sc2_conn_cur", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::ConnCur as u8 }>, "Connections that are open."),
    fetch("sc2_conn_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::ConnRate as u8 }>, "Connections in a period."),
    fetch("sc2_get_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::Gpc0 as u8 }>, "First general purpose counter."),
    fetch("sc2_get_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::Gpc1 as u8 }>, "Second general purpose counter."),
    fetch("sc2_get_gpt0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::Gpt0 as u8 }>, "First general purpose tag."),
    fetch("sc2_glitch_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::GlitchCnt as u8 }>, "Glitches of client connections."),
    fetch("sc2_glitch_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::GlitchRate as u8 }>, "Glitches of client connections in a period."),
    fetch("sc2_gpc0_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::Gpc0Rate as u8 }>, "Increments of the first counter in a period."),
    fetch("sc2_gpc1_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::Gpc1Rate as u8 }>, "Increments of the second counter in a period."),
    fetch("sc2_http_err_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::HttpErrCnt as u8 }>, "Requests that were wrong."),
    fetch("sc2_http_err_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::HttpErrRate as u8 }>, "Requests that were wrong, in a period."),
    fetch("sc2_http_fail_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::HttpFailCnt as u8 }>, "Responses that failed."),
    fetch("sc2_http_fail_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::HttpFailRate as u8 }>, "Responses that failed, in a period."),
    fetch("sc2_http_req_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::HttpReqCnt as u8 }>, "HTTP requests."),
    fetch("sc2_http_req_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::HttpReqRate as u8 }>, "HTTP requests in a period."),
    fetch("sc2_inc_gpc0", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, INC, { D::Gpc0 as u8 }>, "Increments the first counter."),
    fetch("sc2_inc_gpc1", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, INC, { D::Gpc1 as u8 }>, "Increments the second counter."),
    fetch("sc2_kbytes_in", args(0, &[Table]), Type::Sint, Source::L4_CLIENT, sc_numbered::<2, GET, { D::BytesInCnt as u8 }>, "KiB from the client."),
    fetch("sc2_kbytes_out", args(0, &[Table]), Type::Sint, Source::L4_CLIENT, sc_numbered::<2, GET, { D::BytesOutCnt as u8 }>, "KiB to the client."),
    fetch("sc2_key", NONE, Type::Any, Source::INTERNAL, key::<2>, "Key of the tracked entry."),
    fetch("sc2_sess_cnt", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::SessCnt as u8 }>, "Sessions."),
    fetch("sc2_sess_rate", args(0, &[Table]), Type::Sint, Source::INTERNAL, sc_numbered::<2, GET, { D::SessRate as u8 }>, "Sessions in a period."),
    fetch("sc2_tracked", args(0, &[Table]), Type::Bool, Source::INTERNAL, tracked_by::<2>, "Whether the counter tracks an entry."),
    fetch("sc2_trackers", args(0, &[Table]), Type::Sint, Source::INTERNAL, trackers::<2>, "How many track the entry."),
    fetch("sc_bytes_in_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::BytesInRate as u8 }>, "Bytes from the client in a period."),
    fetch("sc_bytes_out_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::BytesOutRate as u8 }>, "Bytes to the client in a period."),
    fetch("sc_clr_gpc", args(2, &[Sint, Sint, Table]), Type::Sint, Source::INTERNAL, sc_indexed::<CLR, { D::Gpc as u8 }>, "Clears a counter, gives what it was."),
    fetch("sc_clr_gpc0", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<CLR, { D::Gpc0 as u8 }>, "Clears the first counter, gives what it was."),
    fetch("sc_clr_gpc1", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<CLR, { D::Gpc1 as u8 }>, "Clears the second counter, gives what it was."),
    fetch("sc_conn_cnt", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::ConnCnt as u8 }>, "Connections of the entry."),
    fetch("sc_conn_cur", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::ConnCur as u8 }>, "Connections that are open."),
    fetch("sc_conn_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::ConnRate as u8 }>, "Connections in a period."),
    fetch("sc_get_gpc", args(2, &[Sint, Sint, Table]), Type::Sint, Source::INTERNAL, sc_indexed::<GET, { D::Gpc as u8 }>, "A general purpose counter."),
    fetch("sc_get_gpc0", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::Gpc0 as u8 }>, "First general purpose counter."),
    fetch("sc_get_gpc1", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::Gpc1 as u8 }>, "Second general purpose counter."),
    fetch("sc_get_gpt", args(2, &[Sint, Sint, Table]), Type::Sint, Source::INTERNAL, sc_indexed::<GET, { D::Gpt as u8 }>, "A general purpose tag."),
    fetch("sc_get_gpt0", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::Gpt0 as u8 }>, "First general purpose tag."),
    fetch("sc_glitch_cnt", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::GlitchCnt as u8 }>, "Glitches of client connections."),
    fetch("sc_glitch_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::GlitchRate as u8 }>, "Glitches of client connections in a period."),
    fetch("sc_gpc0_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::Gpc0Rate as u8 }>, "Increments of the first counter in a period."),
    fetch("sc_gpc1_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::Gpc1Rate as u8 }>, "Increments of the second counter in a period."),
    fetch("sc_gpc_rate", args(2, &[Sint, Sint, Table]), Type::Sint, Source::INTERNAL, sc_indexed::<GET, { D::GpcRate as u8 }>, "Increments of a counter in a period."),
    fetch("sc_http_err_cnt", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::HttpErrCnt as u8 }>, "Requests that were wrong."),
    fetch("sc_http_err_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::HttpErrRate as u8 }>, "Requests that were wrong, in a period."),
    fetch("sc_http_fail_cnt", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::HttpFailCnt as u8 }>, "Responses that failed."),
    fetch("sc_http_fail_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::HttpFailRate as u8 }>, "Responses that failed, in a period."),
    fetch("sc_http_req_cnt", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::HttpReqCnt as u8 }>, "HTTP requests."),
    fetch("sc_http_req_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::HttpReqRate as u8 }>, "HTTP requests in a period."),
    fetch("sc_inc_gpc", args(2, &[Sint, Sint, Table]), Type::Sint, Source::INTERNAL, sc_indexed::<INC, { D::Gpc as u8 }>, "Increments a counter."),
    fetch("sc_inc_gpc0", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<INC, { D::Gpc0 as u8 }>, "Increments the first counter."),
    fetch("sc_inc_gpc1", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<INC, { D::Gpc1 as u8 }>, "Increments the second counter."),
    fetch("sc_kbytes_in", args(1, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, sc::<GET, { D::BytesInCnt as u8 }>, "KiB from the client."),
    fetch("sc_kbytes_out", args(1, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, sc::<GET, { D::BytesOutCnt as u8 }>, "KiB to the client."),
    fetch("sc_key", args(1, &[Sint]), Type::Any, Source::INTERNAL, key_of, "Key of the tracked entry."),
    fetch("sc_sess_cnt", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::SessCnt as u8 }>, "Sessions."),
    fetch("sc_sess_rate", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, sc::<GET, { D::SessRate as u8 }>, "Sessions in a period."),
    fetch("sc_tracked", args(1, &[Sint, Table]), Type::Bool, Source::INTERNAL, tracked_of, "Whether the counter tracks an entry."),
    fetch("sc_trackers", args(1, &[Sint, Table]), Type::Sint, Source::INTERNAL, trackers_of, "How many track the entry."),
    fetch("src_bytes_in_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::BytesInRate as u8 }>, "Bytes from the client in a period."),
    fetch("src_bytes_out_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::BytesOutRate as u8 }>, "Bytes to the client in a period."),
    fetch("src_clr_gpc", args(2, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, src_indexed::<CLR, { D::Gpc as u8 }>, "Clears a counter, gives what it was."),
    fetch("src_clr_gpc0", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<CLR, { D::Gpc0 as u8 }>, "Clears the first counter, gives what it was."),
    fetch("src_clr_gpc1", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<CLR, { D::Gpc1 as u8 }>, "Clears the second counter, gives what it was."),
    fetch("src_conn_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::ConnCnt as u8 }>, "Connections of the entry."),
    fetch("src_conn_cur", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::ConnCur as u8 }>, "Connections that are open."),
    fetch("src_conn_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::ConnRate as u8 }>, "Connections in a period."),
    fetch("src_get_gpc", args(2, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, src_indexed::<GET, { D::Gpc as u8 }>, "A general purpose counter."),
    fetch("src_get_gpc0", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::Gpc0 as u8 }>, "First general purpose counter."),
    fetch("src_get_gpc1", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::Gpc1 as u8 }>, "Second general purpose counter."),
    fetch("src_get_gpt", args(2, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, src_indexed::<GET, { D::Gpt as u8 }>, "A general purpose tag."),
    fetch("src_get_gpt0", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::Gpt0 as u8 }>, "First general purpose tag."),
    fetch("src_glitch_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::GlitchCnt as u8 }>, "Glitches of client connections."),
    fetch("src_glitch_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::GlitchRate as u8 }>, "Glitches of client connections in a period."),
    fetch("src_gpc0_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::Gpc0Rate as u8 }>, "Increments of the first counter in a period."),
    fetch("src_gpc1_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::Gpc1Rate as u8 }>, "Increments of the second counter in a period."),
    fetch("src_gpc_rate", args(2, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, src_indexed::<GET, { D::GpcRate as u8 }>, "Increments of a counter in a period."),
    fetch("src_http_err_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::HttpErrCnt as u8 }>, "Requests that were wrong."),
    fetch("src_http_err_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::HttpErrRate as u8 }>, "Requests that were wrong, in a period."),
    fetch("src_http_fail_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::HttpFailCnt as u8 }>, "Responses that failed."),
    fetch("src_http_fail_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::HttpFailRate as u8 }>, "Responses that failed, in a period."),
    fetch("src_http_req_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::HttpReqCnt as u8 }>, "HTTP requests."),
    fetch("src_http_req_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::HttpReqRate as u8 }>, "HTTP requests in a period."),
    fetch("src_inc_gpc", args(2, &[Sint, Table]), Type::Sint, Source::L4_CLIENT, src_indexed::<INC, { D::Gpc as u8 }>, "Increments a counter."),
    fetch("src_inc_gpc0", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<INC, { D::Gpc0 as u8 }>, "Increments the first counter."),
    fetch("src_inc_gpc1", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<INC, { D::Gpc1 as u8 }>, "Increments the second counter."),
    fetch("src_kbytes_in", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::BytesInCnt as u8 }>, "KiB from the client."),
    fetch("src_kbytes_out", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::BytesOutCnt as u8 }>, "KiB to the client."),
    fetch("src_sess_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::SessCnt as u8 }>, "Sessions."),
    fetch("src_sess_rate", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src::<GET, { D::SessRate as u8 }>, "Sessions in a period."),
    fetch("src_updt_conn_cnt", args(1, &[Table]), Type::Sint, Source::L4_CLIENT, src_counted, "Connections of the source, this one counted."),
    fetch("table_avl", args(1, &[Table]), Type::Sint, Source::INTERNAL, table_free, "Free places of a table."),
    fetch("table_cnt", args(1, &[Table]), Type::Sint, Source::INTERNAL, table_used, "Entries of a table."),
];

/// What the counter of a number tracks: the stream's, else the session's.
fn tracked<'a>(ctx: &Ctx<'a>, number: usize) -> Option<&'a Tracked> {
    let strm = ctx.strm.and_then(|s| s.tracked.get(number));
    strm.or_else(|| ctx.sess?.tracked.get(number))
}

/// The number of a counter in an argument.
fn number(a: &[Arg], at: usize) -> Option<usize> {
    usize::try_from(a.get(at)?.int()?).ok()
}

/// The index into an array in an argument.
fn index(a: &[Arg], at: usize) -> Option<u32> {
    u32::try_from(a.get(at)?.int()?).ok()
}

/// Looks at a tracked entry, or at the entry with its key in the table that argument `at` names.
fn of_tracked<'a, const ACT: u8, const DATA: u8>(
    a: &'a [Arg],
    ctx: &Ctx<'a>,
    number: usize,
    index: u32,
    at: usize,
) -> Option<Value<'a>> {
    let (table, entry) = stick::entry_of(ctx, tracked(ctx, number)?, a.get(at))?;
    stick::act::<ACT, DATA>(ctx, table, entry.as_deref(), index)
}

fn sc_numbered<'a, const N: usize, const ACT: u8, const DATA: u8>(
    a: &'a [Arg],
    ctx: &Ctx<'a>,
) -> Option<Value<'a>> {
    of_tracked::<ACT, DATA>(a, ctx, N, 0, 0)
}

fn sc_numbered_indexed<'a, const N: usize, const ACT: u8, const DATA: u8>(
    a: &'a [Arg],
    ctx: &Ctx<'a>,
) -> Option<Value<'a>> {
    of_tracked::<ACT, DATA>(a, ctx, N, index(a, 0)?, 1)
}

fn sc<'a, const ACT: u8, const DATA: u8>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    of_tracked::<ACT, DATA>(a, ctx, number(a, 0)?, 0, 1)
}

fn sc_indexed<'a, const ACT: u8, const DATA: u8>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    of_tracked::<ACT, DATA>(a, ctx, number(a, 1)?, index(a, 0)?, 2)
}

/// Looks at the entry of the source address.
fn of_source<'a, const ACT: u8, const DATA: u8>(
    a: &'a [Arg],
    ctx: &Ctx<'a>,
    index: u32,
    at: usize,
) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.get(at)?)?;
    let source = Value::ip(ctx.src()?.ip()?);
    let entry = stick::find(ctx, table, source, ACT == INC);
    stick::act::<ACT, DATA>(ctx, table, entry.as_deref(), index)
}

fn src<'a, const ACT: u8, const DATA: u8>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    of_source::<ACT, DATA>(a, ctx, 0, 0)
}

fn src_indexed<'a, const ACT: u8, const DATA: u8>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    of_source::<ACT, DATA>(a, ctx, index(a, 0)?, 1)
}

/// `src_updt_conn_cnt`.
fn src_counted<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.first()?)?;
    let entry = stick::find(ctx, table, Value::ip(ctx.src()?.ip()?), true)?;
    table.add(&entry, D::ConnCnt, 0, 1, stick::now(ctx)).map(Value::Int)
}

fn is_tracked<'a>(ctx: &Ctx<'a>, number: usize, table: Option<&Arg>) -> Value<'a> {
    let entry = tracked(ctx, number).and_then(|t| stick::entry_of(ctx, t, table));
    Value::Bool(entry.is_some())
}

fn tracked_by<'a, const N: usize>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    Some(is_tracked(ctx, N, a.first()))
}

fn tracked_of<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    Some(is_tracked(ctx, number(a, 0)?, a.get(1)))
}

fn count_trackers<'a>(ctx: &Ctx<'a>, number: usize, table: Option<&Arg>) -> Option<Value<'a>> {
    let (_, entry) = stick::entry_of(ctx, tracked(ctx, number)?, table)?;
    Some(Value::Int(entry.map_or(0, |e| e.users().into())))
}

fn trackers<'a, const N: usize>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    count_trackers(ctx, N, a.first())
}

fn trackers_of<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    count_trackers(ctx, number(a, 0)?, a.get(1))
}

fn key<'a, const N: usize>(_: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    tracked(ctx, N).and_then(stick::key_value)
}

fn key_of<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    tracked(ctx, number(a, 0)?).and_then(stick::key_value)
}

fn table_used<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.first()?)?;
    Some(Value::Int(table.used(stick::now(ctx)).into()))
}

fn table_free<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.first()?)?;
    Some(Value::Int(i64::from(table.size()) - i64::from(table.used(stick::now(ctx)))))
}

//! Look-ups in stick tables (manual 7.3.1 and chapter 11): the sample is the key. They refresh nothing, unless they
//! change the entry.

use crate::args::ArgType::{Sint, Table};
use crate::args::{Arg, args};
use crate::ctx::Ctx;
use crate::row::{Converter, conv};
use crate::stick::{self, CLR, GET, INC};
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::model::DataType as D;

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv("in_table", args(1, &[Table]), Type::Any, Type::Bool, in_table, "Tells whether it is a key of the table."),
    conv("table_bytes_in_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::BytesInRate as u8 }>, "Bytes from the client in a period."),
    conv("table_bytes_out_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::BytesOutRate as u8 }>, "Bytes to the client in a period."),
    conv("table_clr_gpc", args(2, &[Sint, Table]), Type::Any, Type::Sint, indexed::<CLR, { D::Gpc as u8 }>, "Clears a counter, gives what it was."),
    conv("table_clr_gpc0", args(1, &[Table]), Type::Any, Type::Sint, entry::<CLR, { D::Gpc0 as u8 }>, "Clears the first counter, gives what it was."),
    conv("table_clr_gpc1", args(1, &[Table]), Type::Any, Type::Sint, entry::<CLR, { D::Gpc1 as u8 }>, "Clears the second counter, gives what it was."),
    conv("table_conn_cnt", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::ConnCnt as u8 }>, "Connections of the entry."),
    conv("table_conn_cur", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::ConnCur as u8 }>, "Connections that are open."),
    conv("table_conn_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::ConnRate as u8 }>, "Connections in a period."),
    conv("table_expire", args(1, &[Table, Sint]), Type::Any, Type::Sint, expire, "Time until the entry expires (ms)."),
    conv("table_glitch_cnt", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::GlitchCnt as u8 }>, "Glitches of client connections."),
    conv("table_glitch_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::GlitchRate as u8 }>, "Glitches of client connections in a period."),
    conv("table_gpc", args(2, &[Sint, Table]), Type::Any, Type::Sint, indexed::<GET, { D::Gpc as u8 }>, "A general purpose counter."),
    conv("table_gpc0", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::Gpc0 as u8 }>, "First general purpose counter."),
    conv("table_gpc0_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::Gpc0Rate as u8 }>, "Increments of the first counter in a period."),
    conv("table_gpc1", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::Gpc1 as u8 }>, "Second general purpose counter."),
    conv("table_gpc1_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::Gpc1Rate as u8 }>, "Increments of the second counter in a period."),
    conv("table_gpc_rate", args(2, &[Sint, Table]), Type::Any, Type::Sint, indexed::<GET, { D::GpcRate as u8 }>, "Increments of a counter in a period."),
    conv("table_gpt", args(2, &[Sint, Table]), Type::Any, Type::Sint, indexed::<GET, { D::Gpt as u8 }>, "A general purpose tag."),
    conv("table_gpt0", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::Gpt0 as u8 }>, "First general purpose tag."),
    conv("table_http_err_cnt", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::HttpErrCnt as u8 }>, "Requests that were wrong."),
    conv("table_http_err_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::HttpErrRate as u8 }>, "Requests that were wrong, in a period."),
    conv("table_http_fail_cnt", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::HttpFailCnt as u8 }>, "Responses that failed."),
    conv("table_http_fail_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::HttpFailRate as u8 }>, "Responses that failed, in a period."),
    conv("table_http_req_cnt", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::HttpReqCnt as u8 }>, "HTTP requests."),
    conv("table_http_req_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::HttpReqRate as u8 }>, "HTTP requests in a period."),
    conv("table_idle", args(1, &[Table, Sint]), Type::Any, Type::Sint, idle, "Time since the entry was refreshed (ms)."),
    conv("table_inc_gpc", args(2, &[Sint, Table]), Type::Any, Type::Sint, indexed::<INC, { D::Gpc as u8 }>, "Increments a counter."),
    conv("table_inc_gpc0", args(1, &[Table]), Type::Any, Type::Sint, entry::<INC, { D::Gpc0 as u8 }>, "Increments the first counter."),
    conv("table_inc_gpc1", args(1, &[Table]), Type::Any, Type::Sint, entry::<INC, { D::Gpc1 as u8 }>, "Increments the second counter."),
    conv("table_kbytes_in", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::BytesInCnt as u8 }>, "KiB from the client."),
    conv("table_kbytes_out", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::BytesOutCnt as u8 }>, "KiB to the client."),
    conv("table_server_id", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::ServerId as u8 }>, "The server that the key stands for."),
    conv("table_sess_cnt", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::SessCnt as u8 }>, "Sessions."),
    conv("table_sess_rate", args(1, &[Table]), Type::Any, Type::Sint, entry::<GET, { D::SessRate as u8 }>, "Sessions in a period."),
    conv("table_trackers", args(1, &[Table]), Type::Any, Type::Sint, trackers, "How many track the entry."),
];

fn look<'a, const ACT: u8, const DATA: u8>(
    table: &Arg,
    v: Value<'a>,
    ctx: &Ctx<'a>,
    index: u32,
) -> Option<Value<'a>> {
    let table = stick::table(ctx, table)?;
    let entry = stick::find(ctx, table, v, ACT == INC);
    stick::act::<ACT, DATA>(ctx, table, entry.as_deref(), index)
}

fn entry<'a, const ACT: u8, const DATA: u8>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    look::<ACT, DATA>(a.first()?, v, ctx, 0)
}

fn indexed<'a, const ACT: u8, const DATA: u8>(
    a: &'a [Arg],
    v: Value<'a>,
    ctx: &Ctx<'a>,
) -> Option<Value<'a>> {
    look::<ACT, DATA>(a.get(1)?, v, ctx, u32::try_from(a.first()?.int()?).ok()?)
}

fn in_table<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.first()?)?;
    Some(Value::Bool(stick::find(ctx, table, v, false).is_some()))
}

/// HAProxy 3.4 counts its own look-up too, which the manual does not mean.
fn trackers<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.first()?)?;
    Some(Value::Int(stick::find(ctx, table, v, false).map_or(0, |e| e.users().into())))
}

/// A time of an entry, or the default that the second argument gives.
fn time<'a>(
    a: &'a [Arg],
    v: Value<'a>,
    ctx: &Ctx<'a>,
    of: fn(&hawser_stick::Table, &hawser_stick::Entry, u64) -> u64,
) -> Option<Value<'a>> {
    let table = stick::table(ctx, a.first()?)?;
    match stick::find(ctx, table, v, false) {
        Some(entry) => i64::try_from(of(table, &entry, stick::now(ctx))).ok().map(Value::Int),
        None => a.get(1)?.int().map(Value::Int),
    }
}

fn expire<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    time(a, v, ctx, hawser_stick::Table::remaining)
}

fn idle<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    time(a, v, ctx, hawser_stick::Table::idle)
}

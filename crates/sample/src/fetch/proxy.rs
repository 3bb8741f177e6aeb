//! Frontends, backends and servers: names, limits, load (manual 7.3.2 and 7.3.3).

use crate::args::{Arg, ArgSpec, ArgType, NONE, args};
use crate::checkpoint::Source;
use crate::ctx::{Ctx, ServerFacts};
use crate::row::{Fetch, FetchFn, fetch};
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::model::Timeouts;

const FE: ArgSpec = args(1, &[ArgType::Frontend]);
const BE: ArgSpec = args(1, &[ArgType::Backend]);
const SRV: ArgSpec = args(1, &[ArgType::Server]);
const INTERNAL: Source = Source::INTERNAL;
const BACKEND: Source = Source::BACKEND;
const FRONTEND: Source = Source::FRONTEND;

/// Rows.
#[rustfmt::skip]
pub(super) static FETCHES: &[Fetch] = &[
    fetch("avg_queue", BE, Type::Sint, INTERNAL, avg_queue, "Queued requests for each usable server."),
    fetch("be_conn", BE, Type::Sint, INTERNAL, |a, c| num(c.rt?.be_conn(proxy(a)?)), "Connections of a backend."),
    fetch("be_conn_free", BE, Type::Sint, INTERNAL, |a, c| c.rt?.conn_free(proxy(a)?).map(Value::Int), "Connections that the servers of a backend can still take."),
    timeout("be_connect_timeout", BACKEND, |_, c| ms(be(c)?.connect), "`timeout connect` of the backend."),
    fetch("be_id", NONE, Type::Sint, BACKEND, |_, c| Some(Value::Int(i64::from(c.backend()?.id))), "Id of the backend."),
    fetch("be_name", NONE, Type::Str, BACKEND, |_, c| Some(Value::str(c.backend()?.name.as_bytes())), "Name of the backend."),
    timeout("be_queue_timeout", BACKEND, |_, c| ms(be(c)?.queue), "`timeout queue` of the backend."),
    timeout("be_server_timeout", BACKEND, |_, c| ms(be(c)?.server), "`timeout server` of the backend."),
    fetch("be_sess_rate", BE, Type::Sint, INTERNAL, |a, c| num(c.rt?.be_sess_rate(proxy(a)?)), "New sessions of a backend in a second."),
    timeout("be_tarpit_timeout", BACKEND, |_, c| ms(be(c)?.tarpit), "`timeout tarpit` of the backend."),
    timeout("be_tunnel_timeout", BACKEND, |_, c| ms(be(c)?.tunnel), "`timeout tunnel` of the backend."),
    fetch("connslots", BE, Type::Sint, INTERNAL, |a, c| c.rt?.conn_slots(proxy(a)?).map(Value::Int), "Connection and queue slots that the servers of a backend have left."),
    timeout("cur_client_timeout", FRONTEND, |_, c| ms(set(c).client.or(fe(c)?.client)), "Client timeout in force."),
    timeout("cur_connect_timeout", BACKEND, |_, c| ms(set(c).connect.or(be(c)?.connect)), "Connect timeout in force."),
    timeout("cur_queue_timeout", BACKEND, |_, c| ms(set(c).queue.or(be(c)?.queue)), "Queue timeout in force."),
    timeout("cur_server_timeout", BACKEND, |_, c| ms(set(c).server.or(be(c)?.server)), "Server timeout in force."),
    timeout("cur_tarpit_timeout", FRONTEND.or(BACKEND), |_, c| ms(set(c).tarpit.or(be(c)?.tarpit)), "Tarpit timeout in force."),
    timeout("cur_tunnel_timeout", BACKEND, |_, c| ms(set(c).tunnel.or(be(c)?.tunnel)), "Tunnel timeout in force."),
    timeout("fe_client_timeout", FRONTEND, |_, c| ms(fe(c)?.client), "`timeout client` of the frontend."),
    fetch("fe_conn", FE, Type::Sint, INTERNAL, |a, c| num(c.rt?.fe_conn(proxy(a)?)), "Connections of a frontend."),
    fetch("fe_defbe", NONE, Type::Str, FRONTEND, |_, c| c.sess?.frontend.default_backend.as_ref().map(|b| Value::str(b.as_bytes())), "Default backend of the frontend."),
    fetch("fe_id", NONE, Type::Sint, FRONTEND, |_, c| Some(Value::Int(i64::from(c.sess?.frontend.id))), "Id of the frontend."),
    fetch("fe_name", NONE, Type::Str, FRONTEND, |_, c| Some(Value::str(c.sess?.frontend.name.as_bytes())), "Name of the frontend."),
    fetch("fe_req_rate", FE, Type::Sint, INTERNAL, |a, c| num(c.rt?.fe_req_rate(proxy(a)?)), "Requests of a frontend in a second."),
    fetch("fe_sess_rate", FE, Type::Sint, INTERNAL, |a, c| num(c.rt?.fe_sess_rate(proxy(a)?)), "New sessions of a frontend in a second."),
    timeout("fe_tarpit_timeout", FRONTEND, |_, c| ms(fe(c)?.tarpit), "`timeout tarpit` of the frontend."),
    fetch("nbsrv", BE, Type::Sint, INTERNAL, |a, c| num(c.rt?.usable_servers(proxy(a)?)), "Usable servers of a backend."),
    fetch("queue", BE, Type::Sint, INTERNAL, |a, c| num(c.rt?.queued(proxy(a)?)), "Queued requests of a backend."),
    server("srv_conn", Type::Sint, |a, c| num(Some(facts(a, c)?.conn)), "Connections of a server."),
    server("srv_conn_free", Type::Sint, |a, c| Some(Value::Int(free(facts(a, c)?))), "Connections that a server can still take."),
    fetch("srv_id", NONE, Type::Sint, Source::SERVER, |_, c| c.strm?.server.as_ref().map(|_| Value::Int(c.strm.map_or(0, |s| i64::from(s.server_id)))), "Id of the server."),
    server("srv_is_up", Type::Bool, |a, c| Some(Value::Bool(facts(a, c)?.up)), "Whether a server is up."),
    server("srv_iweight", Type::Sint, |a, c| num(Some(facts(a, c)?.init_weight)), "Configured weight of a server."),
    fetch("srv_name", NONE, Type::Str, Source::SERVER, |_, c| c.strm?.server.as_ref().map(|s| Value::str(s.as_bytes())), "Name of the server."),
    server("srv_queue", Type::Sint, |a, c| num(Some(facts(a, c)?.queued)), "Requests in the queue of a server."),
    server("srv_sess_rate", Type::Sint, |a, c| num(Some(facts(a, c)?.sess_rate)), "New sessions of a server in a second."),
    server("srv_uweight", Type::Sint, |a, c| num(Some(facts(a, c)?.user_weight)), "Weight of a server as the user set it."),
    server("srv_weight", Type::Sint, |a, c| num(Some(facts(a, c)?.weight)), "Effective weight of a server."),
];

const fn timeout(name: &'static str, src: Source, run: FetchFn, help: &'static str) -> Fetch {
    fetch(name, NONE, Type::Sint, src, run, help)
}

const fn server(name: &'static str, out: Type, run: FetchFn, help: &'static str) -> Fetch {
    fetch(name, SRV, out, INTERNAL, run, help)
}

fn num<'a>(n: Option<u32>) -> Option<Value<'a>> {
    n.map(|n| Value::Int(i64::from(n)))
}

/// A timeout in milliseconds, 0 for none.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a fetch's result")]
fn ms<'a>(t: Option<u32>) -> Option<Value<'a>> {
    Some(Value::Int(i64::from(t.unwrap_or(0))))
}

fn proxy(a: &[Arg]) -> Option<usize> {
    if let Some(Arg::Proxy(p)) = a.first() { Some(*p) } else { None }
}

fn fe<'a>(ctx: &Ctx<'a>) -> Option<&'a Timeouts> {
    Some(&ctx.sess?.frontend.timeouts)
}

fn be<'a>(ctx: &Ctx<'a>) -> Option<&'a Timeouts> {
    Some(&ctx.backend()?.timeouts)
}

/// Timeouts that rules have set.
fn set(ctx: &Ctx<'_>) -> Timeouts {
    ctx.strm.map(|s| s.set_timeouts).unwrap_or_default()
}

fn facts(a: &[Arg], ctx: &Ctx<'_>) -> Option<ServerFacts> {
    if let Some(Arg::Server(be, srv)) = a.first() { ctx.rt?.server(*be, *srv) } else { None }
}

fn free(s: ServerFacts) -> i64 {
    if s.maxconn == 0 { -1 } else { (i64::from(s.maxconn) - i64::from(s.conn)).max(0) }
}

/// Queued requests divided by usable servers, rounded up; twice the queue without any server.
fn avg_queue<'a>(a: &'a [Arg], ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let (rt, p) = (ctx.rt?, proxy(a)?);
    let (queued, servers) = (i64::from(rt.queued(p)?), i64::from(rt.usable_servers(p)?));
    Some(Value::Int(if servers > 0 { (queued + servers - 1) / servers } else { queued * 2 }))
}

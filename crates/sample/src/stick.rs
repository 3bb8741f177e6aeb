//! What fetches, converters and rules share of stick tables: keys from samples, entries from arguments.

use crate::args::Arg;
use crate::ctx::Ctx;
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::model::{DataType, Form, KeyType};
use hawser_stick::{Entry, Key, Table, Tracked};
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Reads it.
pub(crate) const GET: u8 = 0;
/// Increments it.
pub(crate) const INC: u8 = 1;
/// Clears it.
pub(crate) const CLR: u8 = 2;

/// The sample type that keys of a table are made from.
pub fn key_type(kind: KeyType) -> Type {
    match kind {
        KeyType::Ipv4 => Type::Ipv4,
        KeyType::Ipv6 => Type::Ipv6,
        KeyType::Integer => Type::Sint,
        KeyType::String(_) => Type::Str,
        KeyType::Binary(_) => Type::Bin,
    }
}

/// The key that a sample is in a table; `None` where it cannot be one.
pub fn key(table: &Table, v: Value<'_>) -> Option<Key> {
    let key = match v.cast(key_type(table.key_type()))? {
        Value::Ip4(a) => Key::from_slice(&a.octets()),
        Value::Ip6(a) => Key::from_slice(&a.octets()),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "keys are the low 32 bits"
        )]
        Value::Int(i) => Key::from_slice(&(i as u32).to_be_bytes()),
        Value::Str(s) | Value::Bin(s) | Value::Method(s) => Key::from_slice(&s),
        Value::Bool(_) => return None,
    };
    Some(table.fit(key))
}

/// The sample that a tracked key is.
pub(crate) fn key_value<'a>(tracked: &Tracked) -> Option<Value<'a>> {
    let key = tracked.entry().key();
    Some(match tracked.table().key_type() {
        KeyType::Ipv4 => Value::Ip4(Ipv4Addr::from(<[u8; 4]>::try_from(key).ok()?)),
        KeyType::Ipv6 => Value::Ip6(Ipv6Addr::from(<[u8; 16]>::try_from(key).ok()?)),
        KeyType::Integer => Value::Int(u32::from_be_bytes(key.try_into().ok()?).into()),
        KeyType::String(_) => Value::Str(Cow::Owned(key.to_vec())),
        KeyType::Binary(_) => Value::Bin(Cow::Owned(key.to_vec())),
    })
}

/// The present moment for tables (ms).
pub(crate) fn now(ctx: &Ctx<'_>) -> u64 {
    ctx.rt.map_or(0, |rt| rt.now_ms())
}

/// The table of an argument.
pub(crate) fn table<'a>(ctx: &Ctx<'a>, arg: &Arg) -> Option<&'a Arc<Table>> {
    let Arg::Table(index) = arg else { return None };
    ctx.rt?.table(*index)
}

/// The entry of a key, made if `make` says so and there is none.
pub(crate) fn find(ctx: &Ctx<'_>, table: &Table, v: Value<'_>, make: bool) -> Option<Arc<Entry>> {
    let (key, now) = (key(table, v)?, now(ctx));
    if make { table.find_or_make(&key, now) } else { table.find(&key, now) }
}

/// The tracked entry, or the entry with the same key in the table of an argument, where keys are of the same kind.
pub(crate) fn entry_of<'a>(
    ctx: &Ctx<'a>,
    tracked: &'a Tracked,
    other: Option<&Arg>,
) -> Option<(&'a Table, Option<Arc<Entry>>)> {
    match other {
        Some(arg @ Arg::Table(_)) => {
            let table = table(ctx, arg)?;
            let same = table.key_type() == tracked.table().key_type();
            same.then(|| (&**table, table.find(tracked.entry().key(), now(ctx))))
        }
        _ => Some((tracked.table(), Some(tracked.entry().clone()))),
    }
}

/// Does something with what an entry stores. Without an entry all counters are zero.
pub(crate) fn act<'a, const ACT: u8, const DATA: u8>(
    ctx: &Ctx<'_>,
    table: &Table,
    entry: Option<&Entry>,
    index: u32,
) -> Option<Value<'a>> {
    let Some(entry) = entry else { return Some(Value::Int(0)) };
    let (data, now) = (DataType::at(DATA), now(ctx));
    let value = match ACT {
        INC => increment(table, entry, data, index, now),
        CLR => table.clear(entry, data, index, now)?,
        _ => table.read(entry, data, index, now)?,
    };
    // Bytes are asked for in KiB.
    Some(Value::Int(if data.form() == Form::Bytes { value >> 10 } else { value }))
}

/// Counts on a general purpose counter and on its rate: the counter is given, else the events of the rate's period.
fn increment(table: &Table, entry: &Entry, data: DataType, index: u32, now: u64) -> i64 {
    let rate = table.add(entry, counter_rate(data), index, 1, now);
    table.add(entry, data, index, 1, now).or(rate).unwrap_or(0)
}

/// The rate that belongs to a general purpose counter.
pub fn counter_rate(counter: DataType) -> DataType {
    match counter {
        DataType::Gpc0 => DataType::Gpc0Rate,
        DataType::Gpc1 => DataType::Gpc1Rate,
        _ => DataType::GpcRate,
    }
}

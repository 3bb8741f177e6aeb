//! Hashes of binary data.

use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::ctx::Ctx;
use crate::hash;
use crate::row::{ConvFn, Converter, conv};
use crate::types::Type;
use crate::value::Value;

const SEED: ArgSpec = args(0, &[ArgType::Sint]);

/// Rows.
pub(super) static CONVERTERS: &[Converter] = &[
    row("crc32", |a, v, _| small(a, v, hash::crc32), "Hashes with CRC32."),
    row("crc32c", |a, v, _| small(a, v, hash::crc32c), "Hashes with CRC32C."),
    row("djb2", |a, v, _| small(a, v, hash::djb2), "Hashes with DJB2."),
    row("sdbm", |a, v, _| small(a, v, hash::sdbm), "Hashes with SDBM."),
    row("wt6", |a, v, _| small(a, v, hash::wt6), "Hashes with WT6."),
    row("xxh3", |a, v, _| large(a, v, hash::xxh3), "Hashes with XXH3 on 64 bits, with a seed."),
    row("xxh32", xxh32, "Hashes with XXH32, with a seed."),
    row("xxh64", |a, v, _| large(a, v, hash::xxh64), "Hashes with XXH64, with a seed."),
];

const fn row(name: &'static str, run: ConvFn, help: &'static str) -> Converter {
    conv(name, SEED, Type::Bin, Type::Sint, run, help)
}

/// A 32-bit hash, with a full avalanche when the argument is not zero.
fn small<'a>(a: &'a [Arg], v: Value<'a>, f: fn(&[u8]) -> u32) -> Option<Value<'a>> {
    let h = f(&v.into_bin());
    let full = a.first().and_then(Arg::int).is_some_and(|i| i != 0);
    Some(Value::Int(i64::from(if full { hash::avalanche(h) } else { h })))
}

/// A 64-bit hash with a seed.
fn large<'a>(a: &'a [Arg], v: Value<'a>, f: fn(&[u8], u64) -> u64) -> Option<Value<'a>> {
    Some(Value::Int(f(&v.into_bin(), seed(a)).cast_signed()))
}

#[expect(clippy::cast_possible_truncation, reason = "the seed has 32 bits")]
fn xxh32<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    Some(Value::Int(i64::from(hash::xxh32(&v.into_bin(), seed(a) as u32))))
}

fn seed(a: &[Arg]) -> u64 {
    a.first().and_then(Arg::int).unwrap_or(0).cast_unsigned()
}

//! Message digests and what is built on them.

use super::num::{text, text_or_var};
use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, conv, conv0};
use crate::types::Type;
use crate::value::Value;
use crate::vars::VarId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{KeyInit as _, Mac as _};
use sha2::Digest as _;
use std::borrow::Cow;
use std::sync::Arc;

const ALGO: ArgSpec = args(1, &[ArgType::Str]);

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv("digest", ALGO, Type::Bin, Type::Bin, digest, "Computes a message digest.").check(digest_args),
    conv("hmac", args(2, &[ArgType::Str, ArgType::Str]), Type::Bin, Type::Bin, hmac, "Computes a keyed message digest.").check(hmac_args),
    conv("secure_memcmp", ALGO, Type::Bin, Type::Bool, secure_memcmp, "Compares with a variable in constant time.").check(var_arg),
    conv0("sha1", Type::Bin, Type::Bin, |_, v, _| Some(Algo::Sha1.value(&v.into_bin())), "Computes a SHA-1 digest."),
    conv("sha2", args(0, &[ArgType::Sint]), Type::Bin, Type::Bin, digest, "Computes a SHA-2 digest of so many bits.").check(sha2_args),
];

/// A digest algorithm.
#[derive(Clone, Copy, Debug)]
enum Algo {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

impl Algo {
    /// The algorithm of that OpenSSL name, whatever its case.
    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "md5" => Self::Md5,
            "sha1" | "sha-1" => Self::Sha1,
            "sha224" | "sha-224" | "sha2-224" => Self::Sha224,
            "sha256" | "sha-256" | "sha2-256" => Self::Sha256,
            "sha384" | "sha-384" | "sha2-384" => Self::Sha384,
            "sha512" | "sha-512" | "sha2-512" => Self::Sha512,
            "sha512-224" | "sha-512/224" | "sha2-512/224" => Self::Sha512_224,
            "sha512-256" | "sha-512/256" | "sha2-512/256" => Self::Sha512_256,
            _ => return None,
        })
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(data).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Sha224 => sha2::Sha224::digest(data).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(data).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(data).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(data).to_vec(),
            Self::Sha512_224 => sha2::Sha512_224::digest(data).to_vec(),
            Self::Sha512_256 => sha2::Sha512_256::digest(data).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        macro_rules! mac {
            ($hash:ty) => {{
                // Any key length is fine for HMAC.
                let mut m = hmac::Hmac::<$hash>::new_from_slice(key).ok()?;
                m.update(data);
                Some(m.finalize().into_bytes().to_vec())
            }};
        }
        match self {
            Self::Md5 => mac!(md5::Md5),
            Self::Sha1 => mac!(sha1::Sha1),
            Self::Sha224 => mac!(sha2::Sha224),
            Self::Sha256 => mac!(sha2::Sha256),
            Self::Sha384 => mac!(sha2::Sha384),
            Self::Sha512 => mac!(sha2::Sha512),
            Self::Sha512_224 => mac!(sha2::Sha512_224),
            Self::Sha512_256 => mac!(sha2::Sha512_256),
        }
    }

    fn value<'a>(self, data: &[u8]) -> Value<'a> {
        Value::Bin(Cow::Owned(self.digest(data)))
    }
}

fn digest<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    Some(a.first()?.own::<Algo>()?.value(&v.into_bin()))
}

fn digest_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let algo = Algo::of(a[0].word())
        .ok_or_else(|| Error::new("algorithm must be a valid OpenSSL message digest name."))?;
    a[0] = Arg::Own(Arc::new(algo));
    Ok(())
}

fn sha2_args(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    let algo = match a[0].int().unwrap_or(256) {
        224 => Algo::Sha224,
        256 => Algo::Sha256,
        384 => Algo::Sha384,
        512 => Algo::Sha512,
        n => return Err(Error::new(format!("Unsupported number of bits: '{n}'"))),
    };
    a[0] = Arg::Own(Arc::new(algo));
    Ok(())
}

fn hmac<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let key = match &a[1] {
        k @ Arg::Var(_) => Cow::Owned(STANDARD.decode(text(k, ctx)?).ok()?),
        k => Cow::Borrowed(k.text()),
    };
    let mac = a[0].own::<Algo>()?.hmac(&key, &v.into_bin())?;
    Some(Value::Bin(Cow::Owned(mac)))
}

fn hmac_args(cx: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    digest_args(cx, a)?;
    text_or_var(a, 1);
    if let Arg::Str(k) = &a[1] {
        let key = STANDARD.decode(k).map_err(|_| {
            Error::new(
                "failed to parse key : argument needs to be base64 encoded, and can either be a string or a variable",
            )
        })?;
        a[1] = Arg::Str(key.into());
    }
    Ok(())
}

fn secure_memcmp<'a>(a: &'a [Arg], v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Var(id) = a.first()? else { return None };
    let other = ctx.var(*id)?.into_bin();
    let same = subtle::ConstantTimeEq::ct_eq(&*v.into_bin(), &*other);
    Some(Value::Bool(bool::from(same)))
}

/// Turns the only argument into a variable.
pub(super) fn var_arg(_: &mut CompileCx<'_>, a: &mut [Arg]) -> Result<(), Error> {
    a[0] = Arg::Var(VarId::parse(a[0].word())?);
    Ok(())
}

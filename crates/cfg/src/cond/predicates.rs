//! The predicates, one row each.

use super::CondCx;
use crate::env::Env;
use crate::features;

/// A predicate: its arguments are counted by the parser, `run` returns the argument that it cannot use.
#[derive(Debug)]
pub(super) struct Predicate {
    pub(super) name: &'static str,
    pub(super) args: usize,
    pub(super) run: fn(&[String], &Env, &CondCx<'_>) -> Result<bool, String>,
}

const fn predicate(
    name: &'static str,
    args: usize,
    run: fn(&[String], &Env, &CondCx<'_>) -> Result<bool, String>,
) -> Predicate {
    Predicate { name, args, run }
}

/// All predicates of manual 2.4.
#[rustfmt::skip]
pub(super) static PREDICATES: &[Predicate] = &[
    predicate("awslc_api_atleast",       1, |_, _, _| Ok(false)),
    predicate("awslc_api_before",        1, |_, _, _| Ok(false)),
    predicate("defined",                 1, |a, env, _| Ok(env.get(arg(a, 0)).is_some())),
    predicate("enabled",                 1, |a, _, cx| Ok(cx.enabled.contains(&arg(a, 0)))),
    predicate("feature",                 1, |a, _, cx| Ok(features::has(cx.features, arg(a, 0)))),
    predicate("openssl_version_atleast", 1, |a, _, cx| openssl(arg(a, 0), cx, |ours, wanted| ours >= wanted)),
    predicate("openssl_version_before",  1, |a, _, cx| openssl(arg(a, 0), cx, |ours, wanted| ours < wanted)),
    predicate("ssllib_name_startswith",  1, |a, _, cx| Ok(cx.ssl_lib.is_some_and(|l| l.name.starts_with(arg(a, 0))))),
    predicate("streq",                   2, |a, _, _| Ok(arg(a, 0) == arg(a, 1))),
    predicate("strneq",                  2, |a, _, _| Ok(arg(a, 0) != arg(a, 1))),
    predicate("strstr",                  2, |a, _, _| Ok(arg(a, 0).contains(arg(a, 1)))),
    predicate("version_atleast",         1, |a, _, cx| Ok(version(cx.version) >= version(arg(a, 0)))),
    predicate("version_before",          1, |a, _, cx| Ok(version(cx.version) < version(arg(a, 0)))),
];

fn arg(args: &[String], i: usize) -> &str {
    args.get(i).map_or("", String::as_str)
}

/// Without a TLS library there is no version to compare: both predicates are false.
fn openssl(text: &str, cx: &CondCx<'_>, holds: fn([u8; 3], [u8; 3]) -> bool) -> Result<bool, String> {
    let mut parts = text.splitn(3, '.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part[..digits].parse::<u8>().or(if digits == 0 { Ok(0) } else { Err(()) }).ok()
    });
    let mut next = || parts.next().flatten().ok_or_else(|| text.to_owned());
    let wanted = [next()?, next()?, next()?];
    Ok(cx.ssl_lib.is_some_and(|lib| holds(lib.openssl_version, wanted)))
}

/// What comes after the three numbers of a version, in the order of releases.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    /// `-devN`.
    Dev(u32),
    /// `-rcN`.
    Candidate(u32),
    /// The release, and how many commits came after it (`-N`).
    Release(u32),
}

/// A comparable version; missing parts are zero, and what cannot be understood is ignored.
fn version(text: &str) -> ([u32; 3], Stage) {
    let mut numbers = [0; 3];
    let mut rest = text.trim_start();
    for (i, number) in numbers.iter_mut().enumerate() {
        if i > 0 {
            let Some(after) = rest.strip_prefix('.') else { break };
            rest = after;
        }
        (*number, rest) = leading_number(rest);
    }
    let suffix = rest.strip_prefix('-').unwrap_or_default();
    let stage = if let Some(n) = suffix.strip_prefix("dev") {
        Stage::Dev(leading_number(n).0)
    } else if let Some(n) = suffix.strip_prefix("rc") {
        Stage::Candidate(leading_number(n).0)
    } else {
        // `-64` counts commits, `-64a335366` names one.
        let (commits, after) = leading_number(suffix);
        Stage::Release(if after.is_empty() { commits } else { 0 })
    };
    (numbers, stage)
}

fn leading_number(text: &str) -> (u32, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    (if digits == 0 { 0 } else { number.parse().unwrap_or(u32::MAX) }, rest)
}

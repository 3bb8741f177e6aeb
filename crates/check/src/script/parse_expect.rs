//! `expect` lines.

use super::expect::{HeaderMatch, Pattern};
use super::{Data, Expect, Match, unhex};
use crate::status::Status;
use hawser_cfg::pos::Word;
use hawser_sample::logformat::Flavor;
use hawser_sample::{CompileCx, Expr, LogFormat};
use regex::bytes::Regex;

type Parsed<T> = Result<T, String>;

const OK: &[&str] = &["L4OK", "L6OK", "L7OK", "L7OKC"];
const ERROR: &[&str] = &["L4CON", "L6RSP", "L7OKC", "L7RSP", "L7STS"];
const TIMEOUT: &[&str] = &["L4TOUT", "L6TOUT", "L7TOUT"];

/// What stands before the match.
#[derive(Default)]
struct Head {
    negate: bool,
    min_recv: Option<usize>,
    comment: Option<String>,
    ok: Option<Status>,
    error: Option<Status>,
    timeout: Option<Status>,
    on_success: Option<LogFormat>,
    on_error: Option<LogFormat>,
    status_code: Option<Expr>,
}

/// Parses what follows `expect`.
pub(super) fn parse(cx: &mut CompileCx<'_>, http: bool, args: &[Word]) -> Parsed<(Expect, Option<String>)> {
    let mut head = Head::default();
    let mut at = 0;
    let mut what = None;
    while at < args.len() {
        let word = args[at].as_str();
        if option(cx, &mut head, args, &mut at)? {
            continue;
        }
        let (bang, kind) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        head.negate |= bang;
        if bang && kind.is_empty() {
            at += 1;
            continue;
        }
        if what.is_some() {
            return Err(unknown(http, word));
        }
        at += 1;
        what = Some(match_of(cx, http, kind, word, args, &mut at)?);
    }
    let what = what.ok_or("expects at least a matching pattern as arguments")?;
    let expect = Expect {
        negate: head.negate,
        what,
        min_recv: head.min_recv,
        ok: head.ok.unwrap_or(Status::L7Ok),
        error: head.error,
        timeout: head.timeout.unwrap_or(Status::L7Tout),
        on_success: head.on_success,
        on_error: head.on_error,
        status_code: head.status_code,
    };
    Ok((expect, head.comment))
}

/// Takes an option and its argument, if there is one at `at`.
fn option(cx: &mut CompileCx<'_>, head: &mut Head, args: &[Word], at: &mut usize) -> Parsed<bool> {
    let word = args[*at].as_str();
    let known = [
        "min-recv",
        "comment",
        "ok-status",
        "error-status",
        "tout-status",
        "on-success",
        "on-error",
        "status-code",
    ];
    if !known.contains(&word) {
        return Ok(false);
    }
    let value = args.get(*at + 1).map(Word::as_str).ok_or_else(|| format!("'{word}' expects an argument"))?;
    match word {
        // -1 leaves it unset; what is no number counts as 0, as HAProxy has it.
        "min-recv" => match value.parse::<i64>().unwrap_or(0) {
            n if n < -1 => return Err(format!("'{word}' expects -1 or a positive integer (got '{value}')")),
            n => head.min_recv = usize::try_from(n).ok(),
        },
        "comment" => head.comment = Some(value.into()),
        "ok-status" => head.ok = Some(status(word, value, OK)?),
        "error-status" => head.error = Some(status(word, value, ERROR)?),
        "tout-status" => head.timeout = Some(status(word, value, TIMEOUT)?),
        "on-success" => head.on_success = Some(format(cx, value)?),
        "on-error" => head.on_error = Some(format(cx, value)?),
        _ => {
            *at += 1;
            let e =
                Expr::parse(cx, args, at).map_err(|e| format!("error in 'status-code' expression: {e}"))?;
            head.status_code = Some(e);
            return Ok(true);
        }
    }
    *at += 2;
    Ok(true)
}

fn match_of(
    cx: &mut CompileCx<'_>,
    http: bool,
    kind: &str,
    word: &str,
    args: &[Word],
    at: &mut usize,
) -> Parsed<Match> {
    let applies = match kind {
        "string" | "rstring" | "string-lf" => true,
        "binary" | "rbinary" | "binary-lf" => !http,
        "status" | "rstatus" | "hdr" | "fhdr" => http,
        _ => false,
    };
    if !applies {
        return Err(unknown(http, word));
    }
    if kind == "hdr" || kind == "fhdr" {
        return Ok(Match::Header(Box::new(header(kind, args, at)?)));
    }
    let pattern = args.get(*at).ok_or_else(|| format!("'{kind}' expects a <pattern> as argument"))?;
    *at += 1;
    Ok(match kind {
        "string" => Match::Text(pattern.octets().into_owned()),
        "rstring" => Match::Regex(regex(pattern)?),
        "string-lf" => Match::Format(Data::Format(format(cx, pattern)?)),
        "binary" => Match::Binary(
            unhex(pattern.as_bytes())
                .ok_or("invalid binary string (an even number of hex digit is expected)")?,
        ),
        "rbinary" => Match::HexRegex(regex(pattern)?),
        "binary-lf" => Match::Format(Data::HexFormat(format(cx, pattern)?)),
        "status" => Match::Codes(codes(pattern)?),
        _ => Match::CodeRegex(regex(pattern)?),
    })
}

fn header(kind: &str, args: &[Word], at: &mut usize) -> Parsed<HeaderMatch> {
    let missing = || format!("'{kind}' expects at the name keyword as first argument followed by a pattern");
    let word = |at: usize| args.get(at).map(Word::as_str);
    match word(*at) {
        Some("name") => {}
        Some("name-lf") => return Err("'name-lf' is not supported yet (formats of header patterns)".into()),
        _ => return Err(missing()),
    }
    *at += 1;
    let name = pattern(kind, args, at, true)?.ok_or_else(missing)?;
    let value = match word(*at) {
        Some("value") => {
            *at += 1;
            Some(pattern(kind, args, at, false)?.ok_or_else(|| format!("'{kind}' : no value pattern"))?)
        }
        Some("value-lf") => return Err("'value-lf' is not supported yet (formats of header patterns)".into()),
        _ => None,
    };
    Ok(HeaderMatch { full: kind == "fhdr", name, value })
}

fn pattern(kind: &str, args: &[Word], at: &mut usize, lower: bool) -> Parsed<Option<Pattern>> {
    let mut method = "str";
    if args.get(*at).is_some_and(|w| w.as_str() == "-m") {
        method =
            args.get(*at + 1).map(Word::as_str).ok_or_else(|| format!("'{kind}' : missing match method"))?;
        *at += 2;
    }
    if !["str", "beg", "end", "sub", "reg"].contains(&method) {
        return Err(format!(
            "'{kind}' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got '{method}')"
        ));
    }
    let Some(w) = args.get(*at) else { return Ok(None) };
    *at += 1;
    let mut text = w.octets().into_owned();
    if lower {
        text.make_ascii_lowercase();
    }
    Ok(Some(match method {
        "str" => Pattern::Is(text),
        "beg" => Pattern::Begins(text),
        "end" => Pattern::Ends(text),
        "sub" => Pattern::Contains(text),
        // Names are compared in lower case.
        _ if lower => Pattern::Regex(regex_with(w, "(?i)")?),
        _ => Pattern::Regex(regex(w)?),
    }))
}

/// `200,301-399`.
fn codes(list: &str) -> Parsed<Vec<(u16, u16)>> {
    if let Some(c) = list.chars().find(|c| !c.is_ascii_digit() && !matches!(c, ',' | '-')) {
        return Err(format!("invalid character '{c}' in the list of status codes"));
    }
    let number = |s: &str| s.parse::<u16>().unwrap_or(u16::MAX);
    let ranges = list.split(',').filter(|r| !r.is_empty()).map(|r| match r.split_once('-') {
        Some((low, high)) => (number(low), number(high)),
        None => (number(r), number(r)),
    });
    Ok(ranges.collect())
}

fn regex(w: &str) -> Parsed<Regex> {
    regex_with(w, "")
}

fn regex_with(w: &str, flags: &str) -> Parsed<Regex> {
    Regex::new(&format!("{flags}{w}")).map_err(|e| {
        let text = e.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("regex '{w}' is invalid (error={reason})")
    })
}

fn format(cx: &mut CompileCx<'_>, text: &str) -> Parsed<LogFormat> {
    LogFormat::parse(cx, text, Flavor::Value).map_err(|e| e.to_string())
}

fn status(word: &str, code: &str, allowed: &[&str]) -> Parsed<Status> {
    match Status::of_code(code).filter(|_| allowed.contains(&code)) {
        Some(s) => Ok(s),
        None => {
            let quoted: Vec<String> = allowed.iter().map(|a| format!("'{a}'")).collect();
            let (last, most) = quoted.split_last().map_or(("", &[][..]), |(l, m)| (l.as_str(), m));
            Err(format!("'{word}' only supports {} or {last} status (got '{code}').", most.join(", ")))
        }
    }
}

fn unknown(http: bool, word: &str) -> String {
    let list = if http {
        "'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', '[!]rstatus', [!]hdr, [!]fhdr"
    } else {
        "'only supports min-recv, '[!]binary', '[!]string', '[!]rstring', '[!]string-lf''[!]rbinary', '[!]binary-lf'"
    };
    format!("{list} or comment but got '{word}' as argument.")
}

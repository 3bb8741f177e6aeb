//! `errorfile`, `errorloc*`, `errorfiles` and `http-error` (manual 4.2), also used by `http-errors` sections.

use crate::model::{ErrorDecl, ErrorKind, Proxy};
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;

/// Status codes that have an error document.
pub(crate) const CODES: &[u16] = &[
    200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
];

/// A file that is bigger than this cannot be sent from one buffer.
const MAX_FILE: u64 = 1 << 20;

/// `errorfile <code> <file>`.
pub(crate) fn errorfile(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if let Some(decl) = file(cx, line) {
        p.errors.push(decl);
    }
}

/// Parses `errorfile`; reads the file.
pub(crate) fn file(cx: &mut Ctx<'_>, line: &Line<'_>) -> Option<ErrorDecl> {
    let code = code_and(cx, line, "<file>")?;
    let name = line.arg(1);
    let path = cx.path(name);
    let data = match std::fs::metadata(&path) {
        Ok(m) if m.len() > MAX_FILE => {
            cx.alert_arg(line, 1, format!("errorfile : file '{name}' is too large."));
            return None;
        }
        _ => std::fs::read(&path),
    };
    let Ok(data) = data else {
        cx.alert_arg(line, 1, format!("errorfile : error opening file '{name}'."));
        return None;
    };
    if let Err(why) = document(&data) {
        cx.alert_arg(line, 1, format!("errorfile : '{name}': {why}"));
        return None;
    }
    let kind = ErrorKind::File { code, path: path.to_string_lossy().into_owned(), data: data.into() };
    Some(ErrorDecl { pos: line.pos, kind })
}

/// Whether a file is empty, or an HTTP/1 response whose head and length hold together.
fn document(data: &[u8]) -> Result<(), String> {
    if data.is_empty() {
        return Ok(());
    }
    let unparsable = |at: usize| Err(format!("unable to parse headers (error offset: {at})"));
    if !data.starts_with(b"HTTP/") {
        return unparsable(0);
    }
    let mut at = 0;
    let mut length: Option<usize> = None;
    for line in data.split_inclusive(|&b| b == b'\n') {
        let next = at + line.len();
        let Some(text) = line.strip_suffix(b"\n") else { return unparsable(next) };
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            let body = data.len() - next;
            return match length {
                Some(n) if n != body => {
                    Err(format!("payload size does not match the announced content-length ({body} != {n})"))
                }
                _ => Ok(()),
            };
        }
        if at > 0 {
            let Some(colon) = text.iter().position(|&b| b == b':') else { return unparsable(at) };
            let name = &text[..colon];
            if name.is_empty() || name.iter().any(|b| !b.is_ascii_graphic()) {
                return unparsable(at);
            }
            if name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Err("chunk-encoded payload not supported".into());
            }
            if name.eq_ignore_ascii_case(b"content-length") {
                let value = std::str::from_utf8(&text[colon + 1..]).ok().and_then(|v| v.trim().parse().ok());
                let Some(n) = value else { return unparsable(at) };
                length = Some(n);
            }
        }
        at = next;
    }
    unparsable(at)
}

/// `errorloc`, `errorloc302`, `errorloc303`.
pub(crate) fn errorloc(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let Some(code) = code_and(cx, line, "<url>") else { return };
    let status = if line.word() == "errorloc303" { 303 } else { 302 };
    let url = line.arg(1).to_owned();
    p.errors.push(ErrorDecl { pos: line.pos, kind: ErrorKind::Loc { code, status, url } });
}

fn code_and(cx: &mut Ctx<'_>, line: &Line<'_>, what: &str) -> Option<u16> {
    let kw = line.word();
    if line.len() < 2 {
        cx.alert(line, format!("{kw} : expects <status_code> and {what} as arguments."));
        return None;
    }
    if line.len() > 2 {
        cx.alert_arg(line, 2, format!("{kw} : expects exactly two arguments."));
        return None;
    }
    handled(cx, line, 0)
}

fn handled(cx: &mut Ctx<'_>, line: &Line<'_>, arg: usize) -> Option<u16> {
    let code = line.arg(arg).parse().ok().filter(|c| CODES.contains(c));
    if code.is_none() {
        let text = format!("{} : status code '{}' not handled.", line.word(), line.arg(arg));
        cx.alert_arg(line, arg, text);
    }
    code
}

/// `errorfiles <section> [codes]`.
pub(crate) fn errorfiles(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.len() == 0 {
        cx.alert(line, "errorfiles : expects <name> as argument.");
        return;
    }
    let mut codes = Vec::new();
    for i in 1..line.len() {
        match handled(cx, line, i) {
            Some(code) => codes.push(code),
            None => return,
        }
    }
    p.errors.push(ErrorDecl { pos: line.pos, kind: ErrorKind::Files { section: line.owned(0), codes } });
}

/// `http-error status <code> …`; the reply itself is compiled with the `return` action.
pub(crate) fn http_error(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.arg(0) != "status" {
        cx.alert(line, "http-error : expects at least a <status> as arguments.");
        return;
    }
    match line.arg(1).parse::<u16>() {
        _ if line.arg(1).is_empty() => {
            cx.alert_arg(line, 0, "http-error : 'status' expects <status_code> as argument");
        }
        Ok(code) if CODES.contains(&code) => {
            p.errors.push(ErrorDecl { pos: line.pos, kind: ErrorKind::HttpError(line.owned_from(0)) });
        }
        Ok(code @ 200..=599) => {
            cx.alert_arg(line, 1, format!("http-error: status code '{code}' not handled."));
        }
        _ => {
            cx.alert_arg(line, 1, format!("http-error : Unexpected status code '{}'", line.arg(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let cases: &[(&str, bool)] = &[
            ("", true),
            ("HTTP/1.0 503 Service Unavailable\r\n\r\nhi", true),
            ("HTTP/1.0 503 X\nA: b\n\nhi", true),
            ("HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\nhi", true),
            ("HTTP/1.1 503 X\r\nContent-Length: 100\r\n\r\nhi", false),
            ("HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false),
            ("HTTP/1.1 503 X\r\nbad header\r\n\r\nhi", false),
            ("HTTP/1.0 503 x", false),
            ("HTTP/1.0 503 x\r\nA: b\r\n", false),
            ("<html>", false),
        ];
        for (data, ok) in cases {
            assert_eq!(document(data.as_bytes()).is_ok(), *ok, "{data:?}");
        }
    }
}

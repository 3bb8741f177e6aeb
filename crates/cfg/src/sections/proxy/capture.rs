//! `capture` and `declare capture` (manual 4.2).

use crate::model::{HeaderCapture, Proxy};
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;

/// `capture cookie|request header|response header <name> len <length>`.
pub(crate) fn capture(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    match (line.arg(0), line.arg(1)) {
        ("cookie", name) => {
            if name.is_empty() || line.arg(2) != "len" || line.arg(3).is_empty() {
                cx.alert(line, "'capture' expects 'cookie' <cookie_name> 'len' <len>.");
            } else if let Some(len) = length(cx, line, 3) {
                p.capture_cookie = Some((line.owned(1), len));
            }
        }
        ("request" | "response", "header") => header(cx, p, line),
        _ => {
            cx.alert(line, "'capture' expects 'cookie' or 'request header' or 'response header'.");
        }
    }
}

fn header(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let side = line.arg(0);
    if line.arg(2).is_empty() || line.arg(3) != "len" || line.arg(4).is_empty() {
        cx.alert(line, format!("'capture {side}' expects 'header' <header_name> 'len' <len>."));
        return;
    }
    if line.len() > 5 {
        let text = format!("'capture {side}' cannot handle unexpected argument '{}'.", line.arg(5));
        cx.alert_arg(line, 5, text);
        return;
    }
    if let Some(len) = length(cx, line, 4) {
        let list = if side == "request" { &mut p.req_captures } else { &mut p.res_captures };
        list.push(HeaderCapture { pos: line.pos, name: line.owned(2), len });
    }
}

fn length(cx: &mut Ctx<'_>, line: &Line<'_>, arg: usize) -> Option<u32> {
    let n = cx.loose(line, arg).filter(|n| *n <= 65535);
    if n.is_none() {
        cx.alert_arg(line, arg, format!("'{}': cannot parse the length '{}'.", line.word(), line.arg(arg)));
    }
    n
}

/// `declare capture request|response len <length>`.
pub(crate) fn declare(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let why = match (line.arg(0), line.arg(1), line.arg(2), line.arg(3)) {
        ("", ..) => {
            "'declare' needs a second keyword that specify the type of declaration ('capture')".to_owned()
        }
        ("capture", "request" | "response", "len", "") => {
            "'declare capture': 'len' requires a numeric value that represents the capture length".to_owned()
        }
        ("capture", side @ ("request" | "response"), "len", n) => match n.parse::<u32>() {
            Ok(0) => "length must be > 0".to_owned(),
            Ok(n) => {
                p.declared_captures.push((line.pos, side == "request", n));
                return;
            }
            Err(_) => format!("'declare capture': cannot parse the length '{n}'."),
        },
        ("capture", "request" | "response", ..) => {
            "'declare capture' requires a capture length ('len')".to_owned()
        }
        ("capture", ..) => "'declare capture' requires a direction ('request' or 'response')".to_owned(),
        (other, ..) => format!("unknown declaration type '{other}' (supports 'capture')"),
    };
    cx.alert(line, why);
}

//! `option forwarded` (RFC 7239).

use crate::diag::Layout;
use crate::model::{Forwarded, Part, Proxy};
use crate::parse::ctx::Ctx;
use crate::parse::line::{Line, Prefix};

/// Words with their parts; each but `proto` has a form that takes an expression.
fn part<'f>(f: &'f mut Forwarded, word: &str) -> Option<&'f mut Option<Part>> {
    Some(match word {
        "host" => &mut f.host,
        "by" => &mut f.by,
        "by_port" => &mut f.by_port,
        "for" => &mut f.of,
        "for_port" => &mut f.for_port,
        _ => return None,
    })
}

pub(crate) fn parse(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.prefix != Prefix::None {
        p.forwarded = None;
        return;
    }
    let mut f = Forwarded { pos: line.pos, ..Forwarded::default() };
    let mut i = 0;
    while i < line.len() {
        let word = line.arg(i);
        let name = word.strip_suffix("-expr");
        if word == "proto" {
            f.proto = true;
        } else if let Some(slot) = part(&mut f, name.unwrap_or(word)) {
            if name.is_some() && line.arg(i + 1).is_empty() {
                cx.alert_arg(line, i, format!("'{word}' expects <expr> as argument.")).layout = Layout::Tight;
                return;
            }
            *slot = Some(if name.is_some() { Part::Expr(line.owned(i + 1)) } else { Part::Own });
            i += usize::from(name.is_some());
        } else {
            let text = "'option forwarded' only supports optional values: 'proto', 'host', 'host-expr', 'by', 'by-expr', \
                        'by_port', 'by_port-expr', 'for', 'for-expr', 'for_port' and 'for_port-expr'.";
            cx.alert_arg(line, i, text);
            return;
        }
        i += 1;
    }
    if line.len() == 0 {
        (f.proto, f.of) = (true, Some(Part::Own));
    }
    for (name, port, node) in [("by", &f.by_port, &f.by), ("for", &f.for_port, &f.of)] {
        if port.is_some() && node.is_none() {
            let unset = format!("both '{name}' and '{name}-expr' are unset");
            cx.warn(line, format!("'option forwarded' : '{name}_port-expr' will be ignored because {unset}"));
        }
    }
    p.forwarded = Some(Box::new(f));
}

//! One JSON object per message, for editors and other programs.

use super::{label, plain_text, source_column};
use crate::diag::Diag;
use crate::load::Files;
use crate::octets;
use std::fmt::Write;

/// One message as a JSON object and a line feed. Members that are not known are left out:
///
/// | member | type | meaning |
/// | --- | --- | --- |
/// | `severity` | string | `notice`, `diag`, `warning` or `alert` |
/// | `file` | string | name as given on the command line |
/// | `line` | number | from 1 |
/// | `column` | number | first byte of what is meant, from 1 |
/// | `length` | number | bytes |
/// | `text` | string | the message |
/// | `suggestion` | string | what was probably meant |
/// | `note` | string | more text |
pub fn json_line(d: &Diag, files: &Files) -> String {
    let mut out = format!("{{\"severity\":\"{}\"", label(d.severity).to_ascii_lowercase());
    // Writing to a string cannot fail.
    if let Some(pos) = d.pos {
        member(&mut out, "file", files.name(pos.file));
        let _ = write!(out, ",\"line\":{}", pos.line);
        if let (Some((col, len)), Some(line)) = (d.span, files.line(pos)) {
            let from = source_column(line, col);
            let to = source_column(line, col.saturating_add(len));
            let _ = write!(out, ",\"column\":{from},\"length\":{}", to - from);
        }
    }
    member(&mut out, "text", plain_text(d));
    for (name, text) in [("suggestion", &d.suggestion), ("note", &d.note)] {
        if let Some(text) = text {
            member(&mut out, name, text);
        }
    }
    out.push_str("}\n");
    out
}

fn member(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, ",\"{name}\":\"");
    for c in value.chars() {
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)),
            // JSON has no bytes: one that is no text is shown as the replacement character.
            c if octets::byte_of(c).is_some() => write!(out, "\u{fffd}"),
            c => write!(out, "{c}"),
        };
    }
    out.push('"');
}

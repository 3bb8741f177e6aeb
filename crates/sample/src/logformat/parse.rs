//! Parsing of log-format strings.

use super::alias::ALIASES;
use super::{Encoding, Flags, Flavor, Forced, LogFormat, Node, What};
use crate::compile::{CompileCx, Error};
use crate::expr::Expr;
use hawser_cfg::octets;

impl LogFormat {
    /// Compiles a format.
    ///
    /// # Errors
    /// HAProxy's text, to follow "failed to parse log-format : " or the rule's own words.
    pub fn parse(cx: &mut CompileCx<'_>, text: &str, flavor: Flavor) -> Result<Self, Error> {
        let pos = cx.pos;
        let log = matches!(flavor, Flavor::Log | Flavor::LogSd);
        let base = Flags { dash: log, http: flavor.is_http(), ..Flags::default() };
        let mut p = Parser {
            cx,
            nodes: Vec::new(),
            text: Vec::new(),
            flags: base,
            object: Encoding::None,
            merge: flavor.merges_spaces(),
            space: false,
        };
        p.run(text)?;
        let (object, bin) = (p.object, p.flags.bin);
        Ok(Self { nodes: p.finish(), object, bin, merge: flavor.merges_spaces(), pos })
    }
}

/// A parse under way.
struct Parser<'p, 'c> {
    cx: &'p mut CompileCx<'c>,
    nodes: Vec<Node>,
    text: Vec<u8>,
    flags: Flags,
    object: Encoding,
    /// Runs of spaces are one, and there are none at the start.
    merge: bool,
    /// A space is due before the next thing.
    space: bool,
}

/// An item between `%` and its alias or expression.
#[derive(Default)]
struct Item<'t> {
    name: &'t str,
    forced: Forced,
    args: Option<&'t str>,
}

impl Parser<'_, '_> {
    fn run(&mut self, text: &str) -> Result<(), Error> {
        let mut rest = text;
        while let Some(i) = rest.find('%') {
            self.literal(&rest[..i]);
            let at = text.len() - rest.len() + i;
            rest = &rest[i + 1..];
            rest = match rest.as_bytes() {
                [] => return Err(Error::new("truncated line after '%'")),
                [b'%', ..] => {
                    self.literal("%");
                    &rest[1..]
                }
                [b' ' | b'\t', ..] => {
                    return Err(Error::new(format!(
                        "unexpected alias name near '{}' at position {} line : '{text}'. Maybe you want to write a \
                         single '%', use the syntax '%%'",
                        &rest[..1],
                        at + 1
                    )));
                }
                [b'(' | b'{' | b'[', ..] => self.item(rest, text)?,
                [c, ..] if c.is_ascii_alphanumeric() => self.alias(rest, &Item::default())?,
                // Before anything else the sign means nothing.
                _ => rest,
            };
        }
        self.literal(rest);
        // One trailing space stays.
        if self.space && self.merge && !(self.nodes.is_empty() && self.text.is_empty()) {
            self.text.push(b' ');
        }
        Ok(())
    }

    /// Text between items.
    fn literal(&mut self, t: &str) {
        if !self.merge {
            self.text.extend_from_slice(&octets::decode(t));
            return;
        }
        for c in octets::decode(t).iter() {
            if *c == b' ' {
                self.space = true;
            } else {
                self.due_space();
                self.text.push(*c);
            }
        }
    }

    /// Writes the space that separates what comes from what is there.
    fn due_space(&mut self) {
        if std::mem::take(&mut self.space) && !(self.nodes.is_empty() && self.text.is_empty()) {
            self.text.push(b' ');
        }
    }

    /// `(name:type)`, `{args}`, then an alias or `[expression]`; returns what follows.
    fn item<'t>(&mut self, mut rest: &'t str, line: &str) -> Result<&'t str, Error> {
        let mut item = Item::default();
        if let Some(r) = rest.strip_prefix('(') {
            let end = r
                .find(')')
                .ok_or_else(|| Error::new(format!("invalid character in custom name near '{r}'")))?;
            let (name, kind) = r[..end].split_once(':').unwrap_or((&r[..end], ""));
            item.name = name;
            item.forced = match kind {
                "" => Forced::Own,
                "str" => Forced::Str,
                "sint" => Forced::Int,
                "bool" => Forced::Bool,
                "raw" => Forced::Raw,
                _ => {
                    let at = line.len() - r.len() + name.len() + 1;
                    return Err(Error::new(format!(
                        "unexpected output type '{kind}' at position {at} line : '{line}'. Supported types are: str, \
                         sint, bool, raw"
                    )));
                }
            };
            rest = &r[end + 1..];
        }
        if let Some(r) = rest.strip_prefix('{') {
            let end = r.find('}').ok_or_else(|| Error::new(format!("truncated line after '{r}'")))?;
            item.args = Some(&r[..end]);
            rest = &r[end + 1..];
        }
        match rest.as_bytes() {
            [b'[', ..] => self.expression(&rest[1..], &item),
            [c, ..] if c.is_ascii_alphanumeric() => self.alias(rest, &item),
            _ if item.args.is_some() => {
                let end = line.len() - rest.len();
                let start = line[..end].rfind('%').unwrap_or(0);
                let near = &line[start..end];
                Err(Error::new(format!("parse argument modifier without alias name near '{near}'")))
            }
            _ => Err(Error::new("truncated line after '%'")),
        }
    }

    /// `[expression]`.
    fn expression<'t>(&mut self, rest: &'t str, item: &Item<'_>) -> Result<&'t str, Error> {
        let (e, used) = Expr::parse_prefix(self.cx, rest)
            .map_err(|e| e.prefix(format_args!("failed to parse sample expression <{rest}> : ")))?;
        let done = &rest[..used];
        let after = match rest[used..].strip_prefix(']') {
            Some(r) => r,
            None if used == rest.len() => return Err(Error::new(format!("missing ']' after '{done}'"))),
            None => {
                let c = rest[used..].chars().next().unwrap_or_default();
                return Err(Error::new(format!("expected ']' after '{done}', but found '{c}'")));
            }
        };
        e.check_at(self.cx)?;
        self.push(What::Expr(Box::new(e)), item);
        Ok(after)
    }

    /// An alias; `%o` sets flags for all that follows.
    fn alias<'t>(&mut self, rest: &'t str, item: &Item<'_>) -> Result<&'t str, Error> {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name == "o" {
            self.flags = apply(self.flags, item.args.unwrap_or_default());
            self.object = std::mem::take(&mut self.flags.encoding);
            return Ok(after);
        }
        let alias = ALIASES.iter().find(|a| a.name == name).ok_or_else(|| {
            Error::new(format!(
                "no such format alias '{name}'. If you wanted to emit the '%' character verbatim, you need to use '%%'"
            ))
        })?;
        self.push(What::Alias(alias), item);
        Ok(after)
    }

    fn push(&mut self, what: What, item: &Item<'_>) {
        self.due_space();
        self.flush();
        let global = self.flags;
        let mut flags = apply(global, item.args.unwrap_or_default());
        // Binary is a property of the whole, except for the encoding of one item.
        flags.bin = global.bin;
        self.nodes.push(Node { what, flags, name: item.name.into(), forced: item.forced });
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let t = std::mem::take(&mut self.text).into();
            let flags = Flags::default();
            self.nodes.push(Node { what: What::Text(t), flags, name: "".into(), forced: Forced::Own });
        }
    }

    fn finish(mut self) -> Box<[Node]> {
        self.flush();
        self.nodes.into()
    }
}

/// Flags changed by `+Q,-X`; what is unknown or has no sign changes nothing.
fn apply(mut flags: Flags, args: &str) -> Flags {
    for a in args.split(',') {
        let (on, name) = match a.as_bytes().first() {
            Some(b'+') => (true, &a[1..]),
            Some(b'-') => (false, &a[1..]),
            _ => continue,
        };
        match name {
            "Q" => flags.quote = on,
            "X" => flags.hexa = on,
            "E" => flags.escape = on,
            "M" => flags.dash = on,
            "bin" => flags.bin = on,
            "json" => flags.encoding = if on { Encoding::Json } else { Encoding::None },
            "cbor" => flags.encoding = if on { Encoding::Cbor } else { Encoding::None },
            _ => {}
        }
    }
    flags
}

//! Parsing of log-format strings.

use super::alias::ALIASES;
use super::{Flags, Flavor, LogFormat, Node, What};
use crate::compile::{CompileCx, Error};
use crate::expr::Expr;

impl LogFormat {
    /// Compiles a format.
    ///
    /// # Errors
    /// HAProxy's text, to follow "failed to parse log-format : " or the rule's own words.
    pub fn parse(cx: &mut CompileCx<'_>, text: &str, flavor: Flavor) -> Result<Self, Error> {
        let log = flavor != Flavor::Value;
        let global = Flags { dash: log, encode: log, escape: flavor == Flavor::LogSd, ..Flags::default() };
        let mut p = Parser { cx, nodes: Vec::new(), text: Vec::new(), flags: global };
        p.run(text)?;
        let nodes = p.finish();
        Ok(Self { nodes, pos: cx.pos })
    }
}

/// A parse under way.
struct Parser<'p, 'c> {
    cx: &'p mut CompileCx<'c>,
    nodes: Vec<Node>,
    text: Vec<u8>,
    flags: Flags,
}

impl Parser<'_, '_> {
    fn run(&mut self, mut rest: &str) -> Result<(), Error> {
        while let Some(i) = rest.find('%') {
            self.text.extend_from_slice(&rest.as_bytes()[..i]);
            rest = &rest[i + 1..];
            if let Some(r) = rest.strip_prefix('%') {
                self.text.push(b'%');
                rest = r;
                continue;
            }
            if let Some(r) = rest.strip_prefix('[') {
                let (e, used) = Expr::parse_prefix(self.cx, r)
                    .map_err(|e| e.prefix(format_args!("failed to parse sample expression <{r}> : ")))?;
                e.check_at(self.cx)?;
                rest = r[used..].strip_prefix(']').ok_or_else(|| {
                    Error::new(format!("expected ']' after '{}', but found '{}'", &r[..used], &r[used..]))
                })?;
                self.push(What::Expr(Box::new(e)));
                continue;
            }
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let name = &rest[..end];
            let alias = ALIASES.iter().find(|a| a.name == name).ok_or_else(|| {
                Error::new(format!(
                    "no such format alias '{name}'. If you wanted to emit the '%' character verbatim, you need to use '%%'"
                ))
            })?;
            self.push(What::Alias(alias));
            rest = &rest[end..];
        }
        self.text.extend_from_slice(rest.as_bytes());
        Ok(())
    }

    fn push(&mut self, what: What) {
        self.flush();
        self.nodes.push(Node { what, flags: self.flags });
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let t = std::mem::take(&mut self.text).into();
            self.nodes.push(Node { what: What::Text(t), flags: self.flags });
        }
    }

    fn finish(mut self) -> Box<[Node]> {
        self.flush();
        self.nodes.into()
    }
}

//! Log-format strings (manual 8.2.6): text, aliases and sample expressions.

mod alias;
mod parse;

use crate::ctx::Ctx;
use crate::expr::Expr;
use hawser_cfg::pos::Pos;

/// What a format is for, which decides how values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavor {
    /// A log line: empty values are `-`, unprintable bytes are `#XX`.
    Log,
    /// Structured data of RFC 5424: as a log line, with `"`, `\` and `]` escaped.
    LogSd,
    /// A value of a rule (`set-header`, `return lf-string`, `use_backend`, `unique-id-format`): as it is.
    Value,
}

/// Flags of one node or of the rest of a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// `Q`: put between quotes.
    pub quote: bool,
    /// `X`: numbers in hexadecimal.
    pub hexa: bool,
    /// `E`: escape quotes, backslashes and `]`.
    pub escape: bool,
    /// `M` or mandatory: `-` for an empty value.
    pub dash: bool,
    /// Unprintable bytes are `#XX`.
    pub encode: bool,
    /// `bin`: keep binary samples as they are.
    pub bin: bool,
}

/// A compiled format.
#[derive(Clone, Debug, Default)]
pub struct LogFormat {
    nodes: Box<[Node]>,
    pos: Pos,
}

/// One piece of a format.
#[derive(Clone, Debug)]
struct Node {
    what: What,
    flags: Flags,
}

#[derive(Clone, Debug)]
enum What {
    Text(Box<[u8]>),
    Alias(&'static alias::Alias),
    Expr(Box<Expr>),
}

impl LogFormat {
    /// Appends the text for a context.
    pub fn eval(&self, ctx: &Ctx<'_>, out: &mut Vec<u8>) {
        for n in &self.nodes {
            match &n.what {
                What::Text(t) => out.extend_from_slice(t),
                What::Alias(a) => (a.run)(ctx, n.flags, out),
                What::Expr(e) => {
                    let start = out.len();
                    if let Some(v) = e.eval(ctx) {
                        v.write_str(out);
                    }
                    if out.len() == start && n.flags.dash {
                        out.push(b'-');
                    }
                }
            }
        }
    }

    /// The text, when it needs no evaluation at all.
    pub fn fixed(&self) -> Option<&[u8]> {
        match &*self.nodes {
            [] => Some(b""),
            [Node { what: What::Text(t), .. }] => Some(t),
            _ => None,
        }
    }

    /// Nothing is ever written.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The line it stands on.
    pub fn pos(&self) -> Pos {
        self.pos
    }
}

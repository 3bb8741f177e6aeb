//! Log-format strings (manual 8.2.6): text, aliases and sample expressions.

mod alias;
mod encode;
mod field;
mod parse;

#[cfg(test)]
mod tests;

use crate::ctx::Ctx;
use crate::expr::Expr;
use crate::value::Value;
use field::Field;
use hawser_cfg::pos::Pos;
use std::borrow::Cow;

/// What a format is for, which decides how values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavor {
    /// A log line: empty values are `-`; runs of spaces in the format are one.
    Log,
    /// Structured data of RFC 5424: as a log line.
    LogSd,
    /// A value that is used as it is: a payload, a variable, a backend name.
    Value,
    /// A field of a message (`set-header`, `redirect location`): what HTTP forbids in fields is written `%XX`.
    Header,
    /// `unique-id-format`: as [`Flavor::Header`], with runs of spaces made one.
    UniqueId,
}

impl Flavor {
    /// Spaces in the text are delimiters.
    fn merges_spaces(self) -> bool {
        matches!(self, Self::Log | Self::LogSd | Self::UniqueId)
    }

    /// Expressions end up in HTTP fields.
    fn is_http(self) -> bool {
        matches!(self, Self::Header | Self::UniqueId)
    }
}

/// Flags of one node, or of the rest of a format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// `Q`: put between quotes.
    pub quote: bool,
    /// `X`: addresses, ports and a few numbers in hexadecimal.
    pub hexa: bool,
    /// `E`: a backslash before quotes, backslashes and `]`.
    pub escape: bool,
    /// `M`: `-` for an empty value.
    pub dash: bool,
    /// `bin`: binary samples keep their NUL bytes, CBOR stays binary.
    pub bin: bool,
    /// Bytes that HTTP forbids in fields are written `%XX`.
    pub http: bool,
    /// `json` or `cbor`.
    pub encoding: Encoding,
}

/// How values are encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the encodings of that name")]
pub enum Encoding {
    #[default]
    None,
    Json,
    Cbor,
}

/// `:type` behind an item's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Forced {
    /// The item's own type.
    #[default]
    Own,
    Str,
    Int,
    Bool,
    /// As it is, even between encoded values.
    Raw,
}

/// A compiled format.
#[derive(Clone, Debug, Default)]
pub struct LogFormat {
    nodes: Box<[Node]>,
    /// An encoding for the whole: one object of all named items.
    object: Encoding,
    bin: bool,
    /// Spaces around an item that writes nothing are one.
    merge: bool,
    pos: Pos,
}

/// One piece of a format.
#[derive(Clone, Debug)]
struct Node {
    what: What,
    flags: Flags,
    name: Box<str>,
    forced: Forced,
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
        if self.object != Encoding::None {
            return self.eval_object(ctx, out);
        }
        // Where the last text left a space, if it did.
        let mut spaced = None;
        for n in &self.nodes {
            match &n.what {
                What::Text(t) => {
                    let again = self.merge && spaced == Some(out.len()) && t.starts_with(b" ");
                    out.extend_from_slice(&t[usize::from(again)..]);
                    spaced = t.ends_with(b" ").then_some(out.len());
                }
                // The common case of fields and payloads: nothing is done to the value.
                What::Expr(e) if n.flags == Flags::default() => {
                    if let Some(v) = e.eval(ctx) {
                        v.write_str(out);
                    }
                }
                _ => n.eval(ctx, out),
            }
        }
    }

    /// One object of all named items; the rest is left out.
    fn eval_object(&self, ctx: &Ctx<'_>, out: &mut Vec<u8>) {
        let mut w = encode::Object::new(self.object, self.bin, out);
        for n in self.nodes.iter().filter(|n| !n.name.is_empty()) {
            w.key(&n.name);
            n.field(ctx, |f| w.value(f, n.forced));
        }
        w.end();
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

impl Node {
    /// Hands out the value as a typed field.
    fn field<R>(&self, ctx: &Ctx<'_>, f: impl FnOnce(&Field<'_>) -> R) -> R {
        match &self.what {
            What::Text(t) => f(&Field::Text(t, field::Unsafe::None)),
            What::Alias(a) => f(&(a.run)(ctx)),
            What::Expr(e) => match e.eval(ctx) {
                None => f(&Field::Missing),
                Some(Value::Bool(b)) => f(&Field::Bool(b)),
                Some(Value::Int(i)) => f(&Field::Int(i)),
                Some(Value::Bin(b)) => f(&Field::Bin(&b)),
                Some(v) => {
                    let s: Cow<'_, [u8]> = v.into_str();
                    f(&Field::Text(&s, field::Unsafe::None))
                }
            },
        }
    }

    /// Writes a node that stands for itself.
    fn eval(&self, ctx: &Ctx<'_>, out: &mut Vec<u8>) {
        let is_expr = matches!(self.what, What::Expr(_));
        self.field(ctx, |f| match self.flags.encoding {
            Encoding::None if is_expr => f.write_sample(self.flags, out),
            Encoding::None => f.write(self.flags, out),
            e => encode::single(e, self.flags.bin, f, self.forced, out),
        });
    }
}

//! `use_backend` and `use-server` lines (manual 4.2): a name, fixed or computed, and a condition.

use crate::compile::RuleCx;
use hawser_cfg::model::RuleLine;
use hawser_cfg::pos::Pos;
use hawser_sample::{Checkpoint, Cond, Ctx, Error, Flavor, LogFormat};
use std::borrow::Cow;
use std::sync::Arc;

/// Which keyword the lines belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SwitchKind {
    /// `use_backend`.
    Backend,
    /// `use-server`.
    Server,
}

/// Compiled `use_backend` or `use-server` lines, in order.
#[derive(Debug, Default)]
pub struct Switching {
    rules: Vec<SwitchRule>,
}

#[derive(Debug)]
struct SwitchRule {
    pos: Pos,
    name: Name,
    cond: Option<Cond>,
}

#[derive(Debug)]
enum Name {
    Fixed(Arc<str>),
    Format(LogFormat),
}

/// A line whose condition holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice<'a> {
    /// Index of the line, for what the caller resolved beforehand from [`Switching::fixed`].
    pub rule: usize,
    /// The name that it gives. A computed name may be of no backend at all: `default_backend` is then next.
    pub name: Cow<'a, [u8]>,
}

impl Switching {
    /// Compiles lines; those with errors are left out, the errors are in the context's diagnostics.
    pub fn compile(cx: &mut RuleCx<'_, '_>, kind: SwitchKind, lines: &[RuleLine]) -> Self {
        cx.cx.at = Some(match kind {
            SwitchKind::Backend => Checkpoint::FeUseBackend,
            SwitchKind::Server => Checkpoint::BeServerChoice,
        });
        kind.keyword().clone_into(&mut cx.cx.what);
        let mut rules = Vec::new();
        for line in lines {
            cx.cx.pos = line.pos;
            match rule(cx, kind, line) {
                Ok(r) => rules.push(r),
                Err(e) => {
                    let d = match e.word.and_then(|w| line.words.get(w)) {
                        Some(w) => cx.cx.diags.alert_at(line.pos, w, e.text),
                        None => cx.cx.diags.alert(line.pos, e.text),
                    };
                    d.suggestion = e.suggestion;
                }
            }
        }
        Self { rules }
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Lines with a fixed name, for the caller to resolve: index, position, name.
    pub fn fixed(&self) -> impl Iterator<Item = (usize, Pos, &Arc<str>)> {
        self.rules.iter().enumerate().filter_map(|(i, r)| match &r.name {
            Name::Fixed(name) => Some((i, r.pos, name)),
            Name::Format(_) => None,
        })
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// The lines whose condition holds, evaluated as the iterator advances. `use_backend` takes the first one;
    /// `use-server` the first one whose server is usable.
    pub fn choices<'a>(&'a self, ctx: &'a Ctx<'a>) -> impl Iterator<Item = Choice<'a>> {
        self.rules.iter().enumerate().filter(|(_, r)| r.cond.as_ref().is_none_or(|c| c.eval(ctx))).map(
            |(rule, r)| Choice {
                rule,
                name: match &r.name {
                    Name::Fixed(name) => Cow::Borrowed(name.as_bytes()),
                    Name::Format(f) => {
                        let mut out = Vec::new();
                        f.eval(ctx, &mut out);
                        Cow::Owned(out)
                    }
                },
            },
        )
    }
}

impl SwitchKind {
    fn keyword(self) -> &'static str {
        match self {
            Self::Backend => "use_backend",
            Self::Server => "use-server",
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Server => "server",
        }
    }
}

fn rule(cx: &mut RuleCx<'_, '_>, kind: SwitchKind, line: &RuleLine) -> Result<SwitchRule, Error> {
    let (keyword, target) = (kind.keyword(), kind.target());
    let name = line
        .words
        .first()
        .filter(|w| !w.is_empty())
        .ok_or_else(|| Error::new(format!("'{keyword}' expects a {target} name.")))?;
    let cond = match (line.words.get(1).map(|w| w.as_str()), kind) {
        (Some("if" | "unless"), _) => {
            let cond = Cond::parse(cx.cx, &line.words[1..]);
            Some(
                cond.map_err(|e| {
                    at(e, 1).prefix("error detected while parsing switching rule : ").suffix(".")
                })?,
            )
        }
        (_, SwitchKind::Server) => {
            return Err(Error::new("'use-server' requires either 'if' or 'unless' followed by a condition."));
        }
        (Some(other), _) => {
            let text = format!(
                "unexpected keyword '{other}' after switching rule, only 'if' and 'unless' are allowed."
            );
            return Err(Error::new(text).at(1));
        }
        (None, _) => None,
    };
    let format = LogFormat::parse(cx.cx, name, Flavor::Value)
        .map_err(|e| at(e, 0).prefix(format_args!("failed to parse {keyword} rule '{}' : ", name.text)))?;
    let name = match format.fixed() {
        Some(text) => Name::Fixed(String::from_utf8_lossy(text).into()),
        None => Name::Format(format),
    };
    Ok(SwitchRule { pos: line.pos, name, cond })
}

/// The error, its word counted from the start of the line.
fn at(e: Error, first: usize) -> Error {
    let word = e.word.unwrap_or(0) + first;
    e.at(word)
}

#[cfg(test)]
mod tests;

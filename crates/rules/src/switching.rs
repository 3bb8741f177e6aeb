//! `use_backend` and `use-server` lines: a name, fixed or computed, and a condition.

use crate::compile::RuleCx;
use hawser_cfg::model::RuleLine;
use hawser_cfg::pos::Pos;
use hawser_sample::Ctx;
use std::borrow::Cow;
use std::sync::Arc;

/// Compiled `use_backend` or `use-server` lines, in order.
#[derive(Debug, Default)]
pub struct Switching {
    rules: Vec<SwitchRule>,
}

#[derive(Debug)]
struct SwitchRule {
    pos: Pos,
    name: Arc<str>,
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
    /// Compiles the lines of `use_backend` or `use-server`, whichever `keyword` says.
    pub fn compile(_cx: &mut RuleCx<'_, '_>, _keyword: &'static str, _lines: &[RuleLine]) -> Self {
        Self::default()
    }

    /// Lines with a fixed name, for the caller to resolve: index, position, name.
    pub fn fixed(&self) -> impl Iterator<Item = (usize, Pos, &Arc<str>)> {
        self.rules.iter().enumerate().map(|(i, r)| (i, r.pos, &r.name))
    }

    /// The lines whose condition holds, evaluated as the iterator advances.
    pub fn choices<'a>(&'a self, _ctx: &'a Ctx<'a>) -> impl Iterator<Item = Choice<'a>> {
        self.rules.iter().enumerate().map(|(rule, r)| Choice { rule, name: Cow::Borrowed(r.name.as_bytes()) })
    }
}

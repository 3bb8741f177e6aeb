//! ACLs and conditions (manual 7.1, 7.2, 7.4).

mod acl;
mod parse;
mod predefined;

#[cfg(test)]
mod tests;

pub use acl::{Acl, AclExpr, Acls};

pub(crate) use parse::named;

use crate::ctx::Ctx;
use hawser_cfg::pos::Pos;
use std::sync::Arc;

/// Truth, where input may be missing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tri {
    /// It does not hold.
    No,
    /// More input may tell (only with [`Ctx::partial`]).
    Unknown,
    /// It holds.
    Yes,
}

impl Tri {
    /// The opposite; what is unknown stays so.
    pub fn negate(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Tri {
    fn from(b: bool) -> Self {
        if b { Self::Yes } else { Self::No }
    }
}

/// A compiled `if …` or `unless …`.
#[derive(Clone, Debug)]
pub struct Cond {
    unless: bool,
    /// Alternatives; each holds when all its terms do.
    suites: Box<[Box<[Term]>]>,
    pos: Pos,
}

/// One ACL in a condition.
#[derive(Clone, Debug)]
struct Term {
    negated: bool,
    acl: Arc<Acl>,
}

impl Cond {
    /// Whether it holds; what is unknown counts as not matching.
    pub fn eval(&self, ctx: &Ctx<'_>) -> bool {
        self.test(ctx) == Tri::Yes
    }

    /// Whether it holds, or may hold once more input has come.
    pub fn test(&self, ctx: &Ctx<'_>) -> Tri {
        let mut result = Tri::No;
        for suite in &self.suites {
            let mut all = Tri::Yes;
            for term in suite {
                let t = term.acl.test(ctx);
                all = if term.negated { t.negate() } else { t };
                if all != Tri::Yes {
                    break;
                }
            }
            result = result.max(all);
            if result == Tri::Yes {
                break;
            }
        }
        if self.unless { result.negate() } else { result }
    }

    /// The line it stands on.
    pub fn pos(&self) -> Pos {
        self.pos
    }

    /// All ACLs it uses.
    pub fn acls(&self) -> impl Iterator<Item = &Acl> {
        self.suites.iter().flatten().map(|t| &*t.acl)
    }
}

//! ACLs: expressions with patterns, named or anonymous.

use super::Tri;
use crate::ctx::Ctx;
use crate::expr::{Expr, Needs};
use crate::pattern::{Method, Patterns};
use crate::row::SlicesFn;
use crate::types::Type;
use crate::value::Value;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hawser_cfg::pos::Pos;
use std::sync::Arc;

/// A named ACL, or an anonymous one (no name).
#[derive(Debug)]
pub struct Acl {
    /// Its name, empty for `{ … }`.
    pub name: Arc<str>,
    /// Where it was first declared.
    pub pos: Pos,
    /// Alternatives: lines with the same name add to it.
    pub exprs: Vec<Arc<AclExpr>>,
}

/// One criterion with its patterns.
#[derive(Debug)]
pub struct AclExpr {
    /// The keyword as written.
    pub keyword: String,
    /// The expression.
    pub expr: Expr,
    /// How patterns are compared.
    pub method: Method,
    /// The patterns.
    pub patterns: Patterns,
    /// The fast way, where samples are strings and patterns are compared with strings.
    pub(super) slices: Option<SlicesFn>,
}

impl AclExpr {
    /// Whether any occurrence of the sample matches.
    pub fn test(&self, ctx: &Ctx<'_>) -> Tri {
        let found = match self.slices {
            Some(each) => each(self.expr.args(), ctx, &mut |s| self.patterns.matches_bytes(s)),
            None => self.any(ctx),
        };
        if found {
            Tri::Yes
        } else if self.expr.may_change(ctx) {
            Tri::Unknown
        } else {
            Tri::No
        }
    }

    /// Whether any occurrence matches, whatever its type.
    fn any(&self, ctx: &Ctx<'_>) -> bool {
        let wants = self.method.wants();
        self.expr.each(ctx, &mut |v| match (wants, &v) {
            // Compared as they are, or formatted by the matcher; only binary data have to be cut at a NUL.
            (Type::Any, _) => self.patterns.matches(&v),
            (Type::Str, x) if !matches!(x, Value::Bin(_)) => self.patterns.matches(&v),
            _ => v.cast(wants).is_some_and(|v| self.patterns.matches(&v)),
        })
    }
}

impl Acl {
    /// Whether any alternative matches.
    pub fn test(&self, ctx: &Ctx<'_>) -> Tri {
        let mut r = Tri::No;
        for e in &self.exprs {
            r = r.max(e.test(ctx));
            if r == Tri::Yes {
                break;
            }
        }
        r
    }

    /// What its alternatives need, together.
    pub fn needs(&self) -> Needs {
        self.exprs.iter().fold(Needs::NOTHING, |n, e| n.or(e.expr.needs()))
    }
}

/// Named ACLs in scope.
#[derive(Clone, Debug, Default)]
pub struct Acls {
    by_name: Arc<HashMap<Arc<str>, Arc<Acl>, FixedState>>,
}

impl Acls {
    /// The ACL of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Acl>> {
        self.by_name.get(name)
    }

    /// Adds an alternative to the ACL of that name, which it creates if need be.
    pub fn add(&mut self, name: &str, pos: Pos, expr: AclExpr) {
        let expr = Arc::new(expr);
        let map = Arc::make_mut(&mut self.by_name);
        let (pos, exprs) = match map.get(name) {
            Some(a) => (a.pos, a.exprs.iter().cloned().chain([expr]).collect()),
            None => (pos, vec![expr]),
        };
        let name: Arc<str> = name.into();
        map.insert(name.clone(), Arc::new(Acl { name, pos, exprs }));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

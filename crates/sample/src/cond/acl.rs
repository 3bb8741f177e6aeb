//! ACLs: expressions with patterns, named or anonymous.

use super::Tri;
use crate::ctx::Ctx;
use crate::expr::{Expr, Needs};
use crate::pattern::{Method, Patterns};
use crate::types::Type;
use crate::value::Value;
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
}

impl AclExpr {
    /// Whether any occurrence of the sample matches.
    pub fn test(&self, ctx: &Ctx<'_>) -> Tri {
        let wants = self.method.wants();
        let found = self.expr.each(ctx, &mut |v| match (wants, &v) {
            // Compared as they are, or formatted by the matcher; only binary data have to be cut at a NUL.
            (Type::Any, _) => self.patterns.matches(&v),
            (Type::Str, x) if !matches!(x, Value::Bin(_)) => self.patterns.matches(&v),
            _ => v.cast(wants).is_some_and(|v| self.patterns.matches(&v)),
        });
        if found {
            Tri::Yes
        } else if self.expr.may_change(ctx) {
            Tri::Unknown
        } else {
            Tri::No
        }
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

/// Named ACLs in scope, in order of declaration.
#[derive(Clone, Debug, Default)]
pub struct Acls {
    list: Vec<Arc<Acl>>,
}

impl Acls {
    /// The ACL of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Acl>> {
        self.list.iter().find(|a| *a.name == *name)
    }

    /// Adds an alternative to the ACL of that name, which it creates if need be.
    pub fn add(&mut self, name: &str, pos: Pos, expr: AclExpr) {
        let expr = Arc::new(expr);
        match self.list.iter_mut().find(|a| *a.name == *name) {
            Some(a) => {
                let mut exprs = a.exprs.clone();
                exprs.push(expr);
                *a = Arc::new(Acl { name: a.name.clone(), pos: a.pos, exprs });
            }
            None => self.list.push(Arc::new(Acl { name: name.into(), pos, exprs: vec![expr] })),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

//! Compiled sample expressions: a fetch and a chain of converters.

use crate::args::{self, Arg};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, Fetch, MayChange};
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::keyword::Status;
use hawser_cfg::pos::Word;

/// What an expression needs: sources of data, from which the places where it is legal follow.
pub type Needs = Source;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    fetch: &'static Fetch,
    args: Box<[Arg]>,
    convs: Box<[Step]>,
}

/// One converter of the chain.
#[derive(Clone, Debug)]
struct Step {
    conv: &'static Converter,
    args: Box<[Arg]>,
}

impl Expr {
    /// Compiles an expression that starts at `words[*at]` and moves `at` behind its last word. Converters may follow
    /// in words of their own; a word that is no converter ends the expression.
    ///
    /// # Errors
    /// HAProxy's text about an unknown method or an invalid argument.
    pub fn parse(cx: &mut CompileCx<'_>, words: &[Word], at: &mut usize) -> Result<Self, Error> {
        let first = words.get(*at).ok_or_else(|| Error::new("missing fetch method"))?;
        let (mut e, used) = Self::parse_prefix(cx, first).map_err(|e| e.at(*at))?;
        if used != first.text.len() {
            return Err(e.trailing(&first.text[used..]).at(*at));
        }
        *at += 1;
        while let Some(w) = words.get(*at) {
            let name = w.split(['(', ',']).next().unwrap_or_default();
            if name.is_empty() || cx.registry.converter(name).is_none() {
                break;
            }
            let used = e.chain(cx, w).map_err(|e| e.at(*at))?;
            if used != w.text.len() {
                return Err(e.trailing(&w.text[used..]).at(*at));
            }
            *at += 1;
        }
        Ok(e)
    }

    /// Compiles an expression that is one whole string.
    ///
    /// # Errors
    /// See [`Expr::parse`].
    pub fn parse_str(cx: &mut CompileCx<'_>, text: &str) -> Result<Self, Error> {
        let (e, used) = Self::parse_prefix(cx, text)?;
        if used == text.len() { Ok(e) } else { Err(e.trailing(&text[used..])) }
    }

    /// Compiles the expression at the start of a string; returns it with its length in bytes. It ends where neither
    /// an argument list nor a converter follows: the caller checks the delimiter.
    ///
    /// # Errors
    /// See [`Expr::parse`].
    pub fn parse_prefix(cx: &mut CompileCx<'_>, text: &str) -> Result<(Self, usize), Error> {
        let name = ident(text);
        if name.is_empty() {
            return Err(Error::new("missing fetch method"));
        }
        let fetch =
            cx.registry.fetch(name).ok_or_else(|| Error::new(format!("unknown fetch method '{name}'")))?;
        if let Status::NotYet(area) = fetch.meta.status {
            return Err(Error::new(format!("fetch method '{name}' is not supported yet ({area})")));
        }
        let mut pos = name.len();
        let (raw, used) =
            args::split(&text[pos..]).map_err(|e| e.prefix(format_args!("fetch method '{name}' : ")))?;
        pos += used;
        let mut a = args::resolve(cx, fetch.args, &raw)
            .map_err(|e| e.prefix(format_args!("invalid arg 1 in fetch method '{name}' : ")))?;
        if let Some(check) = fetch.check {
            check(cx, &mut a)
                .map_err(|e| e.prefix(format_args!("invalid args in fetch method '{name}' : ")))?;
        }
        let mut e = Self { fetch, args: a.into(), convs: Box::new([]) };
        if text[pos..].starts_with(',') {
            pos += 1;
            pos += e.chain(cx, &text[pos..])?;
        }
        Ok((e, pos))
    }

    /// Appends the converters at the start of a string; returns the length used.
    fn chain(&mut self, cx: &mut CompileCx<'_>, text: &str) -> Result<usize, Error> {
        let mut steps = std::mem::take(&mut self.convs).into_vec();
        let mut pos = 0;
        loop {
            let name = ident(&text[pos..]);
            if name.is_empty() && text[pos..].starts_with(',') {
                pos += 1;
                continue;
            }
            let conv = cx
                .registry
                .converter(name)
                .ok_or_else(|| Error::new(format!("unknown converter '{name}'")))?;
            if let Status::NotYet(area) = conv.meta.status {
                return Err(Error::new(format!("converter '{name}' is not supported yet ({area})")));
            }
            let from =
                steps.iter().rev().map(|s| s.conv.out).find(|t| *t != Type::Same).unwrap_or(self.fetch.out);
            if !from.casts_to(conv.input) {
                return Err(Error::new(format!("converter '{name}' cannot be applied")));
            }
            pos += name.len();
            let (raw, used) = args::split(&text[pos..])
                .map_err(|e| e.prefix(format_args!("invalid arg 1 in converter '{name}' : ")))?;
            pos += used;
            let mut a = args::resolve(cx, conv.args, &raw)
                .map_err(|e| e.prefix(format_args!("invalid arg 1 in converter '{name}' : ")))?;
            if let Some(check) = conv.check {
                check(cx, &mut a)
                    .map_err(|e| e.prefix(format_args!("invalid args in converter '{name}' : ")))?;
            }
            steps.push(Step { conv, args: a.into() });
            if !text[pos..].starts_with(',') {
                break;
            }
            pos += 1;
        }
        self.convs = steps.into();
        Ok(pos)
    }

    /// What to say about text behind the expression.
    fn trailing(&self, rest: &str) -> Error {
        let what = match self.convs.last() {
            Some(s) => format!("missing comma after converter '{}'", s.conv.meta.name),
            None => format!("missing comma after fetch keyword '{}'", self.fetch.meta.name),
        };
        Error::new(format!("{what} before '{rest}'"))
    }

    /// Evaluates it; `None` is "not found".
    pub fn eval<'a>(&'a self, ctx: &Ctx<'a>) -> Option<Value<'a>> {
        self.convert((self.fetch.run)(&self.args, ctx)?, ctx)
    }

    /// Evaluates it for every occurrence until the visitor returns true; returns whether it did.
    pub fn each<'a>(&'a self, ctx: &Ctx<'a>, visit: &mut dyn FnMut(Value<'a>) -> bool) -> bool {
        match self.fetch.each {
            Some(each) => each(&self.args, ctx, &mut |v| self.convert(v, ctx).is_some_and(&mut *visit)),
            None => self.eval(ctx).is_some_and(visit),
        }
    }

    /// Whether the answer may still change while input arrives; false unless the context is partial.
    pub fn may_change(&self, ctx: &Ctx<'_>) -> bool {
        ctx.partial
            && match self.fetch.changes {
                MayChange::No => false,
                MayChange::Always => true,
                MayChange::ReqData => ctx.req_data.is_none_or(|p| !p.complete),
                MayChange::ResData => ctx.res_data.is_none_or(|p| !p.complete),
            }
    }

    /// Runs the converters.
    fn convert<'a>(&'a self, mut v: Value<'a>, ctx: &Ctx<'a>) -> Option<Value<'a>> {
        for s in &self.convs {
            v = (s.conv.run)(&s.args, v.cast(s.conv.input)?, ctx)?;
        }
        Some(v)
    }

    /// Type of the result.
    pub fn out(&self) -> Type {
        self.convs.iter().rev().map(|s| s.conv.out).find(|t| *t != Type::Same).unwrap_or(self.fetch.out)
    }

    /// What it needs.
    pub fn needs(&self) -> Needs {
        self.fetch.src
    }

    /// Name of its fetch.
    pub fn fetch_name(&self) -> &'static str {
        self.fetch.meta.name
    }

    /// Whether it ends with converters.
    pub fn has_converters(&self) -> bool {
        !self.convs.is_empty()
    }

    /// Checks that the fetch can work at a place of the configuration.
    ///
    /// # Errors
    /// HAProxy's text, naming what is missing there.
    pub fn check_at(&self, cx: &CompileCx<'_>) -> Result<(), Error> {
        match cx.at {
            Some(c) if !self.fetch.src.validity().at(c) => Err(Error::new(format!(
                "sample fetch <{}> may not be reliably used here because it needs '{}' which is not available here",
                self.fetch.meta.name,
                self.fetch.src.describe()
            ))),
            _ => Ok(()),
        }
    }
}

/// The keyword at the start of a string: up to a delimiter of the expression syntax.
fn ident(text: &str) -> &str {
    let end = text.find(['(', ',', ')', ']', ' ', '\t']).unwrap_or(text.len());
    &text[..end]
}

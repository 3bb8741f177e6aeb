//! Compiled sample expressions: a fetch and a chain of converters.

use crate::args::{self, Arg, Owner};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::row::{Converter, Fetch, MayChange, SlicesFn};
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::keyword::{Meta, Status};
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
        let (mut e, used) = Self::head(cx, first).map_err(|e| e.at(*at))?;
        e.rest_of_word(cx, first, used).map_err(|e| e.at(*at))?;
        *at += 1;
        while let Some(w) = words.get(*at) {
            let name = ident(w);
            if name.is_empty() || cx.registry.converter(name).is_none() {
                break;
            }
            let used = e.converter(cx, w).map_err(|e| e.at(*at))?;
            e.rest_of_word(cx, w, used).map_err(|e| e.at(*at))?;
            *at += 1;
        }
        Ok(e)
    }

    /// Compiles an expression that is one whole string.
    ///
    /// # Errors
    /// See [`Expr::parse`].
    pub fn parse_str(cx: &mut CompileCx<'_>, text: &str) -> Result<Self, Error> {
        let (mut e, used) = Self::head(cx, text)?;
        e.rest_of_word(cx, text, used)?;
        Ok(e)
    }

    /// Compiles the expression at the start of a string; returns it with its length in bytes. It ends where neither
    /// an argument list nor a converter follows: the caller checks the delimiter.
    ///
    /// # Errors
    /// See [`Expr::parse`].
    pub fn parse_prefix(cx: &mut CompileCx<'_>, text: &str) -> Result<(Self, usize), Error> {
        let (mut e, mut pos) = Self::head(cx, text)?;
        while text[pos..].starts_with(',') {
            while text[pos..].starts_with(',') {
                pos += 1;
            }
            pos += e.converter(cx, &text[pos..])?;
        }
        Ok((e, pos))
    }

    /// The fetch at the start of a string, and its length with its arguments.
    fn head(cx: &mut CompileCx<'_>, text: &str) -> Result<(Self, usize), Error> {
        let name = ident(text);
        if name.is_empty() {
            return Err(Error::new("missing fetch method"));
        }
        let Some(fetch) = cx.registry.fetch(name) else {
            let near = cx.registry.near_fetch(name);
            return Err(Error::new(format!("unknown fetch method '{name}'")).suggest(near));
        };
        refuse_not_yet(&fetch.meta, "fetch method")?;
        let owner = Owner { name, fetch: None };
        let (mut a, used) = args::parse(cx, fetch.args, &text[name.len()..], owner)
            .map_err(|(_, e)| e.prefix(format_args!("fetch method '{name}' : ")))?;
        if let Some(check) = fetch.check {
            check(cx, &mut a)
                .map_err(|e| e.prefix(format_args!("invalid args in fetch method '{name}' : ")))?;
        }
        Ok((Self { fetch, args: a.into(), convs: Box::new([]) }, name.len() + used))
    }

    /// Converters up to the end of a word; a comma at its very end is forgiven.
    fn rest_of_word(&mut self, cx: &mut CompileCx<'_>, word: &str, mut pos: usize) -> Result<(), Error> {
        while pos < word.len() {
            let mut p = pos;
            while word[p..].starts_with(',') {
                p += 1;
            }
            if p == pos {
                return Err(Error::new(match self.convs.last() {
                    Some(s) => format!("missing comma after converter '{}'", s.conv.meta.name),
                    None => "missing comma after fetch keyword".to_owned(),
                }));
            }
            pos = p;
            if pos < word.len() {
                pos += self.converter(cx, &word[pos..])?;
            }
        }
        Ok(())
    }

    /// Appends the converter at the start of a string; returns the length used.
    fn converter(&mut self, cx: &mut CompileCx<'_>, text: &str) -> Result<usize, Error> {
        let name = ident(text);
        let Some(conv) = cx.registry.converter(name) else {
            let near = cx.registry.near_converter(name);
            return Err(Error::new(format!("unknown converter '{name}'")).suggest(near));
        };
        if !self.out().casts_to(conv.input) {
            return Err(Error::new(format!("converter '{name}' cannot be applied")));
        }
        refuse_not_yet(&conv.meta, "converter")?;
        let owner = Owner { name, fetch: Some(self.fetch.meta.name) };
        let (mut a, used) = args::parse(cx, conv.args, &text[name.len()..], owner)
            .map_err(|(i, e)| e.prefix(format_args!("invalid arg {i} in converter '{name}' : ")))?;
        if let Some(check) = conv.check {
            check(cx, &mut a).map_err(|e| e.prefix(format_args!("invalid args in converter '{name}' : ")))?;
        }
        let mut steps = std::mem::take(&mut self.convs).into_vec();
        steps.push(Step { conv, args: a.into() });
        self.convs = steps.into();
        Ok(name.len() + used)
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

    /// The fast way to its occurrences, when it is a string of the message as it is.
    pub(crate) fn slices(&self) -> Option<SlicesFn> {
        self.fetch.slices.filter(|_| self.convs.is_empty())
    }

    /// The arguments of its fetch.
    pub(crate) fn args(&self) -> &[Arg] {
        &self.args
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

    /// Checks that the fetch can work where `cx` says, for log-formats.
    ///
    /// # Errors
    /// HAProxy's text, naming what is missing there.
    pub fn check_at(&self, cx: &CompileCx<'_>) -> Result<(), Error> {
        self.missing_at(cx).map_or(Ok(()), |needs| {
            Err(Error::new(format!(
                "sample fetch <{}> may not be reliably used here because it needs '{needs}' which is not available here",
                self.fetch.meta.name
            )))
        })
    }

    /// Checks that the fetch can work where `cx` says, for rules that take an expression (`set-var`, `balance`…).
    ///
    /// # Errors
    /// HAProxy's text, naming what is missing there.
    pub fn require_at(&self, cx: &CompileCx<'_>) -> Result<(), Error> {
        self.missing_at(cx).map_or(Ok(()), |needs| {
            Err(Error::new(format!(
                "fetch method '{}' extracts information from '{needs}', none of which is available here",
                self.fetch.meta.name
            )))
        })
    }

    /// What is needed and not available where `cx` says.
    fn missing_at(&self, cx: &CompileCx<'_>) -> Option<String> {
        cx.at.filter(|c| !self.fetch.src.validity().at(*c)).map(|_| self.fetch.src.describe())
    }
}

/// Refuses what another part of the program will bring.
fn refuse_not_yet(meta: &Meta, kind: &str) -> Result<(), Error> {
    match meta.status {
        Status::NotYet(area) => {
            Err(Error::new(format!("{kind} '{}' is not supported yet ({area})", meta.name)))
        }
        _ => Ok(()),
    }
}

/// The keyword at the start of a string: up to a delimiter of the expression syntax.
fn ident(text: &str) -> &str {
    let end = text.find(['(', ',', ')', ']', ' ', '\t']).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;

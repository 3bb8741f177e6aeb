//! Rows of the keyword tables: fetches, converters, ACL aliases.

use crate::args::{Arg, ArgSpec, NONE};
use crate::checkpoint::Source;
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::types::Type;
use crate::value::Value;
use hawser_cfg::keyword::{Meta, Status};

/// Fetches a sample; `None` means "not found".
pub type FetchFn = for<'a> fn(&'a [Arg], &Ctx<'a>) -> Option<Value<'a>>;

/// Fetches every occurrence of a sample until the visitor returns true: ACLs look at all of them.
pub type EachFn = for<'a> fn(&'a [Arg], &Ctx<'a>, &mut dyn FnMut(Value<'a>) -> bool) -> bool;

/// Visits every occurrence of a sample that is a string in the message, until the visitor returns true: the fast way
/// of conditions, without a [`Value`] for each.
pub type SlicesFn = for<'a> fn(&'a [Arg], &Ctx<'a>, &mut dyn FnMut(&'a [u8]) -> bool) -> bool;

/// Converts a sample; `None` means that the whole expression finds nothing.
pub type ConvFn = for<'a> fn(&'a [Arg], Value<'a>, &Ctx<'a>) -> Option<Value<'a>>;

/// Checks and prepares arguments beyond their types. The error follows "invalid args in fetch method 'x' : ".
pub type CheckFn = fn(&mut CompileCx<'_>, &mut [Arg]) -> Result<(), Error>;

/// When a fetch's answer may still change while input is arriving (`inspect-delay`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MayChange {
    /// Never.
    No,
    /// Until the request data are complete.
    ReqData,
    /// Until the response data are complete.
    ResData,
    /// As long as the evaluation is partial.
    Always,
}

/// A sample fetch.
#[derive(Debug)]
pub struct Fetch {
    /// Name, help, status.
    pub meta: Meta,
    /// Arguments.
    pub args: ArgSpec,
    /// Type of the sample.
    pub out: Type,
    /// Where the data come from.
    pub src: Source,
    /// Fetches one sample.
    pub run: FetchFn,
    /// Fetches all occurrences, where several are possible.
    pub each: Option<EachFn>,
    /// The same as plain strings.
    pub slices: Option<SlicesFn>,
    /// Checks arguments.
    pub check: Option<CheckFn>,
    /// Whether the answer may still change.
    pub changes: MayChange,
}

/// A converter.
#[derive(Debug)]
pub struct Converter {
    /// Name, help, status.
    pub meta: Meta,
    /// Arguments.
    pub args: ArgSpec,
    /// Type it takes.
    pub input: Type,
    /// Type it returns.
    pub out: Type,
    /// Converts.
    pub run: ConvFn,
    /// Checks arguments.
    pub check: Option<CheckFn>,
}

/// An ACL keyword: a fetch with a matching method.
#[derive(Debug)]
pub struct AclAlias {
    /// Its name.
    pub name: &'static str,
    /// The fetch.
    pub fetch: &'static str,
    /// Name of the matching method.
    pub method: &'static str,
}

/// A row for an implemented fetch.
pub const fn fetch(
    name: &'static str,
    args: ArgSpec,
    out: Type,
    src: Source,
    run: FetchFn,
    help: &'static str,
) -> Fetch {
    Fetch {
        meta: Meta::new(name, help),
        args,
        out,
        src,
        run,
        each: None,
        slices: None,
        check: None,
        changes: MayChange::No,
    }
}

/// A row for a fetch that another part of the program will bring.
pub const fn later(name: &'static str, args: ArgSpec, out: Type, src: Source, area: &'static str) -> Fetch {
    let f = fetch(name, args, out, src, |_, _| None, area);
    Fetch { meta: f.meta.status(Status::NotYet(area)), ..f }
}

impl Fetch {
    /// The same row with all occurrences.
    pub const fn each(mut self, f: EachFn) -> Self {
        self.each = Some(f);
        self
    }

    /// The same row with the fast way of conditions.
    pub const fn slices(mut self, f: SlicesFn) -> Self {
        self.slices = Some(f);
        self
    }

    /// The same row with an argument check.
    pub const fn check(mut self, f: CheckFn) -> Self {
        self.check = Some(f);
        self
    }

    /// The same row, its answer changing while data arrive.
    pub const fn changes(mut self, c: MayChange) -> Self {
        self.changes = c;
        self
    }
}

/// A row for an implemented converter.
pub const fn conv(
    name: &'static str,
    args: ArgSpec,
    input: Type,
    out: Type,
    run: ConvFn,
    help: &'static str,
) -> Converter {
    Converter { meta: Meta::new(name, help), args, input, out, run, check: None }
}

/// A row for a converter that another part of the program will bring.
pub const fn conv_later(
    name: &'static str,
    args: ArgSpec,
    input: Type,
    out: Type,
    area: &'static str,
) -> Converter {
    let c = conv(name, args, input, out, |_, _, _| None, area);
    Converter { meta: c.meta.status(Status::NotYet(area)), ..c }
}

impl Converter {
    /// The same row with an argument check.
    pub const fn check(mut self, f: CheckFn) -> Self {
        self.check = Some(f);
        self
    }
}

/// A converter without arguments.
pub const fn conv0(name: &'static str, input: Type, out: Type, run: ConvFn, help: &'static str) -> Converter {
    conv(name, NONE, input, out, run, help)
}

/// A row for an ACL keyword.
pub const fn alias(name: &'static str, fetch: &'static str, method: &'static str) -> AclAlias {
    AclAlias { name, fetch, method }
}

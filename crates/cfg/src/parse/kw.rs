//! The rows of section keywords: where a keyword is allowed, its arguments, what it sets.

use super::ctx::Ctx;
use super::line::Line;
use crate::keyword::{Meta, Row};

/// Where a keyword is allowed, as bits. A keyword of `global` or of a section with its own table has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scope(u16);

impl Scope {
    /// No proxy section: the table says where the keyword belongs.
    pub(crate) const NONE: Self = Self(0);
    /// Needs the frontend side: `frontend` and `listen`.
    pub(crate) const FE: Self = Self(1);
    /// Needs the backend side: `backend` and `listen`.
    pub(crate) const BE: Self = Self(2);
    /// Either side will do.
    pub(crate) const PX: Self = Self(3);
    /// Allowed in `defaults`.
    pub(crate) const DEF: Self = Self(4);
    /// Allowed in named `defaults` only.
    pub(crate) const NAMED: Self = Self(8);
    /// On the wrong side it is refused; without this it is ignored with a warning.
    pub(crate) const STRICT: Self = Self(16);
    /// The warning has the later wording of HAProxy, `x will be ignored because …`.
    pub(crate) const WILL: Self = Self(32);
    /// `no` and `default` may stand in front of it.
    pub(crate) const NEG: Self = Self(64);
    /// An option of `bind` that lines with a `rhttp@` address take too.
    pub(crate) const REVERSE: Self = Self(128);

    /// Both.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every bit of `other` is set.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A check of a value that is not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Anything.
    Any,
    /// An integer in a range.
    Int(i64, i64),
    /// The same with nothing behind it.
    Exact(i64, i64),
    /// A size.
    Size,
    /// A size in a range.
    Bytes(u32, u32),
    /// A size without a unit.
    Plain,
    /// A time in ms.
    Time,
    /// A time in a range (ms).
    Within(u32, u32),
    /// `on` or `off`.
    OnOff,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Some of these words, with commas between them.
    SomeOf(&'static [&'static str]),
}

/// What a keyword does to its target, a section under construction.
#[derive(Clone, Copy)]
pub(crate) enum Set<T: 'static> {
    /// Runs a function.
    Run(fn(&mut Ctx<'_>, &mut T, &Line<'_>)),
    /// Sets a flag; clears it with `no`.
    Flag(fn(&mut T) -> &mut bool),
    /// An integer in a range.
    Int(u32, u32, fn(&mut T) -> &mut Option<u32>),
    /// A size in bytes.
    Size(fn(&mut T) -> &mut Option<u32>),
    /// A time in ms.
    Time(fn(&mut T) -> &mut Option<u32>),
    /// A text.
    Text(fn(&mut T) -> &mut Option<String>),
    /// Checks the argument and forgets it.
    Check(Kind),
    /// Nothing: the status of the row says why.
    Nothing,
}

impl<T> std::fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Set")
    }
}

/// The payload of a section keyword.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kw<T: 'static> {
    /// Where it is allowed.
    pub(crate) scope: Scope,
    /// Fewest arguments.
    pub(crate) min: u8,
    /// Most arguments; [`MANY`] for no limit.
    pub(crate) max: u8,
    /// What is expected, to follow `'keyword' expects `, with its full stop.
    pub(crate) expects: &'static str,
    /// What it does.
    pub(crate) set: Set<T>,
}

/// No limit on the number of arguments.
pub(crate) const MANY: u8 = u8::MAX;

const fn row<T>(name: &'static str, kw: Kw<T>, help: &'static str) -> Row<Kw<T>> {
    Row { meta: Meta::new(name, help), x: kw }
}

/// A keyword that runs a function; `words` is the fewest and the most arguments.
pub(crate) const fn run<T>(
    name: &'static str,
    words: (u8, u8),
    expects: &'static str,
    f: fn(&mut Ctx<'_>, &mut T, &Line<'_>),
    help: &'static str,
) -> Row<Kw<T>> {
    row(name, Kw { scope: Scope::NONE, min: words.0, max: words.1, expects, set: Set::Run(f) }, help)
}

/// A keyword without arguments that sets a flag.
pub(crate) const fn flag<T>(
    name: &'static str,
    slot: fn(&mut T) -> &mut bool,
    help: &'static str,
) -> Row<Kw<T>> {
    row(name, Kw { scope: Scope::NONE, min: 0, max: 0, expects: "", set: Set::Flag(slot) }, help)
}

/// A keyword with an integer.
pub(crate) const fn int<T>(
    name: &'static str,
    range: (u32, u32),
    slot: fn(&mut T) -> &mut Option<u32>,
    help: &'static str,
) -> Row<Kw<T>> {
    let set = Set::Int(range.0, range.1, slot);
    row(name, Kw { scope: Scope::NONE, min: 1, max: 1, expects: "an integer argument.", set }, help)
}

/// A keyword with a size.
pub(crate) const fn size<T>(
    name: &'static str,
    slot: fn(&mut T) -> &mut Option<u32>,
    help: &'static str,
) -> Row<Kw<T>> {
    row(
        name,
        Kw { scope: Scope::NONE, min: 1, max: 1, expects: "a size argument.", set: Set::Size(slot) },
        help,
    )
}

/// A keyword with a time.
pub(crate) const fn time<T>(
    name: &'static str,
    slot: fn(&mut T) -> &mut Option<u32>,
    help: &'static str,
) -> Row<Kw<T>> {
    row(
        name,
        Kw { scope: Scope::NONE, min: 1, max: 1, expects: "<time> as argument.", set: Set::Time(slot) },
        help,
    )
}

/// A keyword with a text of one word.
pub(crate) const fn text<T>(
    name: &'static str,
    expects: &'static str,
    slot: fn(&mut T) -> &mut Option<String>,
    help: &'static str,
) -> Row<Kw<T>> {
    row(name, Kw { scope: Scope::NONE, min: 1, max: 1, expects, set: Set::Text(slot) }, help)
}

/// A keyword whose argument is checked and not kept.
pub(crate) const fn check<T>(name: &'static str, kind: Kind, help: &'static str) -> Row<Kw<T>> {
    let (expects, n) = match kind {
        Kind::Any => ("an argument.", 1),
        Kind::Int(..) | Kind::Exact(..) => ("an integer argument.", 1),
        Kind::Size | Kind::Bytes(..) | Kind::Plain => ("a size argument.", 1),
        Kind::Time | Kind::Within(..) => ("<time> as argument.", 1),
        Kind::OnOff => ("either 'on' or 'off'.", 1),
        Kind::OneOf(_) | Kind::SomeOf(_) => ("an argument.", 1),
    };
    row(name, Kw { scope: Scope::NONE, min: n, max: n, expects, set: Set::Check(kind) }, help)
}

/// A keyword that only has a name: not there yet, removed, or without arguments and without effect.
pub(crate) const fn word<T>(name: &'static str, help: &'static str) -> Row<Kw<T>> {
    row(name, Kw { scope: Scope::NONE, min: 0, max: 0, expects: "", set: Set::Nothing }, help)
}

impl<T> Row<Kw<T>> {
    /// The same keyword, allowed in these proxy sections.
    pub(crate) const fn scope(mut self, scope: Scope) -> Self {
        self.x.scope = scope;
        self
    }

    /// The same option of `bind`, which reverse HTTP listeners have too.
    pub(crate) const fn reverse(mut self) -> Self {
        self.x.scope = self.x.scope.and(Scope::REVERSE);
        self
    }

    /// The same keyword with another limit of arguments.
    pub(crate) const fn words(mut self, min: u8, max: u8) -> Self {
        self.x.min = min;
        self.x.max = max;
        self
    }

    /// The same keyword, which `no` may precede.
    pub(crate) const fn negatable(mut self) -> Self {
        self.x.scope = self.x.scope.and(Scope::NEG);
        self
    }
}

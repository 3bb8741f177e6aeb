//! The grammar of conditions, in nom.
//!
//! ```text
//! any  = all *( "||" all )
//! all  = term *( "&&" term )
//! term = *"!" ( integer | predicate [ "(" args ")" ] | "(" any ")" )
//! args = arg *( "," arg )        ; quotes and escapes as manual 2.2 has them inside parentheses
//! ```
//!
//! Blanks are allowed everywhere between the tokens, except inside `args` where they belong to the argument.

use super::CondError;
use super::predicates::{PREDICATES, Predicate};
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, tag_no_case, take_till, take_while1};
use nom::character::complete::{anychar, digit1, hex_digit1, multispace0, one_of};
use nom::combinator::{map, opt, recognize};
use nom::error::{ErrorKind, ParseError};
use nom::multi::many0_count;
use nom::sequence::{preceded, terminated};
use nom::{Err, IResult, Parser};

/// Parentheses may nest this deep.
const MAX_DEPTH: usize = 256;

/// A parsed condition.
#[derive(Debug)]
pub(super) enum Expr {
    Const(bool),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Call {
        predicate: &'static Predicate,
        args: Vec<String>,
        /// Offset behind the call.
        end: usize,
    },
}

/// Parses a whole condition that is not empty.
pub(super) fn condition(text: &str) -> Result<Expr, CondError> {
    let grammar = Grammar { text };
    let fail = |bad: Bad<'_>| CondError { text: bad.text, caret: text.len() - bad.at.len() };
    match grammar.any(text, text, 0) {
        Ok((rest, expr)) => match rest.trim_ascii_start().chars().next() {
            None => Ok(expr),
            Some(c) => Err(CondError {
                text: format!("unexpected character '{c}' at the end of conditional expression '{text}'"),
                caret: text.len() - rest.trim_ascii_start().len(),
            }),
        },
        Err(Err::Error(bad) | Err::Failure(bad)) => Err(fail(bad)),
        Err(Err::Incomplete(_)) => Err(fail(Bad::new(text, text))),
    }
}

/// What went wrong: where, and HAProxy's message.
struct Bad<'a> {
    at: &'a str,
    text: String,
}

impl<'a> Bad<'a> {
    /// Something at `at` that is no condition, shown from `from` on.
    fn new(at: &'a str, from: &str) -> Self {
        Self { at, text: format!("unparsable conditional expression '{from}'") }
    }
}

impl<'a> ParseError<&'a str> for Bad<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self::new(at, at)
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Bad<'a>>;

struct Grammar<'a> {
    text: &'a str,
}

impl<'a> Grammar<'a> {
    /// `origin` is what a message shows when an operand is missing: the condition from its start or parenthesis.
    fn any(&self, origin: &'a str, input: &'a str, depth: usize) -> Parsed<'a, Expr> {
        let operand = |input| self.all(input, depth);
        let (rest, mut terms) = operators(input, "||", |_| origin, operand)?;
        Ok((rest, if terms.len() == 1 { terms.remove(0) } else { Expr::Any(terms) }))
    }

    fn all(&self, input: &'a str, depth: usize) -> Parsed<'a, Expr> {
        let operand = |input| self.term(input, depth);
        let (rest, mut terms) = operators(input, "&&", |operator| operator, operand)?;
        Ok((rest, if terms.len() == 1 { terms.remove(0) } else { Expr::All(terms) }))
    }

    fn term(&self, input: &'a str, depth: usize) -> Parsed<'a, Expr> {
        let (start, _) = multispace0(input)?;
        if start.is_empty() || depth > MAX_DEPTH {
            let text = format!("unparsable conditional sub-expression '{input}'");
            return Err(Err::Failure(Bad { at: input, text }));
        }
        let (rest, negations) = many0_count(terminated(one_of("!"), multispace0)).parse(start)?;
        let (rest, expr) = if let Some(inside) = rest.strip_prefix('(') {
            if inside.trim_ascii_start().is_empty() {
                return Err(Err::Failure(Bad::new(start, start)));
            }
            self.parentheses(start, rest, depth)?
        } else if let Ok(number) = integer(rest) {
            number
        } else {
            self.call(start, rest)?
        };
        Ok((rest, if negations % 2 == 1 { Expr::Not(Box::new(expr)) } else { expr }))
    }

    fn parentheses(&self, start: &'a str, open: &'a str, depth: usize) -> Parsed<'a, Expr> {
        let (rest, expr) = self.any(open, &open[1..], depth + 1)?;
        let closed: Parsed<'a, &str> = preceded(multispace0, tag(")")).parse(rest);
        match closed {
            Ok((rest, _)) => Ok((rest, expr)),
            Err(_) => {
                let text = format!("expected ')' after conditional expression '{start}'");
                Err(Err::Failure(Bad { at: start, text }))
            }
        }
    }

    fn call(&self, start: &'a str, input: &'a str) -> Parsed<'a, Expr> {
        let name: Parsed<'a, &str> = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_')(input);
        let known = name.ok().filter(|(rest, _)| rest.is_empty() || rest.starts_with(['(', ' ', '\t']));
        let known = known.and_then(|(rest, name)| {
            PREDICATES.iter().find(|p| p.name == name).map(|predicate| (rest, predicate))
        });
        let Some((rest, predicate)) = known else {
            return Err(Err::Failure(Bad::new(start, start)));
        };
        let used = format!("of predicate '{}' used in conditional expression", predicate.name);
        let open = rest.starts_with('(');
        let (mut rest, args) =
            if open { arguments(&rest[1..], predicate.args)? } else { (rest, vec![String::new()]) };
        let (got, need) = (args.len(), predicate.args);
        if got < need {
            let text = format!(
                "missing arguments (got {got}/{need}), type 'string' expected in argument {got} {used}"
            );
            return Err(Err::Failure(Bad { at: rest, text }));
        }
        if open {
            rest = rest.strip_prefix(')').ok_or_else(|| {
                let before = if rest.is_empty() { String::new() } else { format!(" before '{rest}'") };
                Err::Failure(Bad { at: rest, text: format!("expected ')'{before} in argument 1 {used}") })
            })?;
        }
        Ok((rest, Expr::Call { predicate, args, end: self.text.len() - rest.len() }))
    }
}

/// Operands with `operator` between them. When one is missing at the end, `shown` says from where on the message
/// shows the text.
fn operators<'a>(
    input: &'a str,
    operator: &str,
    shown: impl Fn(&'a str) -> &'a str,
    operand: impl Fn(&'a str) -> Parsed<'a, Expr>,
) -> Parsed<'a, Vec<Expr>> {
    let (mut rest, first) = operand(input)?;
    let mut operands = vec![first];
    loop {
        let (at, _) = multispace0(rest)?;
        let Some(after) = at.strip_prefix(operator) else {
            return Ok((rest, operands));
        };
        if after.trim_ascii_start().is_empty() {
            return Err(Err::Failure(Bad::new(at, shown(at))));
        }
        let (next, value) = operand(after)?;
        operands.push(value);
        rest = next;
    }
}

/// A decimal or hexadecimal number of any size; only zero is false.
fn integer(input: &str) -> Parsed<'_, Expr> {
    let digits = alt((preceded(tag_no_case("0x"), hex_digit1), digit1));
    let number = preceded(opt(one_of("+-")), digits);
    map(number, |digits: &str| Expr::Const(digits.bytes().any(|b| b != b'0'))).parse(input)
}

/// At most `max` arguments, up to the closing parenthesis or whatever comes instead.
fn arguments(mut input: &str, max: usize) -> Parsed<'_, Vec<String>> {
    let mut args = Vec::with_capacity(max);
    loop {
        let (rest, arg) = argument(input)?;
        args.push(arg);
        match rest.strip_prefix(',') {
            Some(after) if args.len() < max => input = after,
            _ => return Ok((rest, args)),
        }
    }
}

/// One argument: a quote that is not closed takes the rest of the text.
fn argument(mut input: &str) -> Parsed<'_, String> {
    let mut out = String::new();
    loop {
        let plain: Parsed<'_, &str> = recognize(is_not("\\\"',)")).parse(input);
        if let Ok((rest, text)) = plain {
            out.push_str(text);
            input = rest;
        }
        match input.as_bytes().first() {
            Some(b'\'') => {
                let (rest, text) = take_till(|c| c == '\'').parse(&input[1..])?;
                out.push_str(text);
                input = rest.strip_prefix('\'').unwrap_or(rest);
            }
            Some(b'"') => input = weak(&input[1..], &mut out)?.0,
            Some(b'\\') => input = escape(input, &mut out)?.0,
            _ => return Ok((input, out)),
        }
    }
}

fn weak<'a>(mut input: &'a str, out: &mut String) -> Parsed<'a, ()> {
    loop {
        let (rest, text) = take_till(|c| c == '"' || c == '\\').parse(input)?;
        out.push_str(text);
        match rest.as_bytes().first() {
            Some(b'\\') => input = escape(rest, out)?.0,
            Some(_) => return Ok((&rest[1..], ())),
            None => return Ok((rest, ())),
        }
    }
}

/// A backslash; one that protects nothing stays.
fn escape<'a>(input: &'a str, out: &mut String) -> Parsed<'a, ()> {
    let after = &input[1..];
    let next: Parsed<'a, char> = anychar(after);
    if let Ok((rest, c)) = next {
        let meant = match c {
            '\\' | '"' | '\'' | ' ' => Some(c),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            _ => None,
        };
        if let Some(c) = meant {
            out.push(c);
            return Ok((rest, ()));
        }
    }
    out.push('\\');
    Ok((after, ()))
}

//! Conditions of `.if`, `.elif` and `-cc` (manual 2.4).
//!
//! `parse` turns the text into a tree and reports what is wrong with it, wherever it is; evaluating goes from
//! left to right and stops as soon as the result is known.

mod parse;
mod predicates;
#[cfg(test)]
mod tests;

use crate::env::Env;
use crate::features::{self, Feature, SslLib};
use crate::lexer;
use parse::Expr;

/// What conditions are evaluated against.
#[derive(Clone, Copy, Debug)]
pub struct CondCx<'a> {
    /// What `feature()` finds.
    pub features: &'a [Feature],
    /// What `enabled()` finds: names of options that are enabled at run time.
    pub enabled: &'a [&'a str],
    /// The version that `version_atleast()` compares with, such as `3.4.0`.
    pub version: &'a str,
    /// The TLS library, if there is one.
    pub ssl_lib: Option<SslLib>,
}

impl Default for CondCx<'_> {
    fn default() -> Self {
        Self {
            features: features::FEATURES,
            enabled: features::DEFAULT_ENABLED,
            version: features::VERSION,
            ssl_lib: features::SSL_LIB,
        }
    }
}

/// A condition that cannot be evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CondError {
    /// HAProxy's message, without the place that it adds.
    pub text: String,
    /// Byte offset in the condition that it points at.
    pub caret: usize,
}

/// Evaluates a condition whose quotes and variables are resolved already. An empty one is false.
///
/// # Errors
/// What is wrong with it, and where.
pub fn evaluate(text: &str, env: &Env, cx: &CondCx<'_>) -> Result<bool, CondError> {
    if text.is_empty() {
        return Ok(false);
    }
    eval(&parse::condition(text)?, env, cx)
}

/// Evaluates the argument of `-cc`, which still has its quotes and variables.
///
/// # Errors
/// The whole message for the user.
pub fn evaluate_argument(text: &str, env: &Env, cx: &CondCx<'_>) -> Result<bool, String> {
    let text = lexer::unquote(text, env).map_err(|e| {
        let (first, rest) = e.text.split_at(1);
        format!("Syntax Error in condition: {}{rest}.", first.to_ascii_uppercase())
    })?;
    evaluate(&text, env, cx).map_err(|e| format!("Failed to evaluate condition: {}", e.text))
}

fn eval(expr: &Expr, env: &Env, cx: &CondCx<'_>) -> Result<bool, CondError> {
    match expr {
        Expr::Const(value) => Ok(*value),
        Expr::Not(inner) => Ok(!eval(inner, env, cx)?),
        Expr::All(terms) => {
            for term in terms {
                if !eval(term, env, cx)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Expr::Any(terms) => {
            for term in terms {
                if eval(term, env, cx)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expr::Call { predicate, args, end } => (predicate.run)(args, env, cx).map_err(|arg| CondError {
            text: format!(
                "invalid argument to conditional expression predicate '{}': '{arg}'",
                predicate.name
            ),
            caret: *end,
        }),
    }
}

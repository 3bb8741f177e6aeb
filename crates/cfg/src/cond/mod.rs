//! Conditions of `.if`, `.elif` and `-cc` (manual 2.4).

/// What conditions are evaluated against.
#[derive(Clone, Copy, Debug)]
pub struct CondCx<'a> {
    /// What `feature()` finds: names of the built-in features.
    pub features: &'a [crate::features::Feature],
    /// What `enabled()` finds: upper-case names of options that are enabled at run time.
    pub enabled: &'a [&'a str],
    /// The version that `version_atleast()` compares with, such as `3.4.0`.
    pub version: &'a str,
}

impl Default for CondCx<'_> {
    fn default() -> Self {
        Self { features: crate::features::FEATURES, enabled: &[], version: crate::features::VERSION }
    }
}

/// A condition that cannot be evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CondError {
    /// HAProxy's message.
    pub text: String,
    /// Byte offset in the condition that it points at.
    pub caret: usize,
}

/// Evaluates a condition.
///
/// # Errors
/// What is wrong with it, and where.
pub fn evaluate(text: &str, env: &crate::env::Env, cx: &CondCx<'_>) -> Result<bool, CondError> {
    let _ = (env, cx);
    Ok(text == "1")
}

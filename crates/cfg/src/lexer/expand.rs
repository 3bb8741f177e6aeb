//! Variables inside double quotes: `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}` and pseudo-variables.

use super::{LexError, LexErrorKind, Lexer};
use std::fmt::Write;

/// What a name stands for.
enum Value<'a> {
    Text(&'a str),
    Line(u32),
    Unset,
}

impl Lexer<'_> {
    /// Expands the variable whose `$` is next.
    pub(super) fn variable(&mut self) -> Result<(), LexError> {
        let brace = (self.bytes.get(self.at + 1) == Some(&b'{')).then_some(self.at + 1);
        let first = brace.unwrap_or(self.at) + 1;
        let (env, raw, bytes) = (self.env, self.raw, self.bytes);
        let len = name_len(bytes.get(first..).unwrap_or_default());
        let name = &raw[first..first + len];
        let value = match name.strip_prefix('.') {
            Some("FILE") => Value::Text(self.pseudo.file),
            Some("LINE") => Value::Line(self.pseudo.line),
            Some("SECTION") => Value::Text(self.pseudo.section),
            None if len > 0 => env.get(name).map_or(Value::Unset, Value::Text),
            _ => return Err(self.error(first, LexErrorKind::BadVariable)),
        };
        self.at = first + len;
        let Some(brace) = brace else {
            return self.expand(&value, None, false);
        };
        let split = self.star()?;
        let mut default = None;
        if self.peek() == Some(b'-') {
            let rest = &raw[self.at + 1..];
            let len = memchr::memchr(b'}', rest.as_bytes())
                .ok_or_else(|| self.error(brace, LexErrorKind::UnmatchedBrace))?;
            default = Some(&rest[..len]);
            self.at += 1 + len;
        }
        if self.peek() != Some(b'}') {
            return Err(self.error(brace, LexErrorKind::UnmatchedBrace));
        }
        self.at += 1;
        self.expand(&value, default, split)
    }

    /// Takes `[*]`, if it is next.
    fn star(&mut self) -> Result<bool, LexError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.first() != Some(&b'[') {
            return Ok(false);
        }
        if !rest.starts_with(b"[*]") {
            return Err(self.error(self.at, LexErrorKind::BadExpansion));
        }
        self.at += 3;
        Ok(true)
    }

    fn expand(&mut self, value: &Value<'_>, default: Option<&str>, split: bool) -> Result<(), LexError> {
        let text = match value {
            Value::Text(text) => text,
            Value::Unset => default.unwrap_or_default(),
            Value::Line(line) => {
                // Writing to a string cannot fail.
                let _ = write!(self.word.text, "{line}");
                return Ok(());
            }
        };
        if !split {
            self.word.text.push_str(text);
            return Ok(());
        }
        self.word.expanded = true;
        let mut parts = text.split(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        self.word.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            if !self.word.text.is_empty() {
                self.finish()?;
                self.word.expanded = true;
            }
            self.word.text.push_str(part);
        }
        Ok(())
    }
}

/// Length of the variable name at the start of `text`; 0 when its first character is forbidden.
fn name_len(text: &[u8]) -> usize {
    let dot = usize::from(text.first() == Some(&b'.'));
    let name = text.get(dot..).unwrap_or_default();
    if !name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
        return 0;
    }
    dot + name.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
}

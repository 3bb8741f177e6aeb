//! The words of a rule behind its action.

use hawser_cfg::diag::Severity;
use hawser_cfg::pos::Word;
use hawser_sample::{CompileCx, Error, Expr, Flavor, LogFormat};

/// A cursor over the arguments of an action.
pub struct Args<'a> {
    words: &'a [Word],
    at: usize,
}

impl<'a> Args<'a> {
    /// Over a rule's words, of which the first `at` are dealt with.
    pub fn new(words: &'a [Word], at: usize) -> Self {
        Self { words, at }
    }

    /// The word of the action itself.
    pub fn action(&self) -> &'a str {
        self.words.first().map_or("", |w| w.as_str())
    }

    /// Index of the next word.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next word, if there is one: a condition's `if` is a word like any other here.
    pub fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(Word::as_str)
    }

    /// The next word, unless a condition starts there.
    pub fn peek_arg(&self) -> Option<&'a str> {
        self.peek().filter(|w| !matches!(*w, "if" | "unless"))
    }

    /// Takes the next word.
    pub fn advance(&mut self) -> Option<&'a str> {
        let w = self.peek()?;
        self.at += 1;
        Some(w)
    }

    /// Takes the next word if it is this one.
    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    /// Takes `N` words, or fails with this text.
    ///
    /// # Errors
    /// The text, when there are fewer.
    pub fn take<const N: usize>(&mut self, text: &str) -> Result<[&'a str; N], Error> {
        let words = self.words.get(self.at..self.at + N).ok_or_else(|| Error::new(text))?;
        self.at += N;
        Ok(std::array::from_fn(|i| words[i].as_str()))
    }

    /// Whether nothing is left but a condition.
    pub fn is_done(&self) -> bool {
        self.peek_arg().is_none()
    }

    /// The words from the cursor on.
    pub fn rest(&self) -> &'a [Word] {
        self.words.get(self.at..).unwrap_or_default()
    }

    /// Takes a sample expression.
    ///
    /// # Errors
    /// What is wrong with it, or that its data are not available where the rule stands.
    pub fn expr(&mut self, cx: &mut CompileCx<'_>) -> Result<Expr, Error> {
        let from = self.at;
        if self.is_done() {
            return Err(Error::new("missing fetch method"));
        }
        let e = Expr::parse(cx, self.words, &mut self.at)?;
        if cx.at.is_some_and(|c| !e.needs().validity().at(c)) {
            return Err(Error::new(format!(
                "fetch method '{}' extracts information from '{}', none of which is available here",
                self.words[from].text,
                e.needs().describe()
            ))
            .at(from));
        }
        Ok(e)
    }

    /// Takes a sample expression that may stand where its data are not available: HAProxy accepts that for some
    /// actions, which then do nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn any_expr(&mut self, cx: &mut CompileCx<'_>) -> Result<Expr, Error> {
        let at = cx.at.take();
        let e = self.expr(cx);
        cx.at = at;
        if let (Ok(e), Some(at)) = (&e, at)
            && !e.needs().validity().at(at)
        {
            let text =
                format!("'{}' is never available here, so that this rule does nothing.", e.fetch_name());
            cx.diags.push(Severity::Diag, Some(cx.pos), text);
        }
        e
    }

    /// Takes a log-format string for a part of a message.
    ///
    /// # Errors
    /// `text` when there is no word, or what is wrong with the format.
    pub fn format(&mut self, cx: &mut CompileCx<'_>, text: &str) -> Result<LogFormat, Error> {
        self.format_as(cx, text, Flavor::Header)
    }

    /// Takes a log-format string for a use.
    ///
    /// # Errors
    /// See [`Args::format`].
    pub fn format_as(
        &mut self,
        cx: &mut CompileCx<'_>,
        text: &str,
        flavor: Flavor,
    ) -> Result<LogFormat, Error> {
        let [w] = self.take(text)?;
        LogFormat::parse(cx, w, flavor).map_err(|e| e.at(self.at - 1))
    }
}

//! The configuration as its lines were understood (`-dC`): words without quotes, comments and blocks that are not in force.

use super::section::Parser;
use crate::cond::CondCx;
use crate::diag::Diags;
use crate::env::Env;
use crate::load::{self, LineCx, LineSink, Source};
use crate::pos::Word;

/// Reads all sources anew. Messages about them are those of [`super::parse`].
pub fn dump(sources: &[Source], cond: &CondCx<'_>, env: &Env) -> Vec<u8> {
    let mut dump = Dump::default();
    load::load(sources, cond, &mut env.clone(), &mut Diags::default(), &mut dump);
    dump.out
}

#[derive(Default)]
struct Dump {
    out: Vec<u8>,
    /// What lines do to those that follow.
    parser: Parser,
}

impl LineSink for Dump {
    fn line(&mut self, cx: &mut LineCx<'_>, words: &[Word]) {
        let heading = words.first().is_some_and(|w| crate::sections::registry().sections.get(w).is_some());
        if !heading {
            self.out.push(b'\t');
        }
        for w in words {
            self.out.extend_from_slice(&w.octets());
            self.out.push(b' ');
        }
        self.out.push(b'\n');
        self.parser.line(cx, words);
    }

    fn end_of_file(&mut self, cx: &mut LineCx<'_>) {
        self.parser.end_of_file(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_in_sections() {
        let text = "global # not this\n  setenv A \"b c\"\n\ndefaults x\n.if streq(\"$A\",b\\ c)\n mode 'http'\n.else\n mode tcp\n.endif\n";
        let out =
            dump(&[Source::Text { name: "t".into(), data: text.into() }], &CondCx::default(), &Env::empty());
        let want = "global \n\tsetenv A b c \ndefaults x \n\tmode http \n";
        assert_eq!(String::from_utf8_lossy(&out), want);
    }
}

//! Options in the middle of a line: what follows the address of `bind`, `server` and `stats socket`.

use super::ctx::Ctx;
use super::kw::{Kw, MANY};
use super::line::Line;
use super::run;
use crate::diag::Layout;
use crate::keyword::{Index, Status, hash};
use crate::pos::{Pos, Word};

/// How messages about options are introduced.
pub(crate) struct Intro<'a> {
    /// What stands before the message: `'bind :80' in section 'frontend'`, `'server b/s'`.
    pub(crate) text: &'a dyn Fn() -> String,
    /// The layout of the messages.
    pub(crate) layout: Layout,
    /// Names of the options, for near misses.
    pub(crate) hint: &'static str,
}

/// Applies the options from word `at` on to `target`. Stops at the first unknown word, since what it would
/// take is unknown too; reports everything else.
pub(crate) fn walk<T>(
    cx: &mut Ctx<'_>,
    index: &Index<Kw<T>>,
    target: &mut T,
    pos: Pos,
    words: &[Word],
    at: usize,
    intro: &Intro<'_>,
) {
    let before = cx.diags.list.len();
    options(cx, index, target, pos, words, at, intro.hint);
    for d in cx.diags.list.iter_mut().skip(before) {
        let sep = if d.text.starts_with("unknown keyword") && intro.layout == Layout::Spaced {
            ": "
        } else {
            " : "
        };
        let text = (intro.text)();
        if !text.is_empty() {
            d.text = format!("{text}{sep}{}", d.text);
        }
        if intro.layout == Layout::Located && d.suggestion.is_none() && !d.text.ends_with('.') {
            d.text.push('.');
        }
        d.layout = intro.layout;
    }
}

fn options<T>(
    cx: &mut Ctx<'_>,
    index: &Index<Kw<T>>,
    target: &mut T,
    pos: Pos,
    words: &[Word],
    mut at: usize,
    hint: &str,
) {
    let mut refused: Option<&str> = None;
    while let Some(word) = words.get(at) {
        // `name(argument)` is looked up without its argument.
        let bare = || word.find('(').and_then(|i| index.get(&word[..i])).filter(|r| r.meta.prefix);
        let Some(row) = index.get_hashed(word, hash(word.as_bytes())).or_else(bare) else {
            cx.diags.alert_at(pos, word, format!("unknown keyword '{word}'"));
            cx.suggest(word, index.names());
            cx.full_stop(hint);
            return;
        };
        let rest = words.len() - at - 1;
        let (min, max) = (usize::from(row.x.min), usize::from(row.x.max));
        let takes = if row.x.max == MANY { rest } else { max.min(rest) };
        let line = Line::option(pos, &words[at..=at + takes]);
        at += 1 + takes;
        if let Status::NotYet(area) = row.meta.status {
            // One refusal per area and line says enough.
            if refused != Some(area) {
                run::not_yet(cx, &line, area);
                refused = Some(area);
            }
            continue;
        }
        if rest < min {
            cx.diags.alert_at(pos, word, run::missing(row.meta.name, row.x.expects));
            return;
        }
        cx.st.taken = takes;
        run::run(cx, row, target, &line);
        // An option with arguments of its own choice says how many it took.
        at -= takes - cx.st.taken.min(takes);
    }
}

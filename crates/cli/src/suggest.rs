//! Commands that somebody may have meant.

use crate::command::{Command, Level, Registry, Status};

/// Largest number of commands offered for a word that is close to several.
const MAX_CLOSE: usize = 5;

/// Whether a command may be listed at a level.
pub(crate) fn visible(row: &Command, level: Level) -> bool {
    let works = row.status == Status::Implemented && !row.hidden;
    works && row.level <= level && !row.expert && !row.experimental
}

/// Commands that start with these words, or if there are none, those that resemble them.
pub(crate) fn matching<'a>(
    registry: &'a Registry,
    words: &'a [String],
    level: Level,
) -> Vec<&'static Command> {
    let all = || registry.rows().iter().copied().filter(|r| visible(r, level));
    if words.is_empty() {
        return all().collect();
    }
    let starting: Vec<_> = all().filter(|r| starts(r, words)).collect();
    if !starting.is_empty() {
        return starting;
    }
    // How far the words are from those of the command, word by word.
    let mut close: Vec<(usize, &'static Command)> = all().map(|r| (distance(r, words), r)).collect();
    close.sort_by_key(|(d, _)| *d);
    let limit = close.first().map_or(0, |(d, _)| *d + 1);
    let mut rows: Vec<_> =
        close.into_iter().take_while(|(d, _)| *d <= limit).take(MAX_CLOSE).map(|(_, r)| r).collect();
    rows.sort_by_key(|r| r.words);
    rows
}

fn starts(row: &Command, words: &[String]) -> bool {
    let mut own = row.words.split(' ');
    words.iter().all(|w| own.next().is_some_and(|o| o == w)) || {
        let mut typed = words.iter();
        row.words.split(' ').all(|o| typed.next().is_some_and(|w| o == w))
    }
}

fn distance(row: &Command, words: &[String]) -> usize {
    let mut typed = words.iter();
    let own: usize = row.words.split(' ').map(|o| levenshtein(o, typed.next().map_or("", |w| w))).sum();
    own + typed.count()
}

fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = corner + usize::from(ca != *cb);
            corner = row[j + 1];
            row[j + 1] = cost.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    fn offered(line: &str) -> Vec<&'static str> {
        let registry = Registry::new(commands::TABLES);
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        matching(&registry, &words, Level::Admin).iter().map(|r| r.words).collect()
    }

    #[test]
    fn offers_what_was_meant() {
        assert_eq!(offered("show info typed"), ["show info"]);
        assert!(offered("sho version").contains(&"show version"));
        assert!(offered("show verison").contains(&"show version"));
        assert!(offered("set maxconn").iter().all(|w| w.starts_with("set maxconn")));
        assert!(offered("show").len() > 5);
        assert!(offered("xyzzy").len() <= MAX_CLOSE);
    }

    #[test]
    fn distances() {
        for (a, b, want) in [("a", "a", 0), ("show", "sho", 1), ("show", "shwo", 2), ("", "abc", 3)] {
            assert_eq!(levenshtein(a, b), want, "{a} {b}");
        }
    }
}

//! Users and groups of a `userlist` name each other (manual 12.2).

use super::alert;
use crate::diag::Diags;
use crate::model::{RuleLine, Userlist};

/// Checks that whom a user or a group names is there.
pub(super) fn check(u: &Userlist, diags: &mut Diags) {
    for line in &u.lines {
        let (keyword, name) = (word(line, 0), word(line, 1));
        let (option, other) = if keyword == "user" { ("groups", "group") } else { ("users", "user") };
        let Some(at) = line.words.iter().position(|w| w.as_str() == option) else { continue };
        for wanted in word(line, at + 1).split(',').filter(|w| !w.is_empty()) {
            if !u.lines.iter().any(|l| word(l, 0) == other && word(l, 1) == wanted) {
                let text = format!(
                    "userlist '{}': no such {other} '{wanted}' specified in {keyword} '{name}'",
                    u.name
                );
                alert(diags, line.pos, text);
            }
        }
    }
}

fn word(line: &RuleLine, at: usize) -> &str {
    line.words.get(at).map_or("", |w| w.as_str())
}

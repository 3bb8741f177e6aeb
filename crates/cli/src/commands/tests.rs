//! Invariants over the rows.

use super::TABLES;
use crate::command::{Registry, Status};

#[test]
fn rows_are_sound() {
    for row in TABLES.iter().flat_map(|t| t.iter()) {
        assert!(row.usage.starts_with(row.words), "{}", row.words);
        assert!(!row.help.is_empty(), "{}", row.words);
        assert!(row.words.split(' ').all(|w| !w.is_empty()) || row.words.contains('<'), "{}", row.words);
    }
}

#[test]
fn what_is_built_is_not_also_refused() {
    let built: Vec<_> = TABLES[1..].iter().flat_map(|t| t.iter()).map(|r| r.words).collect();
    for row in TABLES[0] {
        assert!(!built.contains(&row.words), "{} has two rows", row.words);
    }
}

#[test]
fn experts_commands_say_so() {
    let registry = Registry::new(TABLES);
    let debug = registry.rows().iter().find(|r| r.words == "debug dev exit").unwrap();
    assert!(debug.expert && debug.status == Status::NotYet);
}

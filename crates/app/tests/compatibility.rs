//! The compatibility table in `docs/` is what the keyword tables say. `UPDATE=1` renews it.

use std::path::Path;

#[test]
fn the_table_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md");
    let fresh = hawser_app::compatibility();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == fresh, "docs/compatibility.md is out of date: run `make docs`");
}

#[test]
fn every_family_is_listed() {
    let doc = hawser_app::compatibility();
    for family in [
        "global",
        "proxy",
        "option",
        "bind option",
        "server option",
        "http-request",
        "sample fetch",
        "converter",
        "runtime API",
    ] {
        assert!(doc.contains(&format!("\n## {family}\n")), "{family} is missing");
    }
    assert!(doc.lines().count() > 1500, "only {} lines", doc.lines().count());
}

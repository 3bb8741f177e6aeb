//! What the layout promises: layers, file sizes, headers.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Which workspace crates each crate may use. The table of ARCHITECTURE.md, top to bottom.
const ALLOWED: &[(&str, &[&str])] = &[
    ("cfg", &[]),
    ("http", &[]),
    ("proto", &["cfg", "http"]),
    ("cli", &["cfg", "proto"]),
    ("stick", &["cfg", "proto"]),
    ("sample", &["cfg", "http", "proto", "stick"]),
    ("listener", &["cfg", "proto"]),
    ("mux-h1", &["cfg", "http", "proto"]),
    ("mux-h2", &["cfg", "http", "proto"]),
    ("rules", &["cfg", "http", "proto", "sample", "stick"]),
    ("balance", &["cfg", "http", "proto", "sample"]),
    ("log", &["cfg", "proto", "sample"]),
    ("stats", &["proto", "cli", "balance"]),
    ("check", &["cfg", "http", "proto", "sample", "balance", "log"]),
    ("session", &["cfg", "http", "proto", "stick", "sample", "rules", "mux-h1", "balance", "stats", "log"]),
    (
        "app",
        &[
            "cfg", "http", "proto", "cli", "stick", "sample", "listener", "mux-h1", "mux-h2", "rules",
            "balance", "log", "check", "session", "stats",
        ],
    ),
    ("hawser", &["app"]),
    ("testkit", &[]),
];

fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && let Some(rest) = line.strip_prefix("hawser-") {
            found.push(rest.split(['.', ' ', '=']).next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn crates_depend_downwards_only() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("crates")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let Ok(manifest) = std::fs::read_to_string(entry.path().join("Cargo.toml")) else { continue };
        if name == "fuzz" {
            continue;
        }
        seen += 1;
        let Some((_, allowed)) = ALLOWED.iter().find(|a| a.0 == name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for d in dependencies(&manifest) {
            if !allowed.contains(&d.as_str()) {
                wrong.push(format!("{name} uses {d}"));
            }
        }
    }
    assert_eq!(seen, ALLOWED.len(), "a crate of the table does not exist");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_is_acyclic() {
    for (i, (name, allowed)) in ALLOWED.iter().enumerate() {
        for a in *allowed {
            let at = ALLOWED.iter().position(|x| x.0 == *a).unwrap();
            assert!(at < i, "{name} is listed before {a}, which it may use");
        }
    }
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        if p.is_dir() {
            if p.file_name().is_some_and(|n| n != "target") {
                sources(&p, out);
            }
        } else if p.extension().is_some_and(|x| x == "rs") {
            out.push(p);
        }
    }
}

#[test]
fn files_are_headed_and_of_a_size_that_fits_the_head() {
    let mut all = Vec::new();
    sources(&root().join("crates"), &mut all);
    sources(&root().join("tests"), &mut all);
    assert!(all.len() > 50, "only {} files found", all.len());
    let mut wrong = Vec::new();
    for f in all {
        let text = std::fs::read_to_string(&f).unwrap();
        let lines = text.lines().count();
        let inner = f.file_name().is_some_and(|n| n == "tests.rs");
        if !inner && !text.starts_with("//!") && !text.starts_with("#![no_main]") {
            wrong.push(format!("{}: does not start with a //! header", f.display()));
        }
        if lines > 800 {
            wrong.push(format!("{}: {lines} lines", f.display()));
        }
        if text.lines().any(|l| l.trim() == "#[ignore]") {
            wrong.push(format!("{}: #[ignore] without a reason", f.display()));
        }
        if text.lines().any(|l| l.ends_with([' ', '\t'])) {
            wrong.push(format!("{}: trailing blanks", f.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What serves traffic starts no programs: only going to the background forks, and only the master, which serves
/// nothing, starts workers.
#[test]
fn nothing_starts_processes() {
    let mut all = Vec::new();
    sources(&root().join("crates"), &mut all);
    let starts = |text: &str| {
        ["process::Command", "fork(", "vfork", "execv", "posix_spawn"].iter().any(|w| text.contains(w))
            || text.lines().any(|l| l.contains("process::{") && l.contains("Command"))
    };
    let crates = root().join("crates");
    let ours = |f: &&PathBuf| {
        let inside = f.strip_prefix(&crates).unwrap_or(f);
        !inside.starts_with("testkit") && !inside.components().any(|c| c.as_os_str() == "tests")
    };
    let mut found: Vec<_> = all
        .iter()
        .filter(ours)
        .filter(|f| starts(&std::fs::read_to_string(f).unwrap()))
        .filter_map(|f| Some(f.strip_prefix(&crates).ok()?.display().to_string()))
        .collect();
    found.sort();
    let master = ["app/src/master/start.rs", "app/src/master/workers.rs"];
    assert_eq!(found, ["app/src/daemon.rs", master[0], master[1], "app/src/start.rs"]);
}

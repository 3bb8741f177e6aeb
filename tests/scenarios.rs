//! Runs the scenarios of `tests/vtc` with Debian's `varnishtest`.

use hawser_testkit::tools::{installed, scenario};
use std::path::{Path, PathBuf};

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        if p.is_dir() {
            files(&p, out);
        } else if p.extension().is_some_and(|x| x == "vtc") {
            out.push(p);
        }
    }
}

#[test]
fn scenarios_pass() {
    let Some(runner) = installed("varnishtest") else { return };
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vtc"), &mut all);
    assert!(!all.is_empty(), "no scenarios found");
    all.sort();
    let failed: Vec<String> = all
        .iter()
        .filter_map(|f| {
            let log = scenario(&runner, hawser_testkit::binary(env!("CARGO_BIN_EXE_hawser")), f).err()?;
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            Some(format!("{}\n{}", f.display(), tail.into_iter().rev().collect::<Vec<_>>().join("\n")))
        })
        .collect();
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), all.len(), failed.join("\n\n"));
}

//! `cpu-map`: which CPUs a thread runs on.

use hawser_cfg::diag::Diags;
use hawser_cfg::model::Global;
use hawser_cfg::pos::{Pos, Word};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::ops::RangeInclusive;

/// Highest CPU number that the kernel's set holds.
const MAX_CPU: u32 = CpuSet::MAX_CPU as u32;

/// CPUs by thread (from 0); empty where `cpu-map` says nothing.
pub(crate) type CpuMap = Vec<Vec<u32>>;

/// Parses all `cpu-map` lines for `threads` threads. There is one thread group.
pub(crate) fn compile(g: &Global, threads: u32, diags: &mut Diags) -> CpuMap {
    let mut map: CpuMap = vec![Vec::new(); threads as usize];
    for (pos, words) in &g.cpu_map {
        if let Err(text) = line(words, threads, &mut map) {
            alert(diags, *pos, &text);
        }
    }
    map
}

fn alert(diags: &mut Diags, pos: Pos, text: &str) {
    diags.alert(pos, format!("'cpu-map' : {text}"));
}

fn line(words: &[Word], threads: u32, map: &mut CpuMap) -> Result<(), String> {
    let [target, sets @ ..] = words else { return Err("expects a thread set and CPU numbers.".into()) };
    if sets.is_empty() {
        return Err("expects a list of CPU numbers.".into());
    }
    let (auto, target) = match target.strip_prefix("auto:") {
        Some(t) => (true, t),
        None => (false, target.as_str()),
    };
    let numbers = targets(target, threads)?;
    let mut cpus = Vec::new();
    for set in sets.iter().flat_map(|w| w.split(',')) {
        cpus.extend(range(set, 0, MAX_CPU - 1, "CPU")?);
    }
    if !auto {
        numbers.iter().for_each(|n| map[*n as usize - 1].clone_from(&cpus));
        return Ok(());
    }
    // One CPU for each thread in turn; the sets must then be of the same size.
    let written = written_size(target);
    if written.is_some_and(|n| n != cpus.len()) {
        return Err("'auto:' needs as many CPUs as threads.".into());
    }
    for (n, cpu) in numbers.iter().zip(&cpus) {
        map[*n as usize - 1] = vec![*cpu];
    }
    Ok(())
}

/// Threads that a target names and that exist: `1/1-4`, `1` or `all` (every thread).
fn targets(text: &str, threads: u32) -> Result<Vec<u32>, String> {
    let (group, set) = text.split_once('/').unwrap_or((text, "all"));
    if !matches!(group, "all" | "odd" | "1") && range(group, 1, 64, "thread group")?.all(|g| g != 1) {
        // Another group has no thread here.
        return Ok(Vec::new());
    }
    Ok(range(set, 1, threads, "thread")?.filter(|n| (1..=threads).contains(n)).collect())
}

/// How many threads a target names in writing; `None` when that depends on how many there are.
fn written_size(text: &str) -> Option<usize> {
    let set = text.split_once('/')?.1;
    if matches!(set, "all" | "odd" | "even") {
        return None;
    }
    let (low, high) = set.split_once('-').unwrap_or((set, set));
    Some((high.parse::<usize>().ok()? + 1).saturating_sub(low.parse().ok()?))
}

fn range(text: &str, first: u32, last: u32, what: &str) -> Result<Step, String> {
    let number = |s: &str| s.parse::<u32>().map_err(|_| format!("invalid {what} number '{s}'."));
    let (bounds, step) = match text {
        "all" => (first..=last, 1),
        "odd" => ((first | 1)..=last, 2),
        "even" => ((first + first % 2)..=last, 2),
        _ => match text.split_once('-') {
            Some((low, "")) => (number(low)?..=last, 1),
            Some((low, high)) => (number(low)?..=number(high)?, 1),
            None => (number(text)?..=number(text)?, 1),
        },
    };
    if bounds.start() < &first || (bounds.is_empty() && text.contains('-')) || bounds.end() >= &MAX_CPU {
        return Err(format!("invalid {what} range '{text}'."));
    }
    Ok(bounds.step_by(step))
}

type Step = std::iter::StepBy<RangeInclusive<u32>>;

/// Pins the calling thread. An empty list leaves it where the scheduler wants it.
///
/// # Errors
/// The kernel knows none of these CPUs.
pub(crate) fn pin(cpus: &[u32]) -> rustix::io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    cpus.iter().for_each(|c| set.set(*c as usize));
    sched_setaffinity(None, &set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(lines: &[&str], threads: u32) -> Result<CpuMap, String> {
        let words = |l: &str| l.split(' ').map(Word::synthetic).collect();
        let cpu_map = lines.iter().map(|l| (Pos::default(), words(l))).collect();
        let mut diags = Diags::default();
        let map = compile(&Global { cpu_map, ..Global::default() }, threads, &mut diags);
        diags.list.first().map_or(Ok(map), |d| Err(d.text.clone()))
    }

    #[test]
    fn threads_get_their_cpus() {
        let cases: &[(&[&str], &[&[u32]])] = &[
            (&["1/1 0"], &[&[0], &[], &[], &[]]),
            (&["1/all 0-1"], &[&[0, 1], &[0, 1], &[0, 1], &[0, 1]]),
            (&["all 3"], &[&[3], &[3], &[3], &[3]]),
            (&["auto:1/1-4 0-3"], &[&[0], &[1], &[2], &[3]]),
            (&["auto:1/1-8 0-7"], &[&[0], &[1], &[2], &[3]]),
            (&["1/odd 0", "1/even 1"], &[&[0], &[1], &[0], &[1]]),
            (&["1/1-2 0,2 4-5"], &[&[0, 2, 4, 5], &[0, 2, 4, 5], &[], &[]]),
            (&["2/1 0"], &[&[], &[], &[], &[]]),
            (&["1/3- 1"], &[&[], &[], &[1], &[1]]),
        ];
        for (lines, want) in cases {
            let got = mapped(lines, 4).unwrap();
            assert_eq!(got.iter().map(Vec::as_slice).collect::<Vec<_>>(), *want, "{lines:?}");
        }
    }

    #[test]
    fn nonsense_is_an_alert() {
        for line in ["1/1", "1/x 0", "1/1 x", "1/1 3-1", "1/0 1", "auto:1/1-4 0-2", "1/1 99999"] {
            assert!(mapped(&[line], 4).unwrap_err().starts_with("'cpu-map' : "), "{line}");
        }
    }

    #[test]
    fn a_thread_can_be_pinned() {
        let now = rustix::thread::sched_getaffinity(None).unwrap();
        let cpu = (0..MAX_CPU).find(|c| now.is_set(*c as usize)).unwrap();
        std::thread::spawn(move || {
            pin(&[cpu]).unwrap();
            assert_eq!(rustix::thread::sched_getaffinity(None).unwrap().count(), 1);
            pin(&[]).unwrap();
        })
        .join()
        .unwrap();
    }
}

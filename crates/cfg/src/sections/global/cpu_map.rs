//! `cpu-map` (manual 3.1): checked here, applied when threads start.

use crate::model::Global;
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;

/// Most threads of a group, and groups, that a set can name.
const MOST: u32 = 64;

/// Parses the line and keeps its words.
pub(crate) fn parse(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let set = line.arg(0);
    let (auto, ids) = set.strip_prefix("auto:").map_or((false, set), |s| (true, s));
    let mut threads = 0;
    for part in ids.splitn(2, '/') {
        match count_ids(part) {
            Some(n) => threads = n,
            None => {
                let text = if part.bytes().all(|b| b.is_ascii_digit() || b == b'-') && !part.is_empty() {
                    format!(
                        "cpu-map : '{part}' is not a valid number/range. It supports numbers from 1 to {MOST}."
                    )
                } else {
                    format!("cpu-map : '{part}' is not a valid number/range.")
                };
                cx.alert_arg(line, 0, text);
                return;
            }
        }
    }
    let mut cpus = 0;
    for i in 1..line.len() {
        for part in line.arg(i).split(',') {
            match count_cpus(part) {
                Some(n) => cpus += n,
                None => {
                    cx.alert_arg(line, i, format!("cpu-map : '{part}' is not a CPU range."));
                    return;
                }
            }
        }
    }
    if auto && threads != cpus {
        let text =
            "cpu-map : TGROUP/THREAD range and CPU sets must have the same size to be automatically bound";
        cx.alert_arg(line, 1, text);
        return;
    }
    g.cpu_map.push((line.pos, line.owned_vec(0)));
}

/// How many threads or groups a set names; `None` when it is not one.
fn count_ids(set: &str) -> Option<u32> {
    match set {
        "all" => return Some(MOST),
        "odd" | "even" => return Some(MOST / 2),
        _ => {}
    }
    let (lo, hi) = bounds(set, MOST)?;
    (lo >= 1 && hi <= MOST).then(|| hi - lo + 1)
}

/// How many CPUs a set names; `None` when it is not one.
fn count_cpus(set: &str) -> Option<u32> {
    match set {
        "all" => return Some(MOST),
        "odd" | "even" => return Some(MOST / 2),
        _ => {}
    }
    let (lo, hi) = bounds(set, 4095)?;
    (hi <= 4095).then(|| hi - lo + 1)
}

/// `5`, `2-7` or `2-`.
fn bounds(set: &str, last: u32) -> Option<(u32, u32)> {
    let (lo, hi) = set.split_once('-').unwrap_or((set, set));
    let lo = lo.parse().ok()?;
    let hi = if hi.is_empty() { last } else { hi.parse().ok()? };
    (lo <= hi).then_some((lo, hi))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let ids = [
            ("1", Some(1)),
            ("1-4", Some(4)),
            ("odd", Some(32)),
            ("0", None),
            ("65", None),
            ("a", None),
            ("", None),
            ("3-2", None),
        ];
        for (set, n) in ids {
            assert_eq!(count_ids(set), n, "{set}");
        }
        for (set, n) in [("0", Some(1)), ("0-3", Some(4)), ("x", None), ("4-", Some(4092))] {
            assert_eq!(count_cpus(set), n, "{set}");
        }
    }
}

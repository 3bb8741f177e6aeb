//! Sequences of results, and what they do to the server.

use super::*;
use Status::{L4Con, L4Ok, L7Ok, L7OkC, L7Sts};

/// Applies results and returns the texts, with `*` where the line is logged; the server follows.
fn run(h: &mut Health, oper: &mut Oper, results: &[Status]) -> Vec<String> {
    results
        .iter()
        .map(|s| {
            let a = h.apply(*s, *oper);
            let was = *oper;
            *oper = a.to.unwrap_or(*oper);
            let moved = if was == *oper { String::new() } else { format!(" -> {oper:?}") };
            format!("{h}{}{moved}", if a.changed { "*" } else { "" })
        })
        .collect()
}

#[test]
fn sequences() {
    type Case = (u32, u32, Option<&'static str>, Oper, &'static [Status], &'static [&'static str]);
    // rise, fall, init-state, state at start, results, texts
    let cases: &[Case] = &[
        (2, 3, None, Oper::Up, &[L4Con], &["0/2 DOWN* -> Down"]),
        (2, 3, None, Oper::Up, &[L4Ok, L4Ok, L4Ok], &["1/2 DOWN*", "3/3 UP*", "3/3 UP"]),
        (1, 1, None, Oper::Up, &[L4Ok, L4Ok, L4Con], &["1/1 UP*", "1/1 UP", "0/1 DOWN* -> Down"]),
        (2, 3, Some("up"), Oper::Up, &[L4Con], &["0/2 DOWN* -> Down"]),
        (2, 3, Some("up"), Oper::Up, &[L4Ok, L4Con], &["3/3 UP*", "2/3 UP*"]),
        (
            2,
            3,
            Some("fully-up"),
            Oper::Up,
            &[L4Con, L4Con, L4Ok, L4Con, L4Con, L4Con],
            &["2/3 UP*", "1/3 UP*", "3/3 UP*", "2/3 UP*", "1/3 UP*", "0/2 DOWN* -> Down"],
        ),
        (3, 2, Some("down"), Oper::Down, &[L4Ok], &["2/2 UP* -> Up"]),
        (3, 2, Some("down"), Oper::Down, &[L4Con, L4Ok], &["0/3 DOWN*", "1/3 DOWN*"]),
        (2, 2, Some("fully-down"), Oper::Down, &[L4Ok, L4Ok], &["1/2 DOWN*", "2/2 UP* -> Up"]),
        (
            2,
            2,
            Some("fully-down"),
            Oper::Down,
            &[L4Con, L4Con, L7Sts],
            &["0/2 DOWN*", "0/2 DOWN", "0/2 DOWN*"],
        ),
        (
            1,
            1,
            None,
            Oper::Up,
            &[L7OkC, L7OkC, L7Ok, L7OkC, L7Sts, L7OkC, L7Ok],
            &[
                "1/1 UP* -> Stopping",
                "1/1 UP",
                "1/1 UP* -> Up",
                "1/1 UP* -> Stopping",
                "0/1 DOWN* -> Down",
                "0/1 DOWN*",
                "1/1 UP* -> Up",
            ],
        ),
    ];
    for (rise, fall, init, start, results, want) in cases {
        let (mut h, mut oper) = (Health::new(*rise, *fall, *init), *start);
        assert_eq!(run(&mut h, &mut oper, results), *want, "rise {rise} fall {fall} {init:?}");
    }
}

#[test]
fn the_cli_may_change_the_state() {
    let (mut h, mut oper) = (Health::new(2, 3, None), Oper::Up);
    run(&mut h, &mut oper, &[L4Ok, L4Ok]);
    oper = Oper::Down;
    assert_eq!(run(&mut h, &mut oper, &[L4Ok, L4Ok]), ["1/2 DOWN*", "3/3 UP* -> Up"]);
}

#[test]
fn the_page_may_force_the_state() {
    let (mut h, mut oper) = (Health::new(2, 3, None), Oper::Down);
    h.force(true);
    assert_eq!(h.to_string(), "3/3 UP");
    h.force(false);
    assert_eq!(run(&mut h, &mut oper, &[L4Ok, L4Ok]), ["1/2 DOWN*", "3/3 UP* -> Up"]);
}

#[test]
fn maintenance_restarts() {
    let cases = [
        (None, "1/3 UP"),
        (Some("fully-up"), "3/3 UP"),
        (Some("down"), "1/2 DOWN"),
        (Some("fully-down"), "0/2 DOWN"),
    ];
    for (init, want) in cases {
        let mut h = Health::new(2, 3, None);
        h.restart(init);
        assert_eq!((h.to_string().as_str(), h.is_transitional()), (want, true));
    }
}

#[test]
fn transitions_are_checked_faster() {
    let (mut h, mut oper) = (Health::new(2, 2, None), Oper::Up);
    let mut seen = vec![h.is_transitional()];
    for s in [L4Ok, L4Ok, L4Con, L4Con, L4Con, L4Ok] {
        run(&mut h, &mut oper, &[s]);
        seen.push(h.is_transitional());
    }
    assert_eq!(seen, [true, true, false, true, false, false, true]);
}

#[test]
fn random_walks_keep_the_promises() {
    // Whatever the results: a server goes down only after `fall` failures in a row, unless it was never surely
    // up, and up only after `rise` successes in a row.
    let mut seed = 0x5eed_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..300 {
        let (rise, fall) = (1 + (next() % 4) as u32, 1 + (next() % 4) as u32);
        let (mut h, mut oper) = (Health::new(rise, fall, Some("fully-down")), Oper::Down);
        let (mut good, mut bad) = (0, 0);
        for _ in 0..200 {
            let status = if next() % 3 == 0 { L4Con } else { L4Ok };
            (good, bad) = if status == L4Ok { (good + 1, 0) } else { (0, bad + 1) };
            let before = oper;
            oper = h.apply(status, oper).to.unwrap_or(oper);
            match (before, oper) {
                (Oper::Down, Oper::Up) => assert_eq!(good, rise),
                (Oper::Up, Oper::Down) => assert_eq!(bad, fall),
                (Oper::Up, _) => assert!(bad < fall),
                _ => assert!(good < rise),
            }
        }
    }
}

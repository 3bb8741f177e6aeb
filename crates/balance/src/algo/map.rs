//! The static table of `static-rr` and of `hash-type map-based`: every server has as many entries as its weight.

use super::Member;
use crate::server::Server;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Above this many steps (entries times servers) the exact order costs too much.
const EXACT_STEPS: u64 = 1 << 28;

/// Server indexes, one per unit of weight after division by the common factor. The weights are those of the
/// configuration: changes at run time and slow start have no effect here.
pub(super) fn build(members: &[Member], servers: &[Arc<Server>]) -> Vec<u32> {
    let mut list: Vec<(u32, u64)> = members
        .iter()
        .filter_map(|m| Some((m.index, u64::from(servers.get(m.index as usize)?.initial_weight().max(1)))))
        .collect();
    let common = list.iter().fold(0, |g, (_, w)| gcd(g, *w)).max(1);
    list.iter_mut().for_each(|(_, w)| *w /= common);
    let total: u64 = list.iter().map(|(_, w)| w).sum();
    if list.iter().all(|(_, w)| *w == 1) {
        list.into_iter().map(|(i, _)| i).collect()
    } else if total * list.len() as u64 <= EXACT_STEPS {
        exact(&list, total)
    } else {
        quick(&list, total)
    }
}

/// HAProxy's order, as its answers show it: each entry gives every server its weight in credit and costs the
/// chosen one the total. Servers that can pay in full come first, then those that are not in debt; among
/// equals, the order of the configuration.
fn exact(list: &[(u32, u64)], total: u64) -> Vec<u32> {
    // The total is added to keep credits positive: debts never exceed it.
    let mut credit = vec![total; list.len()];
    (0..total)
        .filter_map(|_| {
            let mut best = None;
            for (i, (_, weight)) in list.iter().enumerate() {
                credit[i] += weight;
                let class = credit[i] / total;
                if best.is_none_or(|(c, _)| class > c) {
                    best = Some((class, i));
                }
            }
            let (_, i) = best?;
            credit[i] -= total;
            Some(list[i].0)
        })
        .collect()
}

/// As smooth, in another order, for farms that are too large for [`exact`].
fn quick(list: &[(u32, u64)], total: u64) -> Vec<u32> {
    // A heap of the next due moment of each server, as a fraction of the round; smallest first.
    let due = |turn: u64, weight: u64| std::cmp::Reverse((2 * turn + 1) * (1 << 32) / (2 * weight));
    let mut heap: BinaryHeap<_> =
        list.iter().map(|(index, w)| (due(0, *w), std::cmp::Reverse(*index), *w, 0)).collect();
    let mut out = Vec::new();
    for _ in 0..total {
        let Some((_, index, weight, turn)) = heap.pop() else { break };
        out.push(index.0);
        heap.push((due(turn + 1, weight), index, weight, turn + 1));
    }
    out
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_haproxys() {
        // What HAProxy 3.4 answers to the keys 0, 1, 2, … with `hash-type map-based none`.
        let cases: &[(&[u64], &[u32])] = &[
            (&[1, 3, 2], &[0, 1, 2, 1, 1, 2]),
            (&[3, 2, 1], &[0, 0, 1, 0, 1, 2]),
            (&[5, 1, 1], &[0, 0, 0, 1, 0, 0, 2]),
            (&[2, 2, 1], &[0, 1, 0, 1, 2]),
            (&[4, 3], &[0, 0, 1, 0, 1, 0, 1]),
            (&[1, 2, 5], &[0, 2, 1, 2, 2, 1, 2, 2]),
            (&[1, 1, 8], &[0, 2, 2, 2, 2, 1, 2, 2, 2, 2]),
            (&[7, 3, 3, 1], &[0, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 3]),
        ];
        for (weights, want) in cases {
            let list: Vec<(u32, u64)> = (0..).zip(weights.iter().copied()).collect();
            assert_eq!(exact(&list, weights.iter().sum()), *want, "{weights:?}");
        }
    }

    #[test]
    fn quick_order_is_smooth_and_complete() {
        let list = [(0, 100), (1, 7), (2, 13)];
        let table = quick(&list, 120);
        for (index, weight) in list {
            assert_eq!(table.iter().filter(|i| **i == index).count() as u64, weight);
            let places: Vec<usize> = (0..120).filter(|p| table[*p] == index).collect();
            let widest = places.windows(2).map(|w| w[1] - w[0]).max().unwrap() as u64;
            assert!(widest <= 120u64.div_ceil(weight) + 3, "server {index}: gap of {widest}");
        }
    }
}

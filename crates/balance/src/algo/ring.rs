//! The ring of `hash-type consistent`: many points per server, the closest point to the hash wins.

use crate::server::WEIGHT_SCALE;
use hawser_sample::hash::avalanche;

/// Distance between the identifiers of the points of two servers with consecutive ids.
const ID_SPACING: u32 = 256 * WEIGHT_SCALE;

/// Points on a circle of 2^32 places, sorted: (place, server index).
#[derive(Debug, Default)]
pub(super) struct Ring {
    points: Vec<(u32, u32)>,
    /// What the ring was built of.
    built: Vec<Node>,
}

/// A server's share: one point per unit of weight, each unit being 1/[`WEIGHT_SCALE`] of the configured one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub(super) index: u32,
    /// Identifier of its first point, see [`base_of_id`].
    pub(super) base: u32,
    pub(super) weight: u32,
}

/// Where the points of a server start with `hash-key id`.
pub(super) fn base_of_id(id: u32) -> u32 {
    id.wrapping_mul(ID_SPACING)
}

impl Ring {
    /// The ring of some servers, in ascending order of their indexes. Points of servers that did not change
    /// are kept: the common change is one server more, less, or of another weight.
    pub(super) fn rebuild(&self, nodes: Vec<Node>) -> Self {
        let find = |list: &[Node], index: u32| {
            list.binary_search_by_key(&index, |n| n.index).ok().and_then(|i| list.get(i).copied())
        };
        let kept = |index: u32| {
            let new = find(&nodes, index);
            new.is_some() && new == find(&self.built, index)
        };
        let mut points: Vec<(u32, u32)> = self.points.iter().filter(|p| kept(p.1)).copied().collect();
        for n in nodes.iter().filter(|n| !kept(n.index)) {
            points.extend((0..n.weight).map(|i| (avalanche(n.base.wrapping_add(i)), n.index)));
        }
        // What was kept is sorted already, which the standard sort notices.
        points.sort();
        Self { points, built: nodes }
    }

    /// Servers in the order in which the ring offers them to a hash: the closest point first, then along the
    /// ring. A server comes up once per point.
    pub(super) fn walk(&self, hash: u32) -> impl Iterator<Item = u32> {
        let n = self.points.len();
        let after = self.points.partition_point(|p| p.0 < hash);
        let start = if n == 0 {
            0
        } else {
            let (next, previous) = (after % n, (after + n - 1) % n);
            let ahead = self.points[next].0.wrapping_sub(hash);
            let behind = hash.wrapping_sub(self.points[previous].0);
            if ahead < behind { next } else { previous }
        };
        self.points[start..].iter().chain(&self.points[..start]).map(|p| p.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(list: &[(u32, u32)]) -> Vec<Node> {
        (0..)
            .zip(list)
            .map(|(index, (id, w))| Node { index, base: base_of_id(*id), weight: w * WEIGHT_SCALE })
            .collect()
    }

    fn first(r: &Ring, hash: u32) -> Option<u32> {
        r.walk(hash).next()
    }

    #[test]
    fn points_are_haproxys() {
        // Where HAProxy 3.4 changes from one server to the other, of two with weight 1, `consistent none`.
        let ring = Ring::default().rebuild(nodes(&[(1, 1), (2, 1)]));
        let changes = [
            (0x1b1b_59f5, 1, 0),
            (0x3030_9fdb, 0, 1),
            (0x33b5_ab90, 1, 0),
            (0x4004_78de, 0, 1),
            (0x4592_1f75, 1, 0),
            (0x9d1c_eb0f, 1, 0),
            (0xece9_8017, 1, 0),
            (0xefa7_c974, 0, 1),
        ];
        for (last, before, after) in changes {
            assert_eq!(
                (first(&ring, last), first(&ring, last + 1)),
                (Some(before), Some(after)),
                "{last:#x}"
            );
        }
        assert_eq!((first(&ring, 0), first(&ring, u32::MAX)), (Some(1), Some(1)));
        assert_eq!(first(&Ring::default(), 7), None);
    }

    #[test]
    fn incremental_rings_equal_fresh_ones() {
        let all = nodes(&[(1, 3), (2, 1), (3, 2), (9, 5)]);
        let full = Ring::default().rebuild(all.clone());
        let mut lighter = all.clone();
        lighter[3].weight = 7;
        for next in [all[1..].to_vec(), vec![all[0], all[3]], vec![], lighter] {
            let ring = full.rebuild(next.clone());
            assert_eq!(ring.points, Ring::default().rebuild(next).points);
            assert_eq!(ring.rebuild(all.clone()).points, full.points);
        }
    }

    #[test]
    fn losing_a_server_moves_only_its_keys() {
        let all = nodes(&[(1, 1), (2, 1), (3, 1)]);
        let full = Ring::default().rebuild(all.clone());
        let less = full.rebuild(all[..2].to_vec());
        let mut moved = 0;
        for i in 0..5000u32 {
            let hash = avalanche(i);
            if first(&full, hash) == Some(2) {
                moved += 1;
            } else {
                assert_eq!(first(&full, hash), first(&less, hash));
            }
        }
        assert!((1000..2500).contains(&moved), "{moved}");
    }

    #[test]
    fn walks_visit_everybody() {
        let ring = Ring::default().rebuild(nodes(&[(1, 1), (2, 1), (3, 1)]));
        let mut seen: Vec<u32> = ring.walk(0x8000_0000).collect();
        assert_eq!(seen.len(), 3 * WEIGHT_SCALE as usize);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [0, 1, 2]);
    }
}

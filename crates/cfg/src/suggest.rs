//! Near misses: which keyword was probably meant.

/// Words longer than this get no suggestion; no keyword is that long.
const MAX_LEN: usize = 64;

/// The candidate that is nearest to `word`, if any is near enough: at most one letter in three is missing, extra,
/// wrong or swapped with its neighbour. Of equally near ones, the first that starts alike wins.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.as_bytes();
    if word.len() < 2 || word.len() > MAX_LEN {
        return None;
    }
    let mut best: Option<(usize, usize, &str)> = None;
    for candidate in candidates {
        let other = candidate.as_bytes();
        let longest = word.len().max(other.len());
        let limit = best.map_or((longest / 3).max(1), |b| b.0.min((longest / 3).max(1)));
        if other.is_empty() || other.len() > MAX_LEN || word.len().abs_diff(other.len()) > limit {
            continue;
        }
        let distance = distance(word, other);
        let differing_prefix = longest - word.iter().zip(other).take_while(|(a, b)| a == b).count();
        let better = best.is_none_or(|b| (distance, differing_prefix) < (b.0, b.1));
        if distance <= limit && better {
            best = Some((distance, differing_prefix, candidate));
        }
    }
    best.map(|b| b.2)
}

/// The number of letters to insert, delete, replace or swap with a neighbour (optimal string alignment), without
/// regard to case.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut rows = [[0usize; MAX_LEN + 1]; 3];
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        let [two_up, up, row] = match i % 3 {
            0 => [1, 2, 0],
            1 => [2, 0, 1],
            _ => [0, 1, 2],
        };
        rows[row][0] = i;
        for j in 1..=b.len() {
            let differs = usize::from(!a[i - 1].eq_ignore_ascii_case(&b[j - 1]));
            let mut cost = (rows[up][j] + 1).min(rows[row][j - 1] + 1).min(rows[up][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[two_up][j - 2] + 1);
            }
            rows[row][j] = cost;
        }
    }
    rows[a.len() % 3][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("abc", "abc", 0),
            ("abc", "ABC", 0),
            ("abc", "abd", 1),
            ("abc", "acb", 1),
            ("abc", "ab", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
            ("dameon", "daemon", 1),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), expected, "{b} {a}");
        }
    }

    #[test]
    fn near_misses() {
        let keywords = [
            "maxconn",
            "tune.bufsize",
            "tune.maxrewrite",
            "nbthread",
            "chroot",
            "daemon",
            "user",
            "group",
            "ulimit-n",
            "set-var",
            "backend",
            "bind",
            "ssl",
            "use_backend",
            "timeout",
            "http-request",
            "http-response",
            "server",
        ];
        for (word, expected) in [
            ("maxcon", Some("maxconn")),
            ("maxconm", Some("maxconn")),
            ("tune.buf", Some("tune.bufsize")),
            ("dameon", Some("daemon")),
            ("Daemon", Some("daemon")),
            ("usr", Some("user")),
            ("gruop", Some("group")),
            ("ulimit", Some("ulimit-n")),
            ("setvar", Some("set-var")),
            ("bnd", Some("bind")),
            ("sl", Some("ssl")),
            ("use-backend", Some("use_backend")),
            ("http-reqest", Some("http-request")),
            ("http-respnse", Some("http-response")),
            ("foo", None),
            ("z", None),
            ("", None),
            ("aa", None),
            ("mod", None),
        ] {
            assert_eq!(near(word, keywords), expected, "{word}");
        }
        assert_eq!(near(&"m".repeat(1000), keywords), None);
    }
}

//! `thread` on a `bind` line: which worker threads may accept.

/// A set of threads, numbered from 1.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ThreadSet {
    /// Inclusive ranges and a filter on the remainder modulo 2; empty means all.
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Part {
    low: u32,
    high: u32,
    /// `odd` is `Some(1)`, `even` `Some(0)`.
    parity: Option<u32>,
}

/// What is wrong with a set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// There is no such thread group.
    Group(String),
    /// Anything else, in words.
    Text(String),
}

impl ThreadSet {
    /// Parses `[<group>/]{all|odd|even|[n][-[n]]}[,...]`. There is one thread group.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        text.split(',').map(parse_part).collect::<Result<Vec<_>, _>>().map(|parts| Self { parts })
    }

    /// Whether thread `n` (from 1) is in the set.
    pub fn contains(&self, n: u32) -> bool {
        let within = |p: &Part| (p.low..=p.high).contains(&n) && p.parity.is_none_or(|r| n % 2 == r);
        self.parts.is_empty() || self.parts.iter().any(within)
    }
}

fn parse_part(text: &str) -> Result<Part, Wrong> {
    let set = match text.split_once('/') {
        Some(("1", set)) => set,
        Some((group, _)) if group.parse::<u32>().is_ok() => return Err(Wrong::Group(group.to_owned())),
        Some((group, _)) => return Err(Wrong::Text(format!("invalid thread group '{group}'"))),
        None => text,
    };
    let everything = |parity| Ok(Part { low: 1, high: u32::MAX, parity });
    match set {
        "all" => return everything(None),
        "odd" => return everything(Some(1)),
        "even" => return everything(Some(0)),
        _ => {}
    }
    let number = |s: &str, open: u32| match s {
        "" => Ok(open),
        _ => s.parse().map_err(|_| Wrong::Text(format!("invalid thread number '{s}'"))),
    };
    let (low, high) = match set.split_once('-') {
        Some((low, high)) => (number(low, 1)?, number(high, u32::MAX)?),
        None if set.is_empty() => return Err(Wrong::Text("missing thread number".into())),
        None => (number(set, 1)?, number(set, 1)?),
    };
    if low == 0 || low > high {
        return Err(Wrong::Text(format!("invalid thread range '{set}'")));
    }
    Ok(Part { low, high, parity: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let members = |s: &str| {
            let set = ThreadSet::parse(s).unwrap();
            (1..=6).filter(|n| set.contains(*n)).collect::<Vec<u32>>()
        };
        assert_eq!(members("all"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(members("odd"), [1, 3, 5]);
        assert_eq!(members("1/even"), [2, 4, 6]);
        assert_eq!(members("2-3,6"), [2, 3, 6]);
        assert_eq!(members("-2"), [1, 2]);
        assert_eq!(members("5-"), [5, 6]);
        assert!(ThreadSet::default().contains(7));
    }

    #[test]
    fn nonsense_is_refused() {
        for s in ["", "0", "x", "3-2", "2/1", "1,,2"] {
            assert!(ThreadSet::parse(s).is_err(), "{s}");
        }
    }
}

//! Occurrences of a field: whole values (`fhdr`) or the comma-separated values in them (`hdr`), counted from either
//! end.

use crate::head::Head;

/// Iterates over the values of a comma-separated list: white space around them is dropped, empty ones are kept,
/// commas inside double quotes do not separate.
pub fn values(list: &[u8]) -> Values<'_> {
    Values { rest: Some(list) }
}

/// Iterator made by [`values`].
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = value_end(rest, |b| b == b',');
        self.rest = rest.get(end + 1..);
        Some(trim(&rest[..end]))
    }
}

/// Where the first unquoted delimiter is, or the end. A quote that is never closed quotes the rest.
pub(crate) fn value_end(s: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    let mut quoted = false;
    let mut i = 0;
    while let Some(&b) = s.get(i) {
        match b {
            b'\\' if quoted => i += 1,
            b'"' => quoted = !quoted,
            _ if !quoted && is_end(b) => return i,
            _ => {}
        }
        i += 1;
    }
    s.len()
}

/// Without spaces and tabulations at both ends.
pub fn trim(mut s: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = s {
        s = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = s {
        s = rest;
    }
    s
}

/// Is this token one of the list's values, whatever its case?
pub fn has_token(list: &[u8], token: &[u8]) -> bool {
    values(list).any(|v| v.eq_ignore_ascii_case(token))
}

impl Head {
    /// Every comma-separated value of the fields of that name, in order (what `req.hdr` and `res.hdr` count).
    pub fn list_values<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.values(name).flat_map(values)
    }

    /// Occurrence number `n` of the comma-separated values of a field: 1 is the first, -1 the last, 0 stands
    /// for -1. `None` if there are fewer.
    pub fn hdr<'a>(&'a self, name: &'a [u8], n: i64) -> Option<&'a [u8]> {
        pick(self.list_values(name), n)
    }

    /// Occurrence number `n` of the fields of that name, with their whole values; counted like [`Head::hdr`].
    pub fn fhdr<'a>(&'a self, name: &'a [u8], n: i64) -> Option<&'a [u8]> {
        match n {
            1.. => self.values(name).nth(usize::try_from(n - 1).ok()?),
            _ => self.values(name).nth_back(usize::try_from(-(n.min(-1) + 1)).ok()?),
        }
    }
}

/// Item number `n`, from the end if negative.
fn pick<'a, I>(mut items: I, n: i64) -> Option<&'a [u8]>
where
    I: Iterator<Item = &'a [u8]>,
{
    match n {
        1.. => items.nth(usize::try_from(n - 1).ok()?),
        0 | -1 => items.last(),
        // Values cannot be split from behind because of quotes: keep the last `-n` ones.
        _ => {
            let want = usize::try_from(n.unsigned_abs()).ok()?;
            let mut kept = std::collections::VecDeque::new();
            for v in items {
                if kept.len() == want {
                    kept.pop_front();
                }
                kept.push_back(v);
            }
            if kept.len() == want { kept.pop_front() } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Version;

    #[test]
    fn lists_split_at_unquoted_commas() {
        let cases: &[(&str, &[&str])] = &[
            ("a,b,c", &["a", "b", "c"]),
            ("a,,b", &["a", "", "b"]),
            ("", &[""]),
            (",", &["", ""]),
            ("a,", &["a", ""]),
            (" a\t, b ", &["a", "b"]),
            ("\"a,b\",c", &["\"a,b\"", "c"]),
            ("\"a\\\",b\",c", &["\"a\\\",b\"", "c"]),
            ("\"a,b", &["\"a,b"]),
            ("a\"b,c\"d,e", &["a\"b,c\"d", "e"]),
            ("\"\\", &["\"\\"]),
        ];
        for (list, want) in cases {
            let got: Vec<_> = values(list.as_bytes()).map(|v| std::str::from_utf8(v).unwrap()).collect();
            assert_eq!(got, *want, "{list}");
        }
        assert!(has_token(b"keep-alive, Upgrade", b"upgrade"));
        assert!(!has_token(b"xupgrade", b"upgrade"));
    }

    #[test]
    fn occurrences_count_from_both_ends_and_stay_in_bounds() {
        let mut h = Head::request(b"GET", b"/", Version::H11);
        h.add(b"X", b"a,b");
        h.add(b"Y", b"no");
        h.add(b"x", b"c");
        let hdr = [(1, "a"), (2, "b"), (3, "c"), (0, "c"), (-1, "c"), (-2, "b"), (-3, "a")];
        for (n, want) in hdr {
            assert_eq!(h.hdr(b"x", n), Some(want.as_bytes()), "{n}");
        }
        let fhdr = [(1, "a,b"), (2, "c"), (0, "c"), (-1, "c"), (-2, "a,b")];
        for (n, want) in fhdr {
            assert_eq!(h.fhdr(b"x", n), Some(want.as_bytes()), "{n}");
        }
        for n in [4, -4, 1000, -1000, i64::MAX, i64::MIN, i64::MIN + 1] {
            assert_eq!((h.hdr(b"x", n), h.fhdr(b"x", n)), (None, None), "{n}");
        }
        assert_eq!(h.hdr(b"z", 1), None);
    }
}

//! What to show and how: the words after `show stat` (management guide 9.3).

use crate::row::Object;
use crate::write::Format;

/// Words after `show stat`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// The one proxy to show.
    pub proxy: Option<Which>,
    /// The types to show: bits of [`Object::bit`].
    pub types: u32,
    /// The one server or listener to show.
    pub sid: Option<u32>,
    /// Leave servers in maintenance out.
    pub no_maint: bool,
    /// Leave servers out that are down or in maintenance.
    pub up: bool,
    /// How to print.
    pub format: Format,
}

/// A proxy as it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// By id.
    Id(u32),
    /// By name.
    Name(String),
}

impl Default for Selection {
    fn default() -> Self {
        Self { proxy: None, types: u32::MAX, sid: None, no_maint: false, up: false, format: Format::Csv }
    }
}

impl Selection {
    /// Reads the words: proxy, types and server come first and together; -1 stands for all. Other words that
    /// mean nothing are ignored.
    pub fn parse(words: &[String]) -> Self {
        let mut s = Self::default();
        if let [proxy, types, sid, ..] = words {
            s.proxy = match number(proxy) {
                Some(n) if n < 0 => None,
                Some(n) => Some(Which::Id(u32::try_from(n).unwrap_or(u32::MAX))),
                None => Some(Which::Name(proxy.clone())),
            };
            s.types = number(types).map_or(0, |n| if n < 0 { u32::MAX } else { low(n) });
            s.sid = number(sid).and_then(|n| u32::try_from(n).ok());
        }
        let has = |w: &str| words.iter().any(|x| x == w);
        (s.no_maint, s.up) = (has("no-maint"), has("up"));
        s.format = match (has("typed"), has("json")) {
            (true, _) => Format::Typed { described: has("desc") },
            (_, true) => Format::Json,
            _ => Format::Csv,
        };
        s
    }

    /// Whether rows of this kind are wanted.
    pub fn wants(&self, object: Object) -> bool {
        self.types & object.bit() != 0
    }

    /// Whether a proxy is wanted.
    pub fn wants_proxy(&self, id: u32, name: &str) -> bool {
        match &self.proxy {
            None => true,
            Some(Which::Id(n)) => *n == id,
            Some(Which::Name(n)) => n == name,
        }
    }

    /// Whether a server or listener is wanted.
    pub fn wants_sid(&self, sid: u32) -> bool {
        self.sid.is_none_or(|s| s == sid)
    }

    /// A word that hides servers was given: backends tell how many they have.
    pub fn hides(&self) -> bool {
        self.no_maint || self.up
    }
}

/// A number as C's `atoi` would find one, if there is any.
fn number(word: &str) -> Option<i64> {
    word.parse().ok()
}

fn low(n: i64) -> u32 {
    u32::try_from(n & i64::from(u32::MAX)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Selection {
        Selection::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn three_words_select() {
        let all = parse("");
        assert!(all.wants_proxy(1, "x") && all.wants(Object::Listener) && all.wants_sid(9));
        assert_eq!(parse("be 4"), all);
        let s = parse("be 4 -1 typed");
        assert!(s.wants_proxy(7, "be") && !s.wants_proxy(7, "fe"));
        assert!(s.wants(Object::Server) && !s.wants(Object::Backend) && s.wants_sid(3));
        assert_eq!(s.format, Format::Typed { described: false });
        let s = parse("3 -1 1");
        assert!(s.wants_proxy(3, "x") && !s.wants_proxy(2, "3") && s.wants_sid(1) && !s.wants_sid(2));
        assert_eq!(parse("-1 2 -1").proxy, None);
    }

    #[test]
    fn words_choose_the_format() {
        assert_eq!(parse("json").format, Format::Json);
        assert_eq!(parse("typed desc").format, Format::Typed { described: true });
        assert_eq!(
            (parse("up").up, parse("no-maint").no_maint, parse("xx")),
            (true, true, Selection::default())
        );
    }
}

//! The statistics page of a proxy: `stats …` (manual 4.2).

use super::RuleLine;
use crate::pos::{Pos, Word};

/// A statistics page.
#[derive(Debug, Clone)]
pub struct StatsPage {
    /// Its first line.
    pub pos: Pos,
    /// It is that of the `defaults` section, which the first line of a proxy's own replaces.
    pub inherited: bool,
    /// `stats uri`: what the URI of a request for it starts with.
    pub uri: Word,
    /// `stats refresh` (seconds); 0 for never.
    pub refresh: u32,
    /// `stats scope`: names of the proxies that are shown, `.` for its own; all where there is none.
    pub scopes: Vec<Word>,
    /// `stats show-version`.
    pub show_version: bool,
    /// `stats show-legends`.
    pub show_legends: bool,
    /// `stats show-modules`.
    pub show_modules: bool,
    /// `stats show-node`, with a name or that of the global section.
    pub show_node: Option<Option<String>>,
    /// `stats show-desc` and its place, with a text or that of the global section.
    pub show_desc: Option<(Pos, Option<String>)>,
    /// `stats realm`, which whole configurations have no more: it is in `rules`.
    pub realm: Option<Word>,
    /// `stats auth`, likewise: users with their passwords.
    pub users: Vec<(Word, Word)>,
    /// `stats http-request`: who may see it.
    pub rules: Vec<RuleLine>,
    /// `stats admin`: who may change what it shows.
    pub admin: Vec<RuleLine>,
}

impl StatsPage {
    /// HAProxy's default for `stats uri`.
    pub const URI: &'static str = "/haproxy?stats";
    /// HAProxy's default for `stats realm`.
    pub const REALM: &'static str = "HAProxy Statistics";

    /// A page with default settings.
    pub fn new(pos: Pos) -> Self {
        Self {
            pos,
            inherited: false,
            uri: Word::synthetic(Self::URI),
            refresh: 0,
            scopes: Vec::new(),
            show_version: false,
            show_legends: false,
            show_modules: false,
            show_node: None,
            show_desc: None,
            realm: None,
            users: Vec::new(),
            rules: Vec::new(),
            admin: Vec::new(),
        }
    }
}

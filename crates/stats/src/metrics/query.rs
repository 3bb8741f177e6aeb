//! What a scrape asks for: the parameters of its URI.

use crate::urlcode;
use std::borrow::Cow;
use std::collections::HashMap;

/// A group of metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The process.
    Global,
    /// Frontends.
    Frontend,
    /// Listeners (`option socket-stats`).
    Listener,
    /// Backends.
    Backend,
    /// Servers.
    Server,
    /// Stick tables.
    Sticktable,
    /// Resolvers, of which there are none.
    Resolver,
    /// Tunnels of reverse HTTP.
    Rhttp,
}

/// All scopes, by the words that choose them.
const SCOPES: [(&str, Scope); 8] = [
    ("global", Scope::Global),
    ("frontend", Scope::Frontend),
    ("listener", Scope::Listener),
    ("backend", Scope::Backend),
    ("server", Scope::Server),
    ("sticktable", Scope::Sticktable),
    ("resolver", Scope::Resolver),
    ("rhttp", Scope::Rhttp),
];

const ALL: u16 = u16::MAX;

/// The URI asks for what there is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadQuery;

/// What to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    scopes: u16,
    /// Names that are asked for or, with true, unwanted.
    names: HashMap<String, bool>,
    /// Metrics that are not named are shown.
    rest: bool,
    /// Leave servers in maintenance out.
    pub no_maint: bool,
    /// Descriptions of the sections as labels.
    pub descriptions: bool,
    /// With the counters of the protocols' modules.
    pub extra: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            scopes: ALL,
            names: HashMap::new(),
            rest: true,
            no_maint: false,
            descriptions: false,
            extra: false,
        }
    }
}

impl Query {
    /// Reads the query string of a request's target.
    ///
    /// # Errors
    /// For a scope that does not exist, and for what is no query string.
    pub fn parse(target: &[u8]) -> Result<Self, BadQuery> {
        let mut query = Self::default();
        let Some(at) = target.iter().position(|b| *b == b'?') else { return Ok(query) };
        let text = target.get(at + 1..).unwrap_or_default();
        let text = text.split(|b| *b == b'#').next().unwrap_or_default();
        let mut scoped = false;
        for parameter in text.split(|b| *b == b'&') {
            let mut parts = parameter.splitn(2, |b| *b == b'=');
            let key = decode(parts.next().unwrap_or_default())?;
            let value = parts.next();
            if value.is_some_and(|v| v.contains(&b'=')) {
                return Err(BadQuery);
            }
            let value = value.map(decode).transpose()?;
            match (&*key, value) {
                ("scope", Some(value)) => {
                    if !scoped {
                        (scoped, query.scopes) = (true, 0);
                    }
                    query.scope(&value)?;
                }
                ("metrics", Some(value)) => query.filter(&value),
                ("scope" | "metrics", None) => return Err(BadQuery),
                ("extra-counters", _) => query.extra = true,
                ("no-maint", _) => query.no_maint = true,
                ("desc-labels", _) => query.descriptions = true,
                _ => {}
            }
        }
        Ok(query)
    }

    fn scope(&mut self, word: &str) -> Result<(), BadQuery> {
        match word {
            "" => self.scopes = 0,
            "*" => self.scopes = ALL,
            _ => {
                let scope = SCOPES.iter().find(|(name, _)| *name == word).ok_or(BadQuery)?;
                self.scopes |= bit(scope.1);
            }
        }
        Ok(())
    }

    fn filter(&mut self, list: &str) {
        for word in list.split(',') {
            let (name, unwanted) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
            if name.is_empty() {
                continue;
            }
            self.rest &= unwanted;
            self.names.insert(name.to_owned(), unwanted);
        }
    }

    /// Whether metrics of a scope are wanted.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes & bit(scope) != 0
    }

    /// Whether the metric of a name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.names.get(name).map_or(self.rest, |unwanted| !unwanted)
    }
}

fn bit(scope: Scope) -> u16 {
    1 << scope as u8
}

/// Decodes a part of a query string.
fn decode(text: &[u8]) -> Result<Cow<'_, str>, BadQuery> {
    Ok(match urlcode::decode(text).ok_or(BadQuery)? {
        Cow::Borrowed(b) => String::from_utf8_lossy(b),
        Cow::Owned(b) => Cow::Owned(String::from_utf8_lossy(&b).into_owned()),
    })
}

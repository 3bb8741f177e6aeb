//! The index of all keywords of samples, whichever crate they come from.

use crate::row::{AclAlias, Converter, Fetch};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Tables of one crate.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// Fetches.
    pub fetches: &'static [&'static [Fetch]],
    /// Converters.
    pub converters: &'static [&'static [&'static [Converter]]],
    /// ACL keywords.
    pub acls: &'static [AclAlias],
}

/// Everything by name.
#[derive(Debug, Default)]
pub struct Registry {
    fetches: HashMap<&'static str, &'static Fetch>,
    converters: HashMap<&'static str, &'static Converter>,
    acls: HashMap<&'static str, &'static AclAlias>,
}

impl Registry {
    /// Indexes tables; a later one replaces rows of the same name.
    pub fn build(tables: &[Tables]) -> Self {
        let mut r = Self::default();
        for t in tables {
            r.fetches.extend(t.fetches.iter().copied().flatten().map(|f| (f.meta.name, f)));
            r.converters
                .extend(t.converters.iter().copied().flatten().copied().flatten().map(|c| (c.meta.name, c)));
            r.acls.extend(t.acls.iter().map(|a| (a.name, a)));
        }
        r
    }

    /// The keywords of this crate alone.
    pub fn builtin() -> &'static Self {
        static R: OnceLock<Registry> = OnceLock::new();
        R.get_or_init(|| Self::build(&[crate::TABLES]))
    }

    /// A fetch by name.
    pub fn fetch(&self, name: &str) -> Option<&'static Fetch> {
        self.fetches.get(name).copied()
    }

    /// A converter by name.
    pub fn converter(&self, name: &str) -> Option<&'static Converter> {
        self.converters.get(name).copied()
    }

    /// An ACL keyword by name.
    pub fn acl(&self, name: &str) -> Option<&'static AclAlias> {
        self.acls.get(name).copied()
    }

    /// The fetch that a misspelt name probably means.
    pub fn near_fetch(&self, name: &str) -> Option<String> {
        near(name, self.all_fetches().into_iter().map(|f| f.meta.name))
    }

    /// The ACL keyword or fetch that a misspelt name probably means.
    pub fn near_acl(&self, name: &str) -> Option<String> {
        near(name, self.all_acls().into_iter().map(|a| a.name)).or_else(|| self.near_fetch(name))
    }

    /// The converter that a misspelt name probably means.
    pub fn near_converter(&self, name: &str) -> Option<String> {
        near(name, self.all_converters().into_iter().map(|c| c.meta.name))
    }

    /// All fetches by name.
    pub fn all_fetches(&self) -> Vec<&'static Fetch> {
        let mut v: Vec<_> = self.fetches.values().copied().collect();
        v.sort_by_key(|f| f.meta.name);
        v
    }

    /// All converters by name.
    pub fn all_converters(&self) -> Vec<&'static Converter> {
        let mut v: Vec<_> = self.converters.values().copied().collect();
        v.sort_by_key(|f| f.meta.name);
        v
    }

    /// All ACL keywords by name.
    pub fn all_acls(&self) -> Vec<&'static AclAlias> {
        let mut v: Vec<_> = self.acls.values().copied().collect();
        v.sort_by_key(|f| f.name);
        v
    }
}

/// A near miss among names, in their order.
fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    hawser_cfg::suggest::near(word, names).map(str::to_owned)
}

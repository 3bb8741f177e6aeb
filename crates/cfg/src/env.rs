//! The environment as the configuration sees it (manual 2.3).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A snapshot of environment variables, with the changes that `setenv` and its relatives make.
///
/// The process environment itself is never changed: what a child process or Lua must see is [`Env::to_os`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    vars: BTreeMap<String, String>,
}

impl Env {
    /// No variables.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The variables of this process; the only place that reads them.
    pub fn from_process() -> Self {
        let text = |s: OsString| crate::octets::encode(&s.into_vec()).into_owned();
        Self { vars: std::env::vars_os().map(|(k, v)| (text(k), text(v))).collect() }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// `setenv`: sets or replaces a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// `presetenv`: sets a variable unless it exists.
    pub fn preset(&mut self, name: &str, value: &str) {
        if !self.vars.contains_key(name) {
            self.set(name, value);
        }
    }

    /// `unsetenv`: removes a variable.
    pub fn unset(&mut self, name: &str) {
        self.vars.remove(name);
    }

    /// `resetenv`: removes every variable that is not in `keep`.
    pub fn reset<S: AsRef<str>>(&mut self, keep: &[S]) {
        self.vars.retain(|name, _| keep.iter().any(|k| k.as_ref() == name));
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// All variables as the kernel takes them, for child processes.
    pub fn to_os(&self) -> Vec<(OsString, OsString)> {
        let os = |s: &str| std::ffi::OsStr::from_bytes(&crate::octets::decode(s)).to_owned();
        self.iter().map(|(k, v)| (os(k), os(v))).collect()
    }
}

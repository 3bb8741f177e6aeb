//! What this build can do, under HAProxy's names: for `feature()` and `-vv`.

/// The version of HAProxy whose behaviour this is.
pub const VERSION: &str = "3.4.0";

/// A row of the feature list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Feature {
    /// HAProxy's name.
    pub name: &'static str,
    /// Whether this build has it.
    pub on: bool,
}

/// All features that HAProxy 3.4 can list, sorted by name.
pub const FEATURES: &[Feature] = &[Feature { name: "THREAD", on: true }];

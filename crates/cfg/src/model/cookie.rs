//! Cookie persistence (manual 4.2, `cookie`).

use crate::pos::Pos;

/// The `cookie` line of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is the option of that name in the manual")]
pub struct Cookie {
    pub pos: Pos,
    pub name: String,
    pub rewrite: bool,
    pub insert: bool,
    pub prefix: bool,
    pub indirect: bool,
    pub nocache: bool,
    pub postonly: bool,
    pub preserve: bool,
    pub httponly: bool,
    pub secure: bool,
    pub dynamic: bool,
    pub domains: Vec<String>,
    /// Seconds, 0 for none.
    pub maxidle: u32,
    /// Seconds, 0 for none.
    pub maxlife: u32,
    pub attrs: Vec<String>,
}

//! The `%` aliases.

use super::Flags;
use crate::ctx::Ctx;

/// One alias.
#[derive(Debug)]
pub(super) struct Alias {
    /// Name behind `%`.
    pub(super) name: &'static str,
    /// Writes it.
    pub(super) run: fn(&Ctx<'_>, Flags, &mut Vec<u8>),
}

/// All aliases.
pub(super) static ALIASES: &[Alias] = &[Alias { name: "ci", run: client_ip }];

fn client_ip(ctx: &Ctx<'_>, _: Flags, out: &mut Vec<u8>) {
    if let Some(ip) = ctx.sess.and_then(|s| s.src.ip()) {
        crate::Value::ip(ip).write_str(out);
    }
}

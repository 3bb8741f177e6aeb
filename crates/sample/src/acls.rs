//! ACL keywords: fetches with a matching method of their own.

use crate::row::AclAlias;

/// Rows.
pub(crate) static ALIASES: &[AclAlias] = &[AclAlias { name: "path_beg", fetch: "path", method: "beg" }];

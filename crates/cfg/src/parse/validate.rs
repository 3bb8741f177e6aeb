//! Checks of the whole configuration, once all of it was read.

use crate::diag::Diags;
use crate::model::Config;

/// Resolves names and reports what no single line can tell.
pub(crate) fn config(_config: &mut Config, _diags: &mut Diags) {}

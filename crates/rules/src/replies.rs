//! Error replies: which response stands for a status in a proxy.

use crate::txn::Reply;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{ErrorDecl, HttpErrors};
use hawser_sample::Ctx;
use std::sync::Arc;

/// The error replies that one proxy declares (`errorfile`, `errorloc*`, `errorfiles`, `http-error`).
#[derive(Debug, Default)]
pub struct ErrorReplies {}

impl ErrorReplies {
    /// Compiles the declarations of a proxy; a later one for the same status wins.
    pub fn compile(_diags: &mut Diags, _decls: &[ErrorDecl], _sections: &[HttpErrors]) -> Self {
        Self::default()
    }
}

/// The error replies in force for a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Errors<'a> {
    /// Those of the backend, once chosen.
    pub backend: Option<&'a ErrorReplies>,
    /// Those of the frontend.
    pub frontend: Option<&'a ErrorReplies>,
}

impl Errors<'_> {
    /// The reply for a status: the backend's, else the frontend's, else the built-in one. `None` closes the
    /// connection without a response.
    pub fn reply(&self, _status: u16, _ctx: &Ctx<'_>) -> Option<Arc<Reply>> {
        None
    }
}

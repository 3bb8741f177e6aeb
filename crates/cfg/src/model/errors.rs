//! Error documents: `errorfile`, `errorloc*`, `http-error`, `http-errors` sections (manual 4.2 and 12.4).

use crate::pos::{Pos, Word};
use std::sync::Arc;

/// `errorfile` and relatives, in the order in which they override each other.
#[derive(Debug, Clone)]
pub struct ErrorDecl {
    /// Where.
    pub pos: Pos,
    /// What.
    pub kind: ErrorKind,
}

/// See [`ErrorDecl`].
#[derive(Debug, Clone)]
pub enum ErrorKind {
    /// `errorfile CODE FILE`; the content was read while parsing.
    File {
        /// Status code.
        code: u16,
        /// As written.
        path: String,
        /// Content.
        data: Arc<[u8]>,
    },
    /// `errorloc`, `errorloc302`, `errorloc303`.
    Loc {
        /// Status that is replaced.
        code: u16,
        /// 302 or 303.
        status: u16,
        /// Location.
        url: String,
    },
    /// `errorfiles NAME [codes]`.
    Files {
        /// The `http-errors` section.
        section: Word,
        /// Codes, empty for all.
        codes: Vec<u16>,
    },
    /// `http-error status CODE …`, words after `http-error`.
    HttpError(Arc<[Word]>),
}

/// An `http-errors` section.
#[derive(Debug, Clone, Default)]
pub struct HttpErrors {
    /// Its name.
    pub name: Arc<str>,
    /// The section line.
    pub pos: Pos,
    /// `errorfile` lines.
    pub files: Vec<ErrorDecl>,
}

//! The HTTP message model shared by muxes and rules.
//!
//! A head is one contiguous buffer and an index of ranges in it, in the order of arrival and with the case of
//! arrival. Everything above the muxes (rules, logs, balancing) sees only this model, whatever the version on
//! the wire. Bodies are streamed beside it and are not part of it.
//!
//! | module | what |
//! | --- | --- |
//! | [`head`], [`name`] | heads, fields, known field names |
//! | [`list`], [`cookie`] | occurrences of fields, values in lists, cookies |
//! | [`uri`], [`host`] | parts of the request target, its rewriting, agreement with Host |
//! | [`status`], [`reply`] | reason phrases, built-in error messages, error files |
//! | [`chars`] | byte classes of the grammar |
//! | [`body`] | lengths and parts of bodies |
//! | [`websocket`] | keys of WebSocket handshakes |

pub mod body;
pub mod chars;
pub mod cookie;
pub mod head;
pub mod host;
pub mod list;
pub mod name;
pub mod reply;
pub mod status;
pub mod uri;
pub mod websocket;

pub use body::{BodyLen, Part};
pub use cookie::{cookie_end, set_cookie};
pub use head::{Field, Head, Span, Start, Version};
pub use list::{trim, values};
pub use name::KnownName;
pub use reply::Reply;

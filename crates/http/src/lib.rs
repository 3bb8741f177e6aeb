//! The HTTP message model shared by muxes and rules.
//!
//! A head is one contiguous buffer and an index of ranges in it, in the order of arrival and with the case of
//! arrival. Everything above the muxes (rules, logs, balancing) sees only this model, whatever the version on
//! the wire. Bodies are streamed beside it and are not part of it.

pub mod body;
pub mod head;
pub mod name;

pub use body::{BodyLen, Part};
pub use head::{Field, Head, Span, Start, Version};
pub use name::KnownName;

//! Internal services: what answers requests in the place of a server (`use-service`).

use hawser_http::Head;
use std::fmt::Debug;

/// A service. Whoever has one brings it along when rules are compiled.
pub trait Service: Debug + Send + Sync {
    /// What `use-service` calls it.
    fn name(&self) -> &'static str;

    /// What logs show as the server.
    fn log_name(&self) -> &'static str;

    /// Starts to answer a request.
    ///
    /// # Errors
    /// The status to refuse it with.
    fn answer(&self, req: &Head) -> Result<Served, u16>;
}

/// An answer: a head without framing, and a body of unknown length.
pub struct Served {
    /// The head.
    pub head: Head,
    /// The body.
    pub body: Box<dyn Body>,
}

/// A body in the making.
pub trait Body {
    /// Adds the next piece, which may be empty; whether there is more. It takes little time: other requests wait.
    fn more(&mut self, out: &mut Vec<u8>) -> bool;
}

/// A body of text, by what makes its pieces.
pub struct Text<F> {
    more: F,
    /// Reused from piece to piece.
    piece: String,
}

impl<F: FnMut(&mut String) -> bool + 'static> Text<F> {
    /// `more` does for text what [`Body::more`] does.
    pub fn body(more: F) -> Box<dyn Body> {
        Box::new(Self { more, piece: String::new() })
    }
}

impl<F: FnMut(&mut String) -> bool> Body for Text<F> {
    fn more(&mut self, out: &mut Vec<u8>) -> bool {
        self.piece.clear();
        let more = (self.more)(&mut self.piece);
        out.extend_from_slice(self.piece.as_bytes());
        more
    }
}

//! Heads of the thread for requests to come: one is needed from the arrival of a request until its task runs.

use hawser_http::Head;
use std::cell::RefCell;

/// Most heads that a thread keeps.
const KEEP: usize = 64;

/// Heads that grew beyond this are not kept (bytes).
const LARGE: usize = 4096;

/// What a head has room for from the start (bytes).
const ROOM: usize = 512;

thread_local! {
    #[expect(clippy::vec_box, reason = "streams keep them boxed: a head is large, and moved often")]
    static SPARE: RefCell<Vec<Box<Head>>> = const { RefCell::new(Vec::new()) };
}

/// A head, whatever is in it.
pub(crate) fn take() -> Box<Head> {
    let mut head = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if head.buf.capacity() == 0 {
        head.buf.reserve(ROOM);
    }
    head
}

/// Keeps the memory of a head for another request.
pub(crate) fn give(head: Box<Head>) {
    if head.buf.capacity() > LARGE || head.fields.spilled() {
        return;
    }
    // The thread may be ending.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEEP {
            spare.push(head);
        }
    });
}

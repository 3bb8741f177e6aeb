//! Putting owned descriptors on the thread's reactor.

use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the reactor of the calling thread's runtime.
///
/// # Errors
/// The reactor's, together with the descriptor.
pub fn register(fd: OwnedFd, interest: Interest) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: an `OwnedFd` is open for as long as it lives, always answers with the same descriptor, and
    // lives inside the `AsyncFd` from here on; nothing in this project closes a descriptor by number.
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    registered.map_err(tokio::io::unix::AsyncFdRegisterError::into_parts)
}

//! Holding signals back until somebody handles them. One of the few places with `unsafe`.
//!
//! From the moment when the sockets listen, this process looks alive to others, who may then send signals whose
//! default is to kill. They wait until the control thread has its handlers. Worker threads inherit the mask:
//! signals are the control thread's business.

use std::mem::MaybeUninit;

/// Signals that ask for something else than death.
const HELD: [libc::c_int; 6] =
    [libc::SIGUSR1, libc::SIGUSR2, libc::SIGHUP, libc::SIGQUIT, libc::SIGTTOU, libc::SIGTTIN];

/// Holds the signals back for this thread and those that it starts.
pub(crate) fn hold() {
    change(libc::SIG_BLOCK);
}

/// Lets this thread have them, those that came meanwhile included.
pub(crate) fn release() {
    change(libc::SIG_UNBLOCK);
}

fn change(how: libc::c_int) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set before anything reads it; the other calls only use the set and
    // the mask of the calling thread. None of them can fail with these arguments.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in HELD {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut());
    }
}

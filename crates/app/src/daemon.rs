//! Going to the background, and the pid file. One of the few places with `unsafe`.

use rustix::fd::{AsFd, OwnedFd};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io::{self, Write};
use std::path::Path;

/// Where [`fork`] returns.
#[derive(Debug)]
pub(crate) enum Side {
    /// In the process that was called: wait for the child, then exit with this status.
    Parent(Wait),
    /// In the background process.
    Child(Ready),
}

/// The child, as its parent sees it.
#[derive(Debug)]
pub(crate) struct Wait {
    /// Its process id.
    pub(crate) pid: u32,
    pipe: OwnedFd,
}

impl Wait {
    /// Waits until the child serves (true) or gives up (false).
    pub(crate) fn outcome(self) -> bool {
        let mut byte = [0_u8; 1];
        loop {
            match rustix::io::read(&self.pipe, &mut byte) {
                Err(rustix::io::Errno::INTR) => {}
                other => return other == Ok(1),
            }
        }
    }
}

/// What the child owes its parent.
#[derive(Debug)]
pub(crate) struct Ready {
    pipe: OwnedFd,
}

impl Ready {
    /// Lets go of the terminal and tells the parent that all is well.
    ///
    /// # Errors
    /// `null` cannot replace the standard descriptors.
    pub(crate) fn tell(self, null: impl AsFd) -> io::Result<()> {
        leave_terminal(null)?;
        // A parent that was killed meanwhile is not our problem.
        let _ = rustix::io::write(&self.pipe, &[1]);
        Ok(())
    }
}

/// Lets go of the terminal.
///
/// # Errors
/// `null` cannot replace the standard descriptors.
pub(crate) fn leave_terminal(null: impl AsFd) -> io::Result<()> {
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// Forks; the child is the leader of a new session. The parent learns by [`Wait::outcome`] whether the child
/// came to serve, so that the exit status of the command means something.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn fork() -> io::Result<Side> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    // SAFETY: no other thread exists yet, runtimes and workers are started after this; so the child may use
    // the allocator and everything else.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            rustix::process::setsid()?;
            Ok(Side::Child(Ready { pipe: write }))
        }
        pid => Ok(Side::Parent(Wait { pid: pid.cast_unsigned(), pipe: read })),
    }
}

/// Opens the pid file anew: before the chroot, so that a failure is an alert.
///
/// # Errors
/// It cannot be created.
pub(crate) fn open_pidfile(path: &Path) -> io::Result<std::fs::File> {
    // A link in its place must not lead elsewhere.
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::fs::File::create_new(path)
}

/// Writes a pid on a line of its own.
///
/// # Errors
/// Of the file system.
pub(crate) fn write_pid(file: &mut std::fs::File, pid: u32) -> io::Result<()> {
    writeln!(file, "{pid}")
}

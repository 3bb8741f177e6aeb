//! Network namespaces: sockets made in another one than the process's.

use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A named namespace (`ip netns`), and the way back.
#[derive(Debug)]
pub struct Netns {
    name: String,
    inside: OwnedFd,
    outside: OwnedFd,
}

impl Netns {
    /// Opens a namespace by its name in `/var/run/netns`; to be done while the process may.
    ///
    /// # Errors
    /// There is no such namespace, or it cannot be opened.
    pub fn open(name: &str) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        if name.is_empty() || name.contains(['/', '\0']) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let inside = open(format!("/var/run/netns/{name}"), flags, Mode::empty())?;
        let outside = open("/proc/self/ns/net", flags, Mode::empty())?;
        Ok(Self { name: name.to_owned(), inside, outside })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `make` inside the namespace: a socket stays where it was made, the calling thread comes back.
    ///
    /// # Errors
    /// Those of `make`; the process may not change namespaces (`CAP_SYS_ADMIN`).
    pub fn within<T>(&self, make: impl FnOnce() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
        let network = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(self.inside.as_fd(), network)?;
        let made = make();
        move_into_link_name_space(self.outside.as_fd(), network)?;
        made
    }
}

/// Runs `make` inside a namespace, if there is one.
pub(crate) fn within<T>(
    ns: Option<&Netns>,
    make: impl FnOnce() -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    match ns {
        Some(ns) => ns.within(make),
        None => make(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        for name in ["", "../x", "a/b", "nul\0"] {
            assert_eq!(Netns::open(name).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        assert!(Netns::open("surely-not-there").is_err());
    }
}

//! Network namespaces: sockets made in another one than the process's.

use hawser_cfg::model::{Config, Proxy};
use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

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

impl PartialEq for Netns {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Netns {}

impl Hash for Netns {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The namespaces that a configuration names. What a client says of its own counts only if it is one of them.
#[derive(Debug, Default)]
pub struct Namespaces(HashMap<Box<[u8]>, Arc<Netns>>);

impl Namespaces {
    /// Those of all listeners and servers. What cannot be opened is left to those who want it.
    pub fn of(config: &Config) -> Self {
        let of_binds =
            |p: &Proxy| p.binds.iter().filter_map(|b| b.opts.namespace.clone()).collect::<Vec<_>>();
        let of_servers =
            |p: &Proxy| p.servers.iter().filter_map(|s| s.opts.namespace.clone()).collect::<Vec<_>>();
        let names = config.proxies.iter().flat_map(|p| [of_binds(p), of_servers(p)].concat());
        let open = |name: String| Some((name.as_bytes().into(), Arc::new(Netns::open(&name).ok()?)));
        Self(names.filter(|n| n != OF_CLIENT).filter_map(open).collect())
    }

    /// The one of that name.
    pub fn get(&self, name: &[u8]) -> Option<&Arc<Netns>> {
        self.0.get(name)
    }
}

/// Stands for the namespace that a client's PROXY header names.
pub const OF_CLIENT: &str = "*";

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

//! Giving up root: chroot, groups, gid, uid, capabilities. One of the few places with `unsafe`.

use hawser_cfg::model::Global;
use hawser_cfg::pos::Pos;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags};
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

/// Whom to become, resolved while the system's databases are still reachable.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Identity {
    /// Directory to be locked into.
    pub(crate) chroot: Option<PathBuf>,
    /// `uid` or the id of `user`.
    pub(crate) uid: Option<u32>,
    /// `gid` or the id of `group`.
    pub(crate) gid: Option<u32>,
}

impl Identity {
    /// Resolves `user` and `group`.
    ///
    /// # Errors
    /// A name that the system does not know: where it stands, and the text of an alert.
    pub(crate) fn resolve(g: &Global) -> Result<Self, (Pos, String)> {
        let mut identity = Self { chroot: g.chroot.clone(), uid: g.uid, gid: g.gid };
        let unknown = |what, pos, name| (pos, format!("cannot find {what} id for '{name}'"));
        if let Some((pos, name)) = &g.user {
            identity.uid = Some(user_id(name).ok_or_else(|| unknown("user", *pos, name))?);
        }
        if let Some((pos, name)) = &g.group {
            identity.gid = Some(group_id(name).ok_or_else(|| unknown("group", *pos, name))?);
        }
        Ok(identity)
    }

    /// Becomes it. After this the process can bind no privileged port and read no root-owned file.
    ///
    /// # Errors
    /// The text of an alert; the process must not go on.
    pub(crate) fn assume(&self) -> Result<(), String> {
        // Nothing executed from here on may gain what this process gives up.
        let _ = rustix::thread::set_no_new_privs(true);
        if let Some(dir) = &self.chroot {
            jail(dir).map_err(|_| format!("Cannot chroot({}).", dir.display()))?;
        }
        let root = rustix::process::geteuid().is_root();
        if let Some(gid) = self.gid {
            if root {
                // Supplementary groups of root would otherwise stay.
                set_groups(&[]).map_err(|e| format!("Cannot drop supplementary groups ({e})."))?;
            }
            set_gid(gid).map_err(|e| format!("Cannot set gid {gid} ({e})."))?;
        }
        if let Some(uid) = self.uid {
            set_uid(uid).map_err(|e| format!("Cannot set uid {uid} ({e})."))?;
            if uid != 0 {
                drop_capabilities().map_err(|e| format!("Cannot drop capabilities ({e})."))?;
            }
        }
        Ok(())
    }
}

/// Confines the process to a directory; `auto` is one without a name, empty and closed for writing.
fn jail(dir: &Path) -> rustix::io::Result<()> {
    if dir.as_os_str() == "auto" {
        let name = std::env::temp_dir().join(format!(".hawser-jail-{}", std::process::id()));
        rustix::fs::mkdir(&name, Mode::RUSR | Mode::XUSR)?;
        rustix::process::chdir(&name)?;
        rustix::fs::rmdir(&name)?;
    } else {
        rustix::process::chdir(dir)?;
    }
    match rustix::process::chroot(".") {
        Err(Errno::PERM) if !rustix::process::geteuid().is_root() => {
            // A namespace of its own gives the right to do this, and the right is given up at once.
            // SAFETY: a user namespace concerns neither memory nor descriptors.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) }?;
            rustix::process::chroot(".")?;
            drop_capabilities()?;
        }
        outcome => outcome?,
    }
    rustix::process::chdir("/")
}

/// Leaving uid 0 clears the effective and permitted sets by itself, unless securebits say otherwise.
fn drop_capabilities() -> rustix::io::Result<()> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)
}

fn check(rc: libc::c_int) -> std::io::Result<()> {
    if rc == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Through libc, which changes all threads of the process; the system call changes one.
fn set_uid(uid: u32) -> std::io::Result<()> {
    // SAFETY: takes a number, touches no memory of ours.
    check(unsafe { libc::setresuid(uid, uid, uid) })
}

fn set_gid(gid: u32) -> std::io::Result<()> {
    // SAFETY: takes a number, touches no memory of ours.
    check(unsafe { libc::setresgid(gid, gid, gid) })
}

fn set_groups(groups: &[libc::gid_t]) -> std::io::Result<()> {
    // SAFETY: the pointer and the length describe the slice, which is only read.
    check(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })
}

fn user_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    look_up(&name, |name, buf| {
        // SAFETY: an all-zero `passwd` is valid (null pointers), and the call only writes into it and into
        // `buf`, whose length it is told.
        unsafe {
            let mut entry: libc::passwd = std::mem::zeroed();
            let mut found = std::ptr::null_mut();
            let rc = libc::getpwnam_r(
                name.as_ptr(),
                &raw mut entry,
                buf.as_mut_ptr().cast(),
                buf.len(),
                &raw mut found,
            );
            (rc, (!found.is_null()).then_some(entry.pw_uid))
        }
    })
}

fn group_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    look_up(&name, |name, buf| {
        // SAFETY: as for `getpwnam_r` above.
        unsafe {
            let mut entry: libc::group = std::mem::zeroed();
            let mut found = std::ptr::null_mut();
            let rc = libc::getgrnam_r(
                name.as_ptr(),
                &raw mut entry,
                buf.as_mut_ptr().cast(),
                buf.len(),
                &raw mut found,
            );
            (rc, (!found.is_null()).then_some(entry.gr_gid))
        }
    })
}

/// Calls a look-up with larger and larger buffers until it fits.
fn look_up(name: &CStr, ask: impl Fn(&CStr, &mut [u8]) -> (libc::c_int, Option<u32>)) -> Option<u32> {
    let mut buf = vec![0_u8; 1024];
    loop {
        match ask(name, &mut buf) {
            (libc::ERANGE, _) if buf.len() < 1 << 20 => buf.resize(buf.len() * 2, 0),
            (libc::EINTR, _) => {}
            (_, found) => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_cfg::pos::Word;

    #[test]
    fn names_are_resolved() {
        let g = Global {
            user: Some((Pos::default(), Word::synthetic("root"))),
            gid: Some(7),
            ..Global::default()
        };
        assert_eq!(Identity::resolve(&g), Ok(Identity { chroot: None, uid: Some(0), gid: Some(7) }));
        let g = Global { user: Some((Pos::default(), Word::synthetic("no-such-user"))), ..Global::default() };
        assert_eq!(
            Identity::resolve(&g),
            Err((Pos::default(), "cannot find user id for 'no-such-user'".into()))
        );
        let g = Global { group: Some((Pos::default(), Word::synthetic("no\0group"))), ..Global::default() };
        assert!(Identity::resolve(&g).is_err());
    }
}

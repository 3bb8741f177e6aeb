//! User lists (manual 12.2): who may pass HTTP basic authentication.

use crate::compile::{CompileCx, Error};
use parking_lot::Mutex;
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// The users of a `userlist` section.
#[derive(Debug, Default)]
pub struct Userlist {
    users: Vec<User>,
    /// Answers about hashed passwords, by a digest of user and password: a hash takes milliseconds on purpose, which
    /// no request after the first should pay again.
    known: Mutex<HashMap<[u8; 32], bool>>,
}

/// Answers that are remembered for each list; wrong guesses must not fill the memory.
const MAX_KNOWN: usize = 1024;

#[derive(Debug)]
struct User {
    name: Box<str>,
    password: Password,
    groups: Vec<Box<str>>,
}

#[derive(Debug)]
enum Password {
    /// None: nobody can log in as this user.
    Missing,
    /// `insecure-password`.
    Clear(Box<str>),
    /// `password`, in a form of crypt(3).
    Hashed(Box<str>),
}

/// The list of that name, if there is one.
///
/// # Errors
/// Lines of the section that cannot be used.
pub(crate) fn find(cx: &CompileCx<'_>, name: &str) -> Result<Option<Arc<Userlist>>, Error> {
    let Some(section) = cx.config.userlists.iter().find(|u| *u.name == *name) else { return Ok(None) };
    let mut list = Userlist::default();
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in &section.lines {
        let w: Vec<&str> = line.words.iter().map(|w| w.as_str()).collect();
        match w.as_slice() {
            ["group", name] => groups.push((name, Vec::new())),
            ["group", name, "users", users] => groups.push((name, users.split(',').collect())),
            ["user", name, rest @ ..] => list.users.push(user(name, rest)?),
            _ => {}
        }
    }
    for (group, users) in groups {
        for u in list.users.iter_mut().filter(|u| users.contains(&&*u.name)) {
            u.groups.push(group.into());
        }
    }
    Ok(Some(Arc::new(list)))
}

/// A `user` line behind the name.
fn user(name: &str, words: &[&str]) -> Result<User, Error> {
    let mut u = User { name: name.into(), password: Password::Missing, groups: Vec::new() };
    for pair in words.chunks(2) {
        match *pair {
            ["insecure-password", p] => u.password = Password::Clear(p.into()),
            ["password", p] => {
                if !crypt_known(p) {
                    return Err(Error::new(format!("the password of user '{name}' has an unsupported hash")));
                }
                u.password = Password::Hashed(p.into());
            }
            ["groups", g] => u.groups.extend(g.split(',').map(Into::into)),
            _ => return Err(Error::new(format!("user '{name}': unexpected '{}'", pair.join(" ")))),
        }
    }
    Ok(u)
}

/// Whether a hash is of a form that [`crypt_matches`] knows.
fn crypt_known(hash: &str) -> bool {
    hash.starts_with("$5$") || hash.starts_with("$6$")
}

/// Whether a password has that hash of crypt(3).
fn crypt_matches(password: &[u8], hash: &str) -> bool {
    ShaCrypt::default().verify_password(password, hash).is_ok()
}

impl Userlist {
    /// Whether that user has that password.
    pub fn check(&self, name: &[u8], password: &[u8]) -> bool {
        self.users.iter().find(|u| u.name.as_bytes() == name).is_some_and(|u| match &u.password {
            Password::Missing => false,
            Password::Clear(p) => p.as_bytes() == password,
            Password::Hashed(h) => self.remembered(name, password, h),
        })
    }

    /// Checks a hashed password, once for each.
    fn remembered(&self, name: &[u8], password: &[u8], hash: &str) -> bool {
        let mut digest = Sha256::new();
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update(password);
        let key: [u8; 32] = digest.finalize().into();
        if let Some(known) = self.known.lock().get(&key) {
            return *known;
        }
        let good = crypt_matches(password, hash);
        let mut known = self.known.lock();
        if known.len() >= MAX_KNOWN {
            known.retain(|_, good| *good);
        }
        if known.len() < MAX_KNOWN {
            known.insert(key, good);
        }
        good
    }

    /// The groups of a user.
    pub fn groups(&self, name: &[u8]) -> impl Iterator<Item = &str> {
        let user = self.users.iter().find(|u| u.name.as_bytes() == name);
        user.into_iter().flat_map(|u| u.groups.iter().map(|g| &**g))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &[&[&str]]) -> Userlist {
        let users = lines.iter().map(|l| user(l[0], &l[1..]).expect("a valid user")).collect();
        Userlist { users, ..Userlist::default() }
    }

    #[test]
    fn passwords_are_checked() {
        let l = list(&[
            &["a", "insecure-password", "clear"],
            &["b", "password", "$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi."],
            &[
                "c",
                "password",
                "$6$saltstring$AIsRs/Ee56G/tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.",
            ],
            &["d"],
        ]);
        for (user, password, good) in [
            ("a", "clear", true),
            ("a", "Clear", false),
            ("b", "secret", true),
            ("b", "secret", true),
            ("b", "secrets", false),
            ("b", "secrets", false),
            ("c", "secret", true),
            ("c", "", false),
            ("d", "", false),
            ("e", "secret", false),
        ] {
            assert_eq!(l.check(user.as_bytes(), password.as_bytes()), good, "{user} {password}");
        }
        assert_eq!(l.known.lock().len(), 4);
    }

    #[test]
    fn unknown_hashes_are_refused() {
        assert!(user("x", &["password", "$1$salt$ez2vlPGdaLYkJam5pWs/Y1"]).is_err());
        assert!(user("x", &["passwd", "y"]).is_err());
    }
}

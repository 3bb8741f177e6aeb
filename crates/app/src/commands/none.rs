//! Commands that list what there is none of: tools ask for it and must find a list without entries, not a refusal.

use hawser_cli::{Call, Command, Level, Reply};

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("show anon", "show anon", Level::User, |_| Reply::info("Anonymized mode disabled"), "tell whether dumps are anonymised"),
    Command::new("set anon off", "set anon off", Level::User, |_| Reply::Done, "show names and addresses in dumps"),
    Command::new("show cache", "show cache", Level::User, |_| Reply::Done, "show the caches"),
    Command::new("show events", "show events [<sink>] [-w] [-n] [-0]", Level::User, events, "list the event sinks, or show what one holds"),
    Command::new("show peers", "show peers [dict|-] [section]", Level::User, peers, "show the peers"),
    Command::new("show pools", "show pools [by*] [match <pfx>] [nb]", Level::User, pools, "show the memory pools"),
    Command::new("show resolvers", "show resolvers [id]", Level::User, resolvers, "show the counters of name servers"),
];

fn events(call: &mut Call<'_>) -> Reply {
    match call.arg(0) {
        "" => Reply::Dump(
            "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n\
             \x20   stdout     : type=fd, 0 dropped, standard output (fd#1)\n\
             \x20   stderr     : type=fd, 0 dropped, standard output (fd#2)\n"
                .into(),
        ),
        _ => Reply::err("No such event sink"),
    }
}

fn peers(call: &mut Call<'_>) -> Reply {
    match call.arg(0) {
        "" | "dict" | "-" if call.arg(1).is_empty() => Reply::Done,
        _ => Reply::err("No such peers"),
    }
}

fn resolvers(call: &mut Call<'_>) -> Reply {
    match call.arg(0) {
        "" => Reply::Done,
        _ => Reply::err("Can't find that resolvers section"),
    }
}

/// Memory comes from the allocator: there is no pool to tell of, but the totals are those of HAProxy's last line.
fn pools(_: &mut Call<'_>) -> Reply {
    Reply::Dump(
        "Dumping pools usage. Use SIGQUIT to flush them.\n\
         Total: 0 pools, 0 bytes allocated, 0 used (~0 by thread caches).\n"
            .into(),
    )
}

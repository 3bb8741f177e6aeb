//! Checks before anything is bound: conditions, the configuration, what this build cannot do.

use crate::Exit;
use crate::args::Args;
use crate::messages::Messages;
use crate::privileges::Identity;
use crate::{facts, report};
use hawser_cfg::cond::{CondCx, evaluate_argument};
use hawser_cfg::diag::Diags;
use hawser_cfg::env::Env;
use hawser_cfg::load::{Files, Source};
use hawser_cfg::model::{Config, Global};
use hawser_cfg::parse::{Parsed, dump, parse};
use hawser_cfg::render;
use std::io::Write;

/// `-cc`: 0 if it is true, 1 if it is false, 2 if it cannot be evaluated.
pub(crate) fn condition(messages: &Messages, text: &str, args: &Args) -> Exit {
    let mut env = Env::from_process();
    env.define_builtin(&facts::local_peer(args));
    match evaluate_argument(text, &env, &CondCx::default()) {
        Ok(true) => Exit::Status(0),
        Ok(false) => Exit::Status(1),
        Err(e) => {
            messages.alert(&e);
            Exit::Status(2)
        }
    }
}

/// Reads and parses all files of the command line.
pub(crate) fn load(args: &Args, env: &mut Env) -> Parsed {
    let sources: Vec<Source> = args.files.iter().cloned().map(Source::Path).collect();
    if args.dump_config && !args.quiet {
        // A closed standard output is the reader's wish.
        let _ = std::io::stdout().lock().write_all(&dump(&sources, &CondCx::default(), env));
    }
    parse(&sources, &CondCx::default(), env)
}

/// Resolves `user` and `group`.
pub(crate) fn identity(g: &Global, diags: &mut Diags) -> Identity {
    Identity::resolve(g).unwrap_or_else(|(pos, text)| {
        diags.alert(pos, text);
        Identity::default()
    })
}

/// Prints everything; an error if the configuration must not be used.
pub(crate) fn report(
    messages: &Messages,
    args: &Args,
    config: &Config,
    diags: &mut Diags,
    files: &Files,
) -> Result<(), Exit> {
    diags.settle(&config.files);
    report::print(messages, args, diags, files);
    if diags.has_alert() {
        // Where nothing was read, what could not be opened says it all.
        if !files.list.is_empty() && diags.wants_summary() && report::wants_summary(args) {
            messages.alert(&format!("config : {}", render::FATAL));
        }
        return Err(Exit::Status(1));
    }
    if diags.has_warning() && (args.zero_warning || config.global.zero_warning) {
        messages.alert(render::ZERO_WARNING);
        return Err(Exit::Status(1));
    }
    Ok(())
}

/// What an administrator should know when the process stays root.
pub(crate) fn root_warnings(messages: &Messages, identity: &Identity) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    if identity.chroot.is_none() {
        messages.warning("Started as root without 'chroot': 'chroot' into an empty directory limits what an intruder can reach ('chroot /' silences this).");
    }
    if identity.uid.is_none() {
        messages.warning("Started as root without 'user' or 'uid': the process keeps root's rights ('uid 0' silences this).");
    }
}

//! The command line (management guide chapter 3).

use hawser_cfg::units;
use std::path::PathBuf;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Action {
    /// Start.
    #[default]
    Run,
    /// `-c`: check the configuration.
    Check,
    /// `-v`: short version.
    Version,
    /// `-vv`: long version.
    Build,
    /// `-vq`, `-vqs`, `-vqb`: nothing but the version, the version without suffix, the branch.
    VersionOnly(Part),
}

/// See [`Action::VersionOnly`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// `3.4.0-hawser`.
    Full,
    /// `3.4.0`.
    Short,
    /// `3.4`.
    Branch,
}

/// The signal for processes that are to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OldSignal {
    /// `-sf`: finish.
    Finish,
    /// `-st`: terminate.
    Terminate,
}

/// How diagnostics are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DiagFormat {
    /// HAProxy's lines; with the source line and a caret on a terminal.
    #[default]
    Auto,
    /// HAProxy's lines.
    Classic,
    /// The source line and a caret.
    Pretty,
    /// One JSON object per line on standard output.
    Json,
}

/// The command line, parsed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct Args {
    /// What to do.
    pub action: Action,
    /// `-x`: the socket of the old process that gives its listening sockets.
    pub take_over: Option<PathBuf>,
    /// `-f` and what follows `--`, in order.
    pub files: Vec<PathBuf>,
    /// `-cc`.
    pub condition: Option<String>,
    /// `-C`.
    pub chdir: Option<PathBuf>,
    /// `-V`.
    pub verbose: bool,
    /// `-q`.
    pub quiet: bool,
    /// `-W` or `-Ws`.
    pub master: bool,
    /// `-Ws`: tell systemd.
    pub notify: bool,
    /// `-S`: addresses of the master's command line, each with its options after commas.
    pub master_cli: Vec<String>,
    /// `-x /dev/null`: a new worker does not get the sockets of the one before.
    pub no_take_over: bool,
    /// `-d`.
    pub debug: bool,
    /// `-db`.
    pub foreground: bool,
    /// `-D`.
    pub daemon: bool,
    /// `-p`.
    pub pidfile: Option<PathBuf>,
    /// `-n`.
    pub maxconn: Option<u32>,
    /// `-N`.
    pub default_maxconn: Option<u32>,
    /// `-m` (MB).
    pub memory_mb: Option<u64>,
    /// `-L`.
    pub localpeer: Option<String>,
    /// `-sf` or `-st`, and the pids.
    pub old: Option<(OldSignal, Vec<i32>)>,
    /// `-dK`.
    pub dump_keywords: Option<String>,
    /// `-dC`.
    pub dump_config: bool,
    /// `-dL`.
    pub dump_libraries: bool,
    /// `-dW`.
    pub zero_warning: bool,
    /// `-dD`.
    pub diag: bool,
    /// `-dr`.
    pub ignore_resolution: bool,
    /// `-dR`.
    pub no_reuseport: bool,
    /// `-dS`, `-dF`, `-dZ`: each turns splicing off.
    pub no_splice: bool,
    /// `-dV`.
    pub no_ssl_verify: bool,
    /// `-dI`.
    pub insecure_fork: bool,
    /// `-4`.
    pub ipv4_only: bool,
    /// `--diagnostics=`.
    pub diagnostics: DiagFormat,
}

/// Why the command line was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArgsError {
    /// It is not understood: print the usage.
    Usage,
    /// It is understood and refused: print this as an alert.
    Refused(String),
}

/// Options that turn off something that this program does not have or never does: nothing is left to do.
const NOTHING_TO_TURN_OFF: [&str; 7] = ["-de", "-dp", "-dk", "-dv", "-dG", "-dT", "-dc"];

/// Parses the words after the program's name.
///
/// # Errors
/// See [`ArgsError`].
pub fn parse(words: &[String]) -> Result<Args, ArgsError> {
    let mut args = Args::default();
    let mut rest = Rest { words, at: 0 };
    while let Some(word) = rest.next() {
        if word == "--" {
            args.files.extend(rest.remaining().iter().map(PathBuf::from));
            break;
        }
        let known = with_value(&mut args, word, &mut rest)? || flag(&mut args, word);
        if !known {
            later(word)?;
        }
    }
    Ok(args)
}

struct Rest<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Rest<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    fn value(&mut self) -> Result<&'a str, ArgsError> {
        self.next().ok_or(ArgsError::Usage)
    }

    /// A number, which ends at the first character that is no digit. None of ours is negative: that counts as 0.
    fn number<T: TryFrom<i64>>(&mut self) -> Result<T, ArgsError> {
        let number = units::leading_int(self.value()?).0.map(|n| n.max(0));
        number.and_then(|n| T::try_from(n).ok()).ok_or(ArgsError::Usage)
    }

    fn remaining(&self) -> &'a [String] {
        &self.words[self.at..]
    }
}

/// Options that take a value, or are one with their value.
fn with_value(args: &mut Args, word: &str, rest: &mut Rest<'_>) -> Result<bool, ArgsError> {
    match word {
        "-f" => args.files.push(rest.value()?.into()),
        "-cc" => args.condition = Some(rest.value()?.to_owned()),
        "-C" => args.chdir = Some(rest.value()?.into()),
        "-p" => args.pidfile = Some(rest.value()?.into()),
        "-n" => args.maxconn = Some(rest.number()?),
        "-N" => args.default_maxconn = Some(rest.number()?),
        "-m" => args.memory_mb = Some(rest.number()?),
        "-L" => args.localpeer = Some(rest.value()?.to_owned()),
        // A script that has no old process says so with a device that never answers.
        "-x" => {
            args.take_over = Some(rest.value()?.into()).filter(|p: &PathBuf| p.as_os_str() != "/dev/null");
            args.no_take_over = args.take_over.is_none();
        }
        "-S" => args.master_cli.push(rest.value()?.to_owned()),
        "-sf" => args.old = Some((OldSignal::Finish, pids(rest)?)),
        "-st" => args.old = Some((OldSignal::Terminate, pids(rest)?)),
        _ => {
            if let Some(classes) = word.strip_prefix("-dK") {
                args.dump_keywords = Some(classes.to_owned());
            } else if let Some(format) = word.strip_prefix("--diagnostics=") {
                args.diagnostics = match format {
                    "auto" => DiagFormat::Auto,
                    "classic" => DiagFormat::Classic,
                    "pretty" => DiagFormat::Pretty,
                    "json" => DiagFormat::Json,
                    _ => return Err(ArgsError::Usage),
                };
            } else {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Pids up to the next option; none is fine.
fn pids(rest: &mut Rest<'_>) -> Result<Vec<i32>, ArgsError> {
    let mut out = Vec::new();
    while let Some(word) = rest.remaining().first().filter(|w| !w.starts_with('-')) {
        rest.at += 1;
        // `pidof` may answer with several in one word.
        for pid in word.split_ascii_whitespace() {
            match pid.parse() {
                Ok(pid) if pid > 1 => out.push(pid),
                _ => return Err(ArgsError::Usage),
            }
        }
    }
    Ok(out)
}

fn flag(args: &mut Args, word: &str) -> bool {
    match word {
        "-c" => args.action = Action::Check,
        "-v" => args.action = Action::Version,
        "-vv" => args.action = Action::Build,
        "-vq" => args.action = Action::VersionOnly(Part::Full),
        "-vqs" => args.action = Action::VersionOnly(Part::Short),
        "-vqb" => args.action = Action::VersionOnly(Part::Branch),
        "-V" => args.verbose = true,
        "-q" => args.quiet = true,
        "-W" => args.master = true,
        "-Ws" => (args.master, args.notify) = (true, true),
        "-d" => (args.debug, args.foreground) = (true, true),
        "-db" => args.foreground = true,
        "-D" => args.daemon = true,
        "-dW" => args.zero_warning = true,
        "-dC" | "-dC0" => args.dump_config = true,
        "-dD" => args.diag = true,
        "-dL" => args.dump_libraries = true,
        "-dr" => args.ignore_resolution = true,
        "-dR" => args.no_reuseport = true,
        "-dS" | "-dF" | "-dZ" => args.no_splice = true,
        "-dI" => args.insecure_fork = true,
        "-dV" => args.no_ssl_verify = true,
        "-4" => args.ipv4_only = true,
        _ => return NOTHING_TO_TURN_OFF.contains(&word) || word.starts_with("-dM"),
    }
    true
}

/// Options that are known and refused.
fn later(word: &str) -> Result<(), ArgsError> {
    let what = match word {
        "-Ex" => "this option",
        _ if word.starts_with("-dC") => "dumping the configuration with names and addresses made unreadable",
        _ if word.starts_with("-dA") => "an archive of libraries",
        _ if word.starts_with("-dt") => "tracing",
        _ => return Err(ArgsError::Usage),
    };
    Err(ArgsError::Refused(format!("'{word}': {what} is not supported by Hawser yet.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Args, ArgsError> {
        parse(&line.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn files_in_order() {
        let a = parsed("-f a -db -f b -- c -d").unwrap();
        assert_eq!(a.files, ["a", "b", "c", "-d"].map(PathBuf::from));
        assert!(a.foreground && !a.debug);
    }

    #[test]
    fn options() {
        let a =
            parsed("-c -V -q -n 10 -N 5 -m 100 -L me -C /d -p /p -dKall -dW -dR -dS -dM0x50 -de").unwrap();
        assert_eq!(a.action, Action::Check);
        assert_eq!((a.maxconn, a.default_maxconn, a.memory_mb), (Some(10), Some(5), Some(100)));
        assert_eq!((a.localpeer.as_deref(), a.dump_keywords.as_deref()), (Some("me"), Some("all")));
        assert!(a.verbose && a.quiet && a.zero_warning && a.no_reuseport && a.no_splice);
        assert_eq!(parsed("-vqs").unwrap().action, Action::VersionOnly(Part::Short));
        assert_eq!(parsed("--diagnostics=json").unwrap().diagnostics, DiagFormat::Json);
        assert_eq!(parsed("-x /dev/null").unwrap(), Args { no_take_over: true, ..Args::default() });
        let a = parsed("-Ws -S /a,mode,600 -S 127.0.0.1:1").unwrap();
        assert!(a.master && a.notify && !parsed("-W").unwrap().notify);
        assert_eq!(a.master_cli, ["/a,mode,600", "127.0.0.1:1"]);
    }

    #[test]
    fn old_processes() {
        let a = parsed("-sf 12 34 -f x").unwrap();
        assert_eq!(a.old, Some((OldSignal::Finish, vec![12, 34])));
        assert_eq!(a.files.len(), 1);
        assert_eq!(parsed("-st").unwrap().old, Some((OldSignal::Terminate, vec![])));
        // A signal to "everybody" or to init must not come from a typo.
        for line in ["-sf 0", "-sf 1", "-sf x"] {
            assert_eq!(parsed(line), Err(ArgsError::Usage), "{line}");
        }
    }

    #[test]
    fn nonsense_gets_the_usage() {
        for line in ["-Z", "file", "-f", "-n", "-n 9999999999", "--no-such-thing", "--diagnostics=x", "-cc"] {
            assert_eq!(parsed(line), Err(ArgsError::Usage), "{line}");
        }
    }

    #[test]
    fn what_comes_later_is_named() {
        for line in ["-dt", "-dA/tmp/x", "-dC123", "-Ex"] {
            assert!(matches!(parsed(line), Err(ArgsError::Refused(t)) if t.contains("yet")), "{line}");
        }
    }
}

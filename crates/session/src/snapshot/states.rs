//! State files of servers (manual 3.1 `server-state-file`, 4.2 `load-server-state-from-file`).

use hawser_balance::state_file::{Broken, Owner, States};
use hawser_balance::{Backend, time};
use hawser_cfg::diag::{Diags, Layout, Severity};
use hawser_cfg::model::{Config, Global, Proxy, StateSource};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The states that the configuration asks for: those of the common file, and of one section's own.
#[derive(Default)]
pub(super) struct Files {
    common: Option<States>,
}

impl Files {
    /// Reads the common file.
    pub(super) fn load(cfg: &Config, diags: &mut Diags) -> Self {
        let Some(name) = &cfg.global.server_state_file else { return Self::default() };
        let path = place(&cfg.global, name);
        let shown = path.display().to_string();
        let text = match read(&path) {
            Ok(text) => text,
            Err((severity, why)) => {
                tell(
                    diags,
                    severity,
                    format!("config: Can't open global server state file '{shown}': {why}"),
                );
                return Self::default();
            }
        };
        let states = States::parse(&text, None, &mut Vec::new());
        if let Err(why) = &states {
            let (severity, text) = match why {
                Broken::Empty => (Severity::Notice, format!("Empty global server state file '{shown}'.")),
                Broken::Version => (
                    Severity::Warning,
                    format!("Can't get version of the global server state file '{shown}'."),
                ),
                Broken::Line(n) => {
                    (Severity::Warning, format!("corrupted global server state file '{shown}' at line {n}."))
                }
            };
            tell(diags, severity, format!("config: {text}"));
        }
        Self { common: states.ok() }
    }

    /// The file of a section's own, if it has one.
    pub(super) fn own(cfg: &Config, px: &Proxy, id: u32, diags: &mut Diags) -> Option<States> {
        if px.load_server_state != StateSource::Local || px.disabled || px.servers.is_empty() {
            return None;
        }
        let path = place(&cfg.global, px.server_state_file.as_deref().unwrap_or(&px.name));
        let shown = path.display().to_string();
        let mut say = |severity, text: String| tell(diags, severity, format!("Proxy '{}': {text}", px.name));
        let text = match read(&path) {
            Ok(text) => text,
            Err((severity, why)) => {
                say(severity, format!("Can't open server state file '{shown}': {why}."));
                return None;
            }
        };
        let mut warnings = Vec::new();
        let states = States::parse(&text, Some(Owner { name: &px.name, id }), &mut warnings);
        match &states {
            Ok(_) => {}
            Err(Broken::Empty) => say(Severity::Notice, format!("Empty server state file '{shown}'.")),
            Err(Broken::Version) => {
                say(Severity::Warning, format!("Can't get version of the server state file '{shown}'."));
            }
            Err(Broken::Line(n)) => {
                say(Severity::Warning, format!("corrupted server state file '{shown}' at line {n}."));
            }
        }
        warnings.into_iter().for_each(|w| tell(diags, Severity::Warning, w));
        states.ok()
    }

    /// What is known of a section's servers: of the common file, or of its own.
    pub(super) fn of<'a>(&'a self, px: &Proxy, own: Option<&'a States>) -> Option<&'a States> {
        match px.load_server_state {
            StateSource::None => None,
            StateSource::Global => self.common.as_ref(),
            StateSource::Local => own,
        }
    }

    /// Gives the servers of a backend their states; `own` is the file of its section.
    pub(super) fn apply(&mut self, px: &Proxy, own: Option<States>, be: &Arc<Backend>, diags: &mut Diags) {
        let states = match px.load_server_state {
            StateSource::Global if !px.disabled => self.common.as_mut(),
            _ => None,
        };
        let mut own = own;
        let Some(states) = states.or(own.as_mut()) else { return };
        for warning in states.apply(be, time::now()) {
            tell(diags, Severity::Warning, warning);
        }
        if let Some(left) = own {
            for server in left.unused() {
                let text =
                    format!("Proxy '{}': can't find server '{server}' in backend '{}'", px.name, px.name);
                tell(diags, Severity::Warning, text);
            }
        }
    }
}

/// A section that asks for the common file where there is none.
pub(super) fn check(cfg: &Config, px: &Proxy, diags: &mut Diags) {
    let misses = px.load_server_state == StateSource::Global && cfg.global.server_state_file.is_none();
    if misses && px.kind.is_be() {
        let text = format!(
            "backend '{}' configured to load server state file from global section 'server-state-file' directive. \
             Unfortunately, 'server-state-file' is not set!",
            px.name
        );
        tell(diags, Severity::Warning, text);
    }
}

fn tell(diags: &mut Diags, severity: Severity, text: String) {
    diags.push(severity, None, text).layout = Layout::Plain;
}

/// A relative name is one in `server-state-base`.
fn place(g: &Global, name: &str) -> PathBuf {
    match &g.server_state_base {
        Some(base) => Path::new(base.as_str()).join(name),
        None => name.into(),
    }
}

/// A file that is not there yet is not worth a warning.
fn read(path: &Path) -> Result<String, (Severity, String)> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|e| {
        let severity = if e.kind() == ErrorKind::NotFound { Severity::Notice } else { Severity::Warning };
        let text = e.to_string();
        (severity, text.split(" (os error").next().unwrap_or_default().to_owned())
    })
}

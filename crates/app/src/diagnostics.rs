//! What libraries tell of their work (`h2`, the `debug` converter), for whoever looks for a mistake: off unless the
//! environment asks for it, and then on standard error.

use hawser_cfg::env::Env;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that asks for it: a level for all (`debug`), or levels by target (`h2=debug,sample=debug`).
const VARIABLE: &str = "HAWSER_TRACE";

/// Starts to print what the environment asks for. Without the variable nothing is registered, and an event costs one
/// comparison.
///
/// # Errors
/// The variable's value means nothing; the text of a warning.
pub(crate) fn start(env: &Env) -> Result<(), String> {
    let Some(value) = env.get(VARIABLE).filter(|v| !v.is_empty()) else { return Ok(()) };
    let targets: Targets = value.parse().map_err(|e| format!("{VARIABLE}: {e} in '{value}'."))?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process, as tests do, keeps the first.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (value, good) in
            [("", true), ("debug", true), ("h2=debug,sample=info", true), ("h2=loudly", false)]
        {
            let mut env = Env::empty();
            env.set(VARIABLE, value);
            assert_eq!(start(&env).is_ok(), good, "{value:?}");
        }
        assert_eq!(start(&Env::empty()), Ok(()));
    }
}

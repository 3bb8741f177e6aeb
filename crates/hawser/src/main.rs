//! Hawser: a load balancer that runs an unmodified haproxy.cfg.

use hawser_app::Exit;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: hawser_app::alloc::Allocator = hawser_app::alloc::Allocator;

fn main() -> ExitCode {
    let mut words = std::env::args_os().map(|w| w.to_string_lossy().into_owned());
    let name = words.next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    match hawser_app::run(&name, &words.collect::<Vec<_>>()) {
        Exit::Status(status) => ExitCode::from(status),
        Exit::Signal(signal) => {
            // Ends the process by that very signal; returning means that it could not.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            ExitCode::from(1)
        }
    }
}

//! The runtime API: no bytes make the conversation panic, and every reply ends its line.
#![no_main]

use hawser_cli::{Conversation, Level, Registry, Reply, SeverityOutput, State, commands};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

fuzz_target!(|data: &[u8]| {
    let (state, registry) = (State::default(), Registry::new(commands::TABLES));
    let mut c = Conversation::new(Level::Admin, SeverityOutput::None, Duration::from_secs(1));
    c.feed(data);
    while let Ok(Some(line)) = c.next_line() {
        for request in &line {
            let reply = c.execute(request, &state, &registry);
            let text = c.frame(&reply);
            if reply != Reply::Quit {
                assert!(text.ends_with('\n'), "{text:?}");
            }
        }
        let _ = c.end_of_line(&state);
        if c.closing() {
            return;
        }
    }
});

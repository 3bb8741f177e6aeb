//! Lines of a configuration, their conditions and values.
#![no_main]

use hawser_fuzz::config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    config::line(data);
    config::condition(data);
    config::value(data);
});

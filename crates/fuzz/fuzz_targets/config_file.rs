//! Whole configuration files, up to the rendered messages.
#![no_main]

use hawser_fuzz::config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| config::file(data));

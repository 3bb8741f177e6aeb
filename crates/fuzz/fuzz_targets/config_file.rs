//! Whole configuration files, up to the rendered messages.
#![no_main]

#[path = "../checks/config.rs"]
mod config;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| config::file(data));

//! Received log messages: no bytes make a `log-forward` section panic, whatever the format of its targets.
#![no_main]

use hawser_cfg::diag::Diags;
use hawser_cfg::model::{Global, LogAddr, LogForward, LogTarget};
use hawser_cfg::pos::Pos;
use hawser_log::Forwarder;
use hawser_proto::Address;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const FORMATS: [&str; 8] = ["local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"];

/// A target that nothing reaches: its descriptor is not open.
fn target(format: Option<&str>) -> LogTarget {
    LogTarget {
        pos: Pos::default(),
        global: false,
        clear: false,
        addr: Some(LogAddr::Fd(1_000_000)),
        len: 1024,
        format: format.map(str::to_owned),
        sample: None,
        profile: None,
        facility: 16,
        level: 7,
        min_level: 0,
    }
}

static SECTION: LazyLock<Forwarder> = LazyLock::new(|| {
    let mut section = LogForward::default();
    section.proxy.logs.push(target(None));
    section.proxy.logs.extend(FORMATS.map(|f| target(Some(f))));
    Forwarder::compile(&mut Diags::default(), &Global::default(), &section)
});

fuzz_target!(|data: &[u8]| SECTION.message(data, &Address::Ip(([192, 0, 2, 1], 514).into())));

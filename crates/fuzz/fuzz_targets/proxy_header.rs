//! PROXY headers: no bytes make the parser panic, a header never claims more bytes than there are, and a
//! prefix of a header is never refused.
#![no_main]

use hawser_listener::proxy_header::{Outcome, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Outcome::Complete(header) = parse(data) else { return };
    assert!(header.len <= data.len());
    for n in 0..header.len {
        assert_eq!(parse(&data[..n]), Outcome::Partial);
    }
    assert_eq!(parse(&data[..header.len]), Outcome::Complete(header));
});

//! PROXY headers: no bytes make the parser panic, a header never claims more bytes than there are, and a
//! prefix of a header is never refused.
#![no_main]

use hawser_proto::pp::{Outcome, parse, parse_cip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((magic, rest)) = data.split_first_chunk::<4>() {
        let magic = u32::from_be_bytes(*magic);
        for bytes in [data, rest] {
            if let Outcome::Complete(header) = parse_cip(bytes, magic) {
                assert!(header.len <= bytes.len());
            }
        }
    }
    let Outcome::Complete(header) = parse(data) else { return };
    assert!(header.len <= data.len());
    for n in 0..header.len {
        assert_eq!(parse(&data[..n]), Outcome::Partial);
    }
    assert_eq!(parse(&data[..header.len]), Outcome::Complete(header));
});

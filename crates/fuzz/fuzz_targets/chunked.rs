//! Chunked bodies: no bytes make the decoder panic, and pieces make no difference.
#![no_main]

use hawser_http::Head;
use hawser_mux_h1::codec::{ChunkDecoder, Limits, Step};
use libfuzzer_sys::fuzz_target;

/// Body, trailers as written, and the length of it all; `None` if it is incomplete.
type Decoded = Result<Option<(Vec<u8>, Vec<u8>, usize)>, ()>;

fn decode(input: &[u8], step: usize) -> Decoded {
    let (mut d, mut trailers, mut body) = (ChunkDecoder::default(), Head::default(), Vec::new());
    let (mut start, mut end) = (0, step.min(input.len()));
    loop {
        match d.decode(&input[start..end], &mut trailers, &Limits::default()).map_err(|_| ())? {
            Step::Data(r) => {
                assert!(!r.is_empty());
                body.extend_from_slice(&input[start + r.start..start + r.end]);
                start += r.end;
            }
            Step::More { consumed } => {
                start += consumed;
                if end == input.len() {
                    return Ok(None);
                }
                end = (end + step).min(input.len());
            }
            Step::End { consumed } => {
                let mut text = Vec::new();
                hawser_mux_h1::codec::encode_trailers(&trailers, &mut text);
                return Ok(Some((body, text, start + consumed)));
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((step, input)) = data.split_first() else { return };
    let whole = decode(input, input.len().max(1));
    let pieces = decode(input, usize::from(*step).max(1));
    match (&whole, &pieces) {
        // An error in a line may be seen early or only at its end.
        (Err(()), Ok(None)) => {}
        _ => assert_eq!(whole, pieces),
    }
});

use super::*;
use crate::codec::testutil::{bytes, text};

/// Decodes in pieces of `step` bytes; what is not consumed is presented again, as a connection would.
fn decode(input: &[u8], step: usize, lim: &Limits) -> Result<(Vec<u8>, String, usize), Reason> {
    let (mut d, mut trailers, mut body) = (ChunkDecoder::default(), Head::default(), Vec::new());
    let (mut start, mut end) = (0, 0);
    loop {
        match d.decode(&input[start..end], &mut trailers, lim).map_err(|e| e.reason)? {
            Step::Data(r) => {
                assert!(!r.is_empty());
                body.extend_from_slice(&input[start..][r.clone()]);
                start += r.end;
            }
            Step::More { consumed } => {
                start += consumed;
                if end == input.len() {
                    return Err(Reason::BadByte);
                }
                end = (end + step).min(input.len());
            }
            Step::End { consumed } => return Ok((body, text(&trailers), start + consumed)),
        }
    }
}

fn run(input: &str) -> Result<(String, String), Reason> {
    let input = bytes(input);
    let lim = Limits { max_fields: 5, max_bytes: 200 };
    let whole = decode(&input, input.len().max(1), &lim);
    for step in 1..9 {
        assert_eq!(decode(&input, step, &lim), whole, "in pieces of {step}");
    }
    whole.map(|(body, trailers, consumed)| {
        assert_eq!(consumed, input.len());
        (String::from_utf8_lossy(&body).into_owned(), trailers)
    })
}

#[test]
fn chunks_that_are_right() {
    let long = format!("2;{}\r\nhi\r\n0\r\n\r\n", "x".repeat(1000));
    let cases = [
        ("0\r\n\r\n", "", ""),
        ("2\r\nhi\r\n0\r\n\r\n", "hi", ""),
        ("2\r\nhi\r\n3\r\n\r\n!\r\n0\r\n\r\n", "hi\r\n!", ""),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""),
        ("00000000000000000000002\r\nhi\r\n000\r\n\r\n", "hi", ""),
        ("2 \t\r\nhi\r\n0\r\n\r\n", "hi", ""),
        // Extensions are dropped.
        ("2;a=b\r\nhi\r\n0;x\r\n\r\n", "hi", ""),
        ("2 ;a=\"x\\\"y;\"\r\nhi\r\n0\r\n\r\n", "hi", ""),
        ("2;\r\nhi\r\n0\r\n\r\n", "hi", ""),
        (&long, "hi", ""),
        // Trailers are lines of a head.
        ("2\r\nhi\r\n0\r\nX-T: v\r\nY: w\r\n\r\n", "hi", "|X-T: v|Y: w"),
        ("0\r\nX: v\r\n w\r\n\r\n", "", "|X: v   w"),
        ("0\r\nX: v\n\n", "", "|X: v"),
        ("0\r\n\n", "", ""),
    ];
    for (input, body, trailers) in cases {
        assert_eq!(run(input), Ok((body.to_owned(), trailers.to_owned())), "{input:?}");
    }
}

#[test]
fn chunks_that_are_refused() {
    let long_ext = format!("2;{}\r\nhi\r\n0\r\n\r\n", "x".repeat(1100));
    let zeros = format!("{}2\r\nhi\r\n0\r\n\r\n", "0".repeat(1100));
    let cases = [
        // Line ends.
        "2\nhi\r\n0\r\n\r\n",
        "2\r\nhi\n0\r\n\r\n",
        "2\r\nhi\r\n0\n\r\n",
        "2\rhi\r\n0\r\n\r\n",
        "2\r\r\nhi\r\n0\r\n\r\n",
        "2\r\nhixx0\r\n\r\n",
        "2\r\nhi\rx0\r\n\r\n",
        "2\r\nhi0\r\n\r\n",
        "2\r\nhi!\r\n0\r\n\r\n",
        // Sizes.
        "\r\nhi\r\n0\r\n\r\n",
        " 2\r\nhi\r\n0\r\n\r\n",
        ";a\r\nhi\r\n0\r\n\r\n",
        "2x\r\nhi\r\n0\r\n\r\n",
        "0x2\r\nhi\r\n0\r\n\r\n",
        "+2\r\nhi\r\n0\r\n\r\n",
        "-2\r\nhi\r\n0\r\n\r\n",
        "2 2\r\nhi\r\n0\r\n\r\n",
        "2,2\r\nhi\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhi",
        "1000000000000000\r\nhi",
        "10000000000000002\r\nhi\r\n0\r\n\r\n",
        &zeros,
        // Extensions that another agent could take for the end of the line.
        "2;a\nb\r\nhi\r\n0\r\n\r\n",
        "2;a\rb\r\nhi\r\n0\r\n\r\n",
        "2;a\0b\r\nhi\r\n0\r\n\r\n",
        "2;a\u{7f}b\r\nhi\r\n0\r\n\r\n",
        // A quote that the end of the line leaves open, which others would look for beyond it.
        "2;\"a\r\nhi\r\n0\r\n\r\n\"\n",
        "2;a=\"b\\\"\r\nhi\r\n0\r\n\r\n",
        "2;a\\\r\nhi\r\n0\r\n\r\n",
        &long_ext,
    ];
    for input in cases {
        assert_eq!(run(input), Err(Reason::BadChunk), "{input:?}");
    }
}

#[test]
fn trailers_are_checked_and_bounded() {
    let cases = [
        ("X : v", Reason::BadFieldName),
        (": v", Reason::BadFieldName),
        (" X: v", Reason::BadFieldName),
        ("bad", Reason::BadFieldName),
        ("X: v\0", Reason::BadFieldValue),
        ("X: v\rw", Reason::BadLineEnd),
        ("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5", Reason::TooManyFields),
    ];
    for (fields, why) in cases {
        assert_eq!(run(&format!("2\r\nhi\r\n0\r\n{fields}\r\n\r\n")), Err(why), "{fields:?}");
    }
    assert_eq!(run(&format!("0\r\nX: {}\r\n\r\n", "v".repeat(200))), Err(Reason::TooLarge));
}

#[test]
fn trailers_cannot_change_the_message() {
    let all = "Transfer-Encoding: chunked\r\nContent-Length: 4\r\nHost: b";
    let got =
        decode(format!("0\r\n{all}\r\nX: y\r\nSet-Cookie: a=b\r\n\r\n").as_bytes(), 5, &Limits::default());
    assert_eq!(got.map(|r| r.1).as_deref(), Ok("|X: y"));
    let mut trailers = Head::default();
    for &name in FORBIDDEN {
        trailers.add(name.as_str().as_bytes(), b"v");
    }
    trailers.add(b"X-Sum", b"1");
    let mut out = Vec::new();
    encode_trailers(&trailers, &mut out);
    assert_eq!(out, b"0\r\nX-Sum: 1\r\n\r\n", "not even if a rule adds them");
}

#[test]
fn data_may_pass_beside_the_decoder() {
    let (mut d, mut t, lim) = (ChunkDecoder::default(), Head::default(), Limits::default());
    assert_eq!(d.left(), 0);
    assert_eq!(d.decode(b"10\r\n", &mut t, &lim), Ok(Step::More { consumed: 4 }));
    assert_eq!(d.left(), 16);
    d.skip(10);
    assert_eq!(d.left(), 6);
    assert_eq!(d.decode(b"abcd", &mut t, &lim), Ok(Step::Data(0..4)));
    d.skip(2);
    assert_eq!(d.left(), 0);
    assert_eq!(d.decode(b"\r\n0\r\n\r\nGET", &mut t, &lim), Ok(Step::End { consumed: 7 }));
    assert_eq!(d.decode(b"GET", &mut t, &lim), Ok(Step::End { consumed: 0 }), "the end stays the end");
}

#[test]
fn chunk_headers_are_upper_case_hexadecimal() {
    for n in [1, 9, 10, 15, 16, 255, 4096, 0xabc_def0, u64::from(u32::MAX), u64::MAX] {
        let mut out = Vec::new();
        encode_chunk_header(n, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), format!("{n:X}\r\n"));
    }
}

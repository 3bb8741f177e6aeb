//! Cost of parsing and writing heads, and of decoding chunks. Run with `cargo bench -p hawser-mux-h1`.
#![expect(clippy::print_stdout, reason = "a benchmark reports on its output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use hawser_http::{BodyLen, Head};
use hawser_mux_h1::codec::{
    Asked, ChunkDecoder, Limits, Opts, Progress, Status, Step, WriteOpts, encode_chunk_header,
    encode_last_chunk, parse_request, parse_response, write_request, write_response,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

const SMALL: &[u8] =
    b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

const BROWSER: &[u8] = b"GET /en/products/list?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\n\
Connection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"126\", \"Not/A)Brand\";v=\"8\"\r\nsec-ch-ua-mobile: ?0\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\
Referer: https://shop.example.com/en/products\r\n\
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; cart=MTIzNDU2Nzg5MA\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.24.0\r\nDate: Mon, 01 Jun 2026 10:00:00 GMT\r\n\
Content-Type: text/html; charset=utf-8\r\nContent-Length: 12345\r\nConnection: keep-alive\r\n\
Vary: Accept-Encoding\r\nETag: \"65f0-1a2b3c\"\r\nCache-Control: max-age=60\r\n\r\n";

/// Runs `f` in rounds and prints the time of one call in the best of them.
fn bench(name: &str, bytes: usize, mut f: impl FnMut()) {
    const CALLS: u32 = 2_000;
    let best = (0..400).map(|_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| f());
        start.elapsed()
    });
    let best = best.min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e9 / f64::from(CALLS);
    println!("{name:<32} {best:8.1} ns  {:6.2} GB/s", bytes as f64 / best);
}

fn request(name: &str, text: &[u8]) {
    let (lim, mut head) = (Limits::default(), Head::default());
    bench(&format!("parse {name}"), text.len(), || {
        let got = parse_request(black_box(text), &mut Progress::default(), &mut head, &lim, Opts::default());
        assert!(matches!(black_box(got), Ok(Status::Done { .. })));
    });
    let (mut out, opts) = (Vec::new(), WriteOpts::default());
    bench(&format!("write {name}"), text.len(), || {
        out.clear();
        black_box(write_request(black_box(&head), BodyLen::None, &opts, &mut out));
    });
    head.set(b"x-forwarded-for", b"192.0.2.1");
    bench(&format!("write {name}, one field more"), text.len(), || {
        out.clear();
        black_box(write_request(black_box(&head), BodyLen::None, &opts, &mut out));
    });
}

fn response(text: &[u8]) {
    let (lim, mut head) = (Limits::default(), Head::default());
    bench("parse response", text.len(), || {
        let mut p = Progress::default();
        let got = parse_response(black_box(text), &mut p, &mut head, &lim, Opts::default(), Asked::Other);
        assert!(matches!(black_box(got), Ok(Status::Done { .. })));
    });
    let (mut out, opts) = (Vec::new(), WriteOpts::default());
    bench("write response", text.len(), || {
        out.clear();
        black_box(write_response(black_box(&head), BodyLen::Length(12345), false, false, &opts, &mut out));
    });
}

fn chunks(size: usize) {
    let mut text = Vec::new();
    while text.len() < 64 * 1024 {
        encode_chunk_header(size as u64, &mut text);
        text.resize(text.len() + size, b'x');
        text.extend_from_slice(b"\r\n");
    }
    encode_last_chunk(&mut text);
    let (lim, mut trailers) = (Limits::default(), Head::default());
    bench(&format!("decode 64 KiB in chunks of {size}"), text.len(), || {
        let (mut d, mut at) = (ChunkDecoder::default(), 0);
        loop {
            match d.decode(black_box(&text[at..]), &mut trailers, &lim) {
                Ok(Step::Data(r)) => at += r.end,
                other => break assert!(matches!(other, Ok(Step::End { .. }))),
            }
        }
    });
}

fn main() {
    request("small request", SMALL);
    request("browser's request", BROWSER);
    response(RESPONSE);
    chunks(1000);
    chunks(16 * 1024);
}

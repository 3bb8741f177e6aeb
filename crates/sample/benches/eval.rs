//! Cost of conditions, expressions and log lines. Run with `cargo bench -p hawser-sample`.
#![expect(clippy::print_stdout, reason = "a benchmark reports on its output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(clippy::expect_used, reason = "the inputs are fixed")]

use bytes::Bytes;
use hawser_cfg::diag::Diags;
use hawser_cfg::env::formats;
use hawser_cfg::model::Config;
use hawser_cfg::pos::Word;
use hawser_http::{Head, Version};
use hawser_proto::Address;
use hawser_sample::facts::{ProxyFacts, RequestLine, Sess, Strm};
use hawser_sample::{Acls, CompileCx, Cond, Ctx, Expr, Flavor, LogFormat};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Runs `f` in rounds and prints the time of one call in the best of them.
fn bench(name: &str, mut f: impl FnMut()) {
    const CALLS: u32 = 2_000;
    let best = (0..300).map(|_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| f());
        start.elapsed()
    });
    let best = best.min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e9 / f64::from(CALLS);
    println!("{name:<40} {best:8.1} ns");
}

fn words(text: &str) -> Vec<Word> {
    text.split(' ').map(Word::synthetic).collect()
}

/// ACLs as real configurations have them: hosts, paths, networks, a regular expression.
fn declare(cx: &mut CompileCx<'_>) {
    let mut lines: Vec<String> =
        (0..15).map(|i| format!("host_{i} hdr(host) -i app{i}.example.com")).collect();
    lines.extend((0..15).map(|i| format!("path_{i} path_beg /api/v{i}/ /static{i}/")));
    lines.push("internal src 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16".into());
    lines.push("bad_ua hdr_sub(user-agent) -i sqlmap nikto masscan".into());
    lines.push("is_img path_end .png .jpg .gif .css .js".into());
    lines.push("rx path_reg ^/(foo|bar)/[0-9]+$".into());
    for l in lines {
        Acls::declare(cx, &words(&l)).expect("a valid ACL");
    }
}

fn main() {
    let config = Config::default();
    let mut diags = Diags::default();
    let mut cx = CompileCx::new(&config, &mut diags);
    declare(&mut cx);
    let fe = ProxyFacts { name: "fe".into(), http: true, ..ProxyFacts::default() };
    let mut sess = Sess::new(Arc::new(fe), Instant::now(), SystemTime::now());
    sess.src = Address::Ip("127.0.0.1:4000".parse().expect("an address"));
    let line = Bytes::from_static(b"GET / HTTP/1.1");
    let mut strm = Strm {
        server: Some("srv".into()),
        request_line: Some(RequestLine { line, method_len: 3, target_len: 1 }),
        ..Strm::default()
    };
    let now = Some(Instant::now());
    (strm.t.request_end, strm.t.end) = (now, now);
    let mut req = Head::request(b"GET", b"/", Version::H11);
    req.add(b"Host", b"127.0.0.1:8080");
    req.add(b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    req.add(b"Accept", b"*/*");
    let ctx = Ctx { sess: Some(&sess), strm: Some(&strm), req: Some(&req), ..Ctx::EMPTY };

    for c in [
        "if { hdr(host) -i app1.example.com }",
        "if { hdr(host) -i a.com b.com c.com d.com e.com f.com }",
        "if { path_beg /api/v1/ /static1/ }",
        "if { path_beg /a/ /b/ /c/ /d/ /e/ /api/ }",
        "if { src 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 }",
        "if bad_ua",
        "if is_img",
        "if rx !internal",
        "if { method GET }",
        "if { req.hdr(x-none) -m found }",
    ] {
        let cond = Cond::parse(&mut cx, &words(c)).expect("a valid condition");
        bench(c, || {
            black_box(cond.eval(black_box(&ctx)));
        });
    }
    let mut all = vec!["if bad_ua".to_owned(), "if rx !internal".to_owned()];
    all.extend((0..10).map(|i| format!("if path_{i} host_{i}")));
    all.extend((0..15).map(|i| format!("if host_{i}")));
    let conds: Vec<Cond> =
        all.iter().map(|c| Cond::parse(&mut cx, &words(c)).expect("a valid condition")).collect();
    bench("27 conditions of a typical frontend", || {
        black_box(conds.iter().filter(|c| c.eval(black_box(&ctx))).count());
    });
    for e in ["req.hdr(host),lower", "src", "date()", "path,regsub(/+,/,g)", "str(a),sha2(256),hex"] {
        let expr = Expr::parse_str(&mut cx, e).expect("a valid expression");
        bench(e, || {
            black_box(expr.eval(black_box(&ctx)));
        });
    }
    let mut out = Vec::new();
    for (name, text, flavor) in [
        ("format %[src]:%[src_port]", "%[src]:%[src_port]", Flavor::Header),
        ("option httplog", formats::HTTP, Flavor::Log),
        ("option tcplog", formats::TCP, Flavor::Log),
    ] {
        let f = LogFormat::parse(&mut cx, text, flavor).expect("a valid format");
        bench(name, || {
            out.clear();
            f.eval(black_box(&ctx), &mut out);
            black_box(&out);
        });
    }
}

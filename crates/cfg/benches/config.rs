//! Cost of reading a configuration with 16,000 servers. Run with `cargo bench -p hawser-cfg`.
#![expect(clippy::print_stdout, reason = "a benchmark reports on its output")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use hawser_cfg::cond::CondCx;
use hawser_cfg::diag::Diags;
use hawser_cfg::env::Env;
use hawser_cfg::load::{self, LineCx, LineSink, Source};
use hawser_cfg::parse;
use hawser_cfg::pos::Word;
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// 400 backends with 40 servers each.
fn configuration() -> String {
    let mut text = String::from(
        "global\n    maxconn 10000\n\ndefaults\n    mode http\n    timeout client 10s\n    timeout server 10s\n    \
         timeout connect 5s\n\nfrontend fe\n    bind :8080\n    default_backend be0\n",
    );
    for be in 0..400 {
        let _ = write!(
            text,
            "\n# Backend number {be}\nbackend be{be}\n    balance roundrobin\n    \
             http-request set-header X-Backend \"be {be}\" if {{ path_beg /api/v{be} }}\n"
        );
        for srv in 0..40 {
            let _ = writeln!(
                text,
                "    server srv{srv} 10.{}.{}.{srv}:8080 check inter 5s weight {} maxconn 100 cookie srv{srv}",
                be / 256,
                be % 256,
                srv + 1
            );
        }
    }
    text
}

/// Counts what it gets.
#[derive(Default)]
struct Count {
    lines: usize,
    words: usize,
}

impl LineSink for Count {
    fn line(&mut self, _: &mut LineCx<'_>, words: &[Word]) {
        self.lines += 1;
        self.words += words.len();
    }
}

fn best_of(runs: usize, mut f: impl FnMut()) -> Duration {
    let time = |()| {
        let start = Instant::now();
        f();
        start.elapsed()
    };
    std::iter::repeat_n((), runs).map(time).min().unwrap_or_default()
}

fn main() {
    let text = configuration();
    let bytes = text.len();
    let sources = [Source::Text { name: "bench.cfg".into(), data: text.into_bytes() }];
    let mut count = Count::default();
    let lines = best_of(50, || {
        count = Count::default();
        let (mut diags, mut env) = (Diags::default(), Env::empty());
        black_box(load::load(&sources, &CondCx::default(), &mut env, &mut diags, &mut count));
        assert!(!diags.has_alert());
    });
    println!("cut {bytes} bytes, {} lines, {} words: {lines:?}", count.lines, count.words);
    let whole = best_of(10, || {
        black_box(parse::parse(&sources, &CondCx::default(), &mut Env::empty()));
    });
    println!("parse the same into the model: {whole:?}");
}

//! HTTP/2 knobs of `global` (manual 3.2).

use crate::keyword::{Row, Table};
use crate::model::Global;
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kind, Kw, check, flag, int, run, size};
use crate::parse::line::Line;

type G = Global;

const MAX: u32 = i32::MAX as u32;
const WINDOW: (u32, u32) = (0, MAX);
const FRAMES: &str = "a connection yields to the others of its thread by itself";

const fn at_once(name: &'static str, help: &'static str) -> Row<Kw<G>> {
    check(name, Kind::Int(i64::MIN, i64::MAX), help).idle(FRAMES)
}

/// HTTP/2 knobs.
#[rustfmt::skip]
pub(crate) static H2: Table<Kw<G>> = Table::new(&[
    flag("h2-workaround-bogus-websocket-clients", |g| &mut g.h2.no_extended_connect, "Hides RFC 8441 support from clients."),
    int("tune.h2.be.glitches-threshold", (0, MAX), |g| &mut g.h2.be.glitches_threshold, "Glitches of a server connection until it is closed."),
    int("tune.h2.be.initial-window-size", WINDOW, |g| &mut g.h2.be.initial_window_size, "Initial window towards servers."),
    int("tune.h2.be.max-concurrent-streams", (0, MAX), |g| &mut g.h2.be.max_concurrent_streams, "Streams of a server connection."),
    at_once("tune.h2.be.max-frames-at-once", "Frames of a server handled in a row."),
    size("tune.h2.be.rxbuf", |g| &mut g.h2.be.rxbuf, "Receive buffers of a server connection."),
    int("tune.h2.fe.glitches-threshold", (0, MAX), |g| &mut g.h2.fe.glitches_threshold, "Glitches of a client connection until it is closed."),
    int("tune.h2.fe.initial-window-size", WINDOW, |g| &mut g.h2.fe.initial_window_size, "Initial window towards clients."),
    run("tune.h2.fe.max-concurrent-streams", (1, 5), "a positive numeric value.", fe_streams, "Streams of a client connection."),
    at_once("tune.h2.fe.max-frames-at-once", "Frames of a client handled in a row."),
    at_once("tune.h2.fe.max-rst-at-once", "Resets of a client handled in a row."),
    int("tune.h2.fe.max-total-streams", (0, MAX), |g| &mut g.h2.max_total_streams, "Streams after which a client connection is closed."),
    size("tune.h2.fe.rxbuf", |g| &mut g.h2.fe.rxbuf, "Receive buffers of a client connection."),
    int("tune.h2.header-table-size", (4096, 65536), |g| &mut g.h2.header_table_size, "Size of the HPACK table."),
    int("tune.h2.initial-window-size", WINDOW, |g| &mut g.h2.common.initial_window_size, "Initial window."),
    check("tune.h2.log-errors", Kind::OneOf(&["none", "connection", "stream"]), "Which protocol errors are logged.").idle("requests that are refused are logged as any other, and glitches are counted"),
    int("tune.h2.max-concurrent-streams", (0, MAX), |g| &mut g.h2.common.max_concurrent_streams, "Streams of a connection."),
    int("tune.h2.max-frame-size", (16384, 16_777_215), |g| &mut g.h2.max_frame_size, "Largest frame."),
    check("tune.h2.zero-copy-fwd-send", Kind::OnOff, "Sends HTTP/2 data without a copy.").idle("how data is copied is the data path's own choice"),
]);

/// `tune.h2.fe.max-concurrent-streams <number> [rq-load …] [min …]`; the load of a thread moderates nothing here.
fn fe_streams(cx: &mut Ctx<'_>, g: &mut Global, line: &Line<'_>) {
    let word = line.word();
    match line.arg(0).parse::<u32>() {
        Ok(n) if n <= MAX => g.h2.fe.max_concurrent_streams = Some(n),
        _ => {
            cx.alert_arg(line, 0, format!("'{word}' expects a positive numeric value."));
        }
    }
    let mut at = 1;
    while !line.arg(at).is_empty() {
        let value = line.arg(at + 1);
        let positive = value.parse::<u32>().is_ok_and(|n| n > 0);
        match line.arg(at) {
            "rq-load" if !positive && !matches!(value, "auto" | "ignore") => {
                let text =
                    format!("'{word}' expects a strictly positive run-queue length, or 'auto' or 'ignore'.");
                cx.alert_arg(line, at, text);
            }
            "min" if !positive => {
                let text = format!("'{word}' expects a strictly positive minimum number of streams'.");
                cx.alert_arg(line, at, text);
            }
            "rq-load" | "min" => {}
            other => {
                let text = format!(
                    "'{word}' only supports 'rq-load' or 'min' after the numeric value, but found '{other}'."
                );
                cx.alert_arg(line, at, text);
            }
        }
        at += 2;
    }
}

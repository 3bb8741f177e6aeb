//! `tune.h2.*` of one side, with HAProxy's defaults.

use hawser_cfg::model::Global;
use hawser_proto::mux::H2Conf;

/// Streams of one connection when nothing limits them.
const UNLIMITED: u32 = i32::MAX as u32;

/// The settings for clients (`front`), or for servers.
pub(super) fn h2_conf(g: &Global, front: bool) -> H2Conf {
    let h2 = &g.h2;
    let side = if front { &h2.fe } else { &h2.be };
    let bufsize = super::compile::bufsize(g);
    let default = H2Conf::default();
    let streams = side
        .max_concurrent_streams
        .or(h2.common.max_concurrent_streams)
        .map_or(default.max_concurrent_streams, |n| if n == 0 { UNLIMITED } else { n });
    // One buffer for each of the usual number of streams; what is set may not be less than that.
    let least = default.max_concurrent_streams.saturating_mul(bufsize);
    H2Conf {
        header_table_size: h2.header_table_size.unwrap_or(default.header_table_size),
        initial_window_size: side
            .initial_window_size
            .or(h2.common.initial_window_size)
            .unwrap_or(default.initial_window_size),
        max_concurrent_streams: streams,
        max_frame_size: h2.max_frame_size.unwrap_or(default.max_frame_size).min(bufsize.max(16384)),
        glitches_threshold: side.glitches_threshold.unwrap_or(0),
        max_total_streams: if front { h2.max_total_streams.unwrap_or(0) } else { 0 },
        rxbuf: side.rxbuf.unwrap_or(least).max(bufsize),
        extended_connect: front && !h2.no_extended_connect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_fall_back_to_what_both_share() {
        let mut g = Global::default();
        let d = h2_conf(&g, true);
        assert_eq!((d.max_concurrent_streams, d.initial_window_size, d.max_frame_size), (100, 65536, 16384));
        assert_eq!((d.rxbuf, d.max_total_streams, d.glitches_threshold), (1_638_400, 0, 0));
        assert!(d.extended_connect && !h2_conf(&g, false).extended_connect);
        g.h2.common.max_concurrent_streams = Some(7);
        g.h2.be.max_concurrent_streams = Some(3);
        g.h2.common.initial_window_size = Some(100_000);
        g.h2.max_frame_size = Some(1 << 20);
        g.h2.no_extended_connect = true;
        let (fe, be) = (h2_conf(&g, true), h2_conf(&g, false));
        assert_eq!((fe.max_concurrent_streams, be.max_concurrent_streams), (7, 3));
        assert_eq!((fe.initial_window_size, be.initial_window_size), (100_000, 100_000));
        assert_eq!(fe.max_frame_size, 16384, "frames never exceed a buffer");
        assert!(!fe.extended_connect);
        g.h2.fe.max_concurrent_streams = Some(0);
        assert_eq!(h2_conf(&g, true).max_concurrent_streams, UNLIMITED);
    }
}

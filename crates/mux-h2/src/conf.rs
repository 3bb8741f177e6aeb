//! Settings of a connection, from the configuration.

use crate::frames::MAX_WINDOW;
use hawser_proto::mux::{H2Conf, H2Stats, MuxConf};
use std::sync::Arc;

/// Most bytes that wait to be sent on one stream.
const SEND_BUFFER: usize = 64 * 1024;

/// Bytes that a connection may hold for streams that do not take them, where `rxbuf` is not set.
const RXBUF: u32 = 1024 * 1024;

/// What small DATA frames that nobody has taken may add up to, as `h2` counts them: 256 bytes less their payload
/// each (bytes). A frame costs less memory than that. Connections to servers are shared, and servers are trusted.
const TINY_FROM_CLIENTS: usize = 4 << 20;
const TINY_FROM_SERVERS: usize = 64 << 20;

/// Window of a connection before any update.
const FIRST_WINDOW: u32 = 65_535;

/// Streams that a peer may reset before anybody has looked at them.
const RESET_BEFORE_ACCEPT: usize = 100;

/// One side of one proxy.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) h2: H2Conf,
    /// Most fields of a head.
    pub(crate) max_fields: usize,
    /// What connections count.
    pub(crate) stats: Arc<H2Stats>,
    /// Most bytes of a head.
    pub(crate) max_bytes: usize,
    /// `accept-unsafe-violations-in-http-…` of this side.
    pub(crate) relaxed: bool,
}

impl Side {
    pub(crate) fn new(conf: &MuxConf, relaxed: bool) -> Self {
        let mut h2 = conf.h2.clone();
        h2.max_frame_size = h2.max_frame_size.clamp(16_384, (1 << 24) - 1);
        h2.initial_window_size = h2.initial_window_size.min(MAX_WINDOW);
        h2.rxbuf = if h2.rxbuf == 0 { RXBUF } else { h2.rxbuf }.clamp(FIRST_WINDOW, MAX_WINDOW);
        h2.max_concurrent_streams = h2.max_concurrent_streams.max(1);
        let stats = conf.h2_stats.clone();
        Self { h2, stats, max_fields: conf.max_fields, max_bytes: conf.max_bytes, relaxed }
    }

    /// Most bytes of a header list as SETTINGS counts them: 32 more for each field.
    pub(crate) fn header_list(&self) -> u32 {
        let bytes = self.max_bytes.saturating_add(self.max_fields.saturating_mul(32));
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// What is added to the window of a client's stream once it turns out to have a body: a quarter of what the
    /// connection may hold. `h2` counts it from the start, so our SETTINGS say less than `h2` believes
    /// ([`crate::wire`]), and a WINDOW_UPDATE makes up for it.
    pub(crate) fn upload(&self) -> u32 {
        (self.h2.rxbuf / 4).min(MAX_WINDOW - self.h2.initial_window_size)
    }

    /// How connections of clients are set up. Their window stays small until it is needed: many peers expect
    /// nothing between our SETTINGS and our acknowledgement of theirs.
    pub(crate) fn server(&self) -> h2::server::Builder {
        let mut b = h2::server::Builder::new();
        b.max_concurrent_streams(self.h2.max_concurrent_streams)
            .initial_window_size(self.h2.initial_window_size + self.upload())
            .max_frame_size(self.h2.max_frame_size)
            .header_table_size(self.h2.header_table_size)
            .max_header_list_size(self.header_list())
            .max_pending_accept_reset_streams(RESET_BEFORE_ACCEPT)
            .max_send_buffer_size(SEND_BUFFER)
            .data_frame_budget(TINY_FROM_CLIENTS);
        if self.h2.extended_connect {
            b.enable_connect_protocol();
        }
        b
    }

    /// How connections to servers are set up. Pushed responses are not asked for.
    pub(crate) fn client(&self) -> h2::client::Builder {
        let mut b = h2::client::Builder::new();
        b.initial_window_size(self.h2.initial_window_size)
            .max_frame_size(self.h2.max_frame_size)
            .header_table_size(self.h2.header_table_size)
            .max_header_list_size(self.header_list())
            .max_send_buffer_size(SEND_BUFFER)
            .data_frame_budget(TINY_FROM_SERVERS)
            .enable_push(false);
        b
    }
}

//! HTTP/1: bytes to messages and back.
//!
//! [`codec`] is pure; the rest moves its bytes over a transport and offers them to the session layer as streams.

pub mod back;
pub mod codec;
pub mod front;
mod input;
mod output;

use codec::{CaseMap, Limits, Opts};
use hawser_proto::mux::{MuxConf, MuxRow};
use std::sync::Arc;

/// HTTP/1 in the table of muxes.
pub static H1: MuxRow =
    MuxRow { token: "h1", alpn: "http/1.1", front: Some(front::mux), back: Some(back::mux) };

/// What one side of one proxy asks of the codec.
#[derive(Debug)]
struct Side {
    limits: Limits,
    opts: Opts,
    keep_insecure_te: bool,
    h2_upgrade: bool,
    /// Glitches from which a connection is closed, 0 for none.
    glitches: u32,
    case: Option<CaseMap>,
}

impl Side {
    fn new(conf: &MuxConf, relaxed: bool) -> Arc<Self> {
        let mut case = CaseMap::default();
        for (from, to) in &conf.case_adjust {
            // Pairs that make no sense were refused when the configuration was read.
            let _ = case.insert(from.as_bytes(), to.as_bytes());
        }
        Arc::new(Self {
            limits: Limits { max_fields: conf.max_fields, max_bytes: conf.max_bytes },
            opts: Opts { relaxed, payload_with_any_method: conf.payload_with_any_method },
            keep_insecure_te: conf.keep_insecure_te,
            h2_upgrade: conf.h2_upgrade,
            glitches: conf.h1_glitches,
            case: (!conf.case_adjust.is_empty()).then_some(case),
        })
    }
}

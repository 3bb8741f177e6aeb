//! Whether a connection lives on after an exchange.

use super::Info;
use hawser_http::{BodyLen, Head, Version};

/// Does the client want its connection kept after the response?
pub fn client_wants_keepalive(head: &Head, info: &Info) -> bool {
    match head.version() {
        Version::H10 => info.keep_alive && !info.close,
        _ => !info.close,
    }
}

/// Will the server keep its connection after this response?
pub fn server_keeps_alive(head: &Head, info: &Info) -> bool {
    let framed = !matches!(info.body, BodyLen::UntilClose | BodyLen::Tunnel);
    framed && client_wants_keepalive(head, info)
}

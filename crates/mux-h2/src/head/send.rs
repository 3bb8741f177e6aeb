//! What is sent: heads as field blocks. Names become lower case; what speaks about an HTTP/1 connection goes.

use super::is_connection_field;
use crate::carry::digits_of;
use crate::hpack::Sheet;
use hawser_http::{BodyLen, Head, KnownName, chars};
use hawser_proto::mux::MessageInfo;
use std::borrow::Cow;

/// What is to be said of a message's length.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// What the head says.
    Same,
    /// What the head says, if that is nothing.
    Zero,
    Is(u64),
    Unsaid,
}

/// A trailer section.
pub(crate) fn outgoing_trailers(head: &Head) -> Sheet {
    let mut sheet = Sheet::new();
    fields(head, Length::Same, &[], &mut sheet);
    sheet
}

/// The fields of a head, but those that are `left_out`.
fn fields(head: &Head, length: Length, left_out: &[KnownName], sheet: &mut Sheet) {
    let mut due = if let Length::Is(n) = length { Some(n) } else { None };
    for f in head.fields.iter().filter(|f| f.name.len != 0) {
        if is_connection_field(f.known) || left_out.contains(&f.known) {
            continue;
        }
        let value = head.get(f.value);
        match f.known {
            KnownName::Te if !value.eq_ignore_ascii_case(b"trailers") => continue,
            KnownName::ContentLength => match length {
                Length::Same => {}
                Length::Zero if value == b"0" => {}
                Length::Is(_) => {
                    if let Some(n) = due.take() {
                        content_length(n, sheet);
                    }
                    continue;
                }
                Length::Zero | Length::Unsaid => continue,
            },
            _ => {}
        }
        let name = head.get(f.name);
        if f.known != KnownName::Other || chars::is_name(name) {
            sheet.field(f.known, name, &clean(value));
        }
    }
    if let Some(n) = due {
        content_length(n, sheet);
    }
}

fn content_length(n: u64, sheet: &mut Sheet) {
    sheet.field(KnownName::ContentLength, b"content-length", digits_of(n, &mut [0; 20]));
}

/// A value without the controls that HTTP/2 forbids: servers of HTTP/1 send all sorts.
fn clean(text: &[u8]) -> Cow<'_, [u8]> {
    if chars::value_len(text) == text.len() {
        return Cow::Borrowed(text);
    }
    text.iter().map(|&b| if chars::is_value(b) { b } else { b' ' }).collect()
}

/// A response. `body` is what will follow, unless nothing can; `extended` tells that the request asked for an
/// upgrade, which HTTP/2 grants with 200 (RFC 8441 section 5).
pub(crate) fn outgoing_response(head: &Head, body: BodyLen, extended: bool) -> Sheet {
    let length = match body {
        BodyLen::Length(n) => Length::Is(n),
        BodyLen::Chunked | BodyLen::UntilClose | BodyLen::Tunnel => Length::Unsaid,
        // What a HEAD or a 304 response announces is what the GET would have had.
        BodyLen::None => Length::Same,
    };
    let (status, left_out) = match head.status() {
        101 if extended => (200, &[KnownName::SecWebsocketAccept][..]),
        n @ 100..1000 => (n, &[][..]),
        _ => (502, &[][..]),
    };
    let mut sheet = Sheet::new();
    sheet.status(status);
    fields(head, length, left_out, &mut sheet);
    sheet
}

/// A request; `None` if there is no way to write it in HTTP/2.
///
/// A target in absolute form, as most requests of HTTP/2 have it, gives its scheme, and the Host field makes
/// `:authority`. One in origin form stays that: the next proxy's rules and logs see it as it was. There, Host is a field,
/// and the scheme is `http`. An upgrade becomes extended CONNECT, which always names an authority.
pub(crate) fn outgoing_request(head: &Head, info: &MessageInfo) -> Option<Sheet> {
    let host = head.first(KnownName::Host).filter(|h| !h.is_empty());
    let upgrade = head.first(KnownName::Upgrade).filter(|_| info.upgrade);
    let mut sheet = Sheet::new();
    sheet.bodyless = head.method() == b"HEAD";
    let mut left_out = &[KnownName::Host][..];
    if head.method() == b"CONNECT" {
        sheet.method(b"CONNECT");
        sheet.authority(whole(head.target())?);
    } else {
        sheet.method(if upgrade.is_some() { b"CONNECT" } else { whole(head.method())? });
        match (host, scheme(head).or(upgrade.map(|_| &b"https"[..]))) {
            (Some(host), Some(scheme)) => {
                sheet.scheme(whole(scheme)?);
                sheet.authority(whole(host)?);
            }
            _ => {
                sheet.scheme(b"http");
                left_out = &[];
            }
        }
        sheet.path(whole(head.origin_target())?);
    }
    if let Some(p) = upgrade {
        sheet.protocol(whole(p)?);
        left_out = &[KnownName::Host, KnownName::SecWebsocketKey];
    }
    let length = match info.body {
        BodyLen::Length(n) => Length::Is(n),
        BodyLen::None => Length::Zero,
        BodyLen::Chunked | BodyLen::UntilClose | BodyLen::Tunnel => Length::Unsaid,
    };
    fields(head, length, left_out, &mut sheet);
    Some(sheet)
}

/// The text, if it may be the value of a pseudo-header field.
fn whole(text: &[u8]) -> Option<&[u8]> {
    let fine = !text.is_empty() && text.iter().all(|b| *b > b' ' && *b != 0x7f);
    fine.then_some(text)
}

/// Of a target in absolute form.
fn scheme(head: &Head) -> Option<&[u8]> {
    if head.target().first() == Some(&b'/') {
        return None;
    }
    head.target().get(head.target_parts()?.scheme).filter(|s| !s.is_empty())
}

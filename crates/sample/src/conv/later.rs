//! Rows of converters that wait for another part of the program.

use crate::args::ArgType::{PbufFnum, Sint, Str};
use crate::args::{NONE, args};
use crate::row::{Converter, conv_later};
use crate::types::Type;

const TLS: &str = "TLS";
const PROTO: &str = "payload protocols";
const SYN: &str = "saved SYN packets";

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[Converter] = &[
    conv_later("aes_cbc_dec", args(3, &[Sint, Str, Str, Str]), Type::Bin, Type::Bin, TLS),
    conv_later("aes_cbc_enc", args(3, &[Sint, Str, Str, Str]), Type::Bin, Type::Bin, TLS),
    conv_later("aes_gcm_dec", args(4, &[Sint, Str, Str, Str, Str]), Type::Bin, Type::Bin, TLS),
    conv_later("aes_gcm_enc", args(4, &[Sint, Str, Str, Str, Str]), Type::Bin, Type::Bin, TLS),
    conv_later("fix_is_valid", NONE, Type::Bin, Type::Bool, PROTO),
    conv_later("fix_tag_value", args(1, &[Str]), Type::Bin, Type::Bin, PROTO),
    conv_later("jwt_decrypt_cert", args(1, &[Str]), Type::Bin, Type::Bin, TLS),
    conv_later("jwt_decrypt_jwk", args(1, &[Str]), Type::Bin, Type::Bin, TLS),
    conv_later("jwt_decrypt_secret", args(1, &[Str]), Type::Bin, Type::Bin, TLS),
    conv_later("jwt_header_query", args(0, &[Str, Str]), Type::Bin, Type::Any, TLS),
    conv_later("jwt_payload_query", args(0, &[Str, Str]), Type::Bin, Type::Any, TLS),
    conv_later("jwt_verify", args(2, &[Str, Str]), Type::Bin, Type::Sint, TLS),
    conv_later("jwt_verify_cert", args(2, &[Str, Str]), Type::Bin, Type::Sint, TLS),
    conv_later("mqtt_field_value", args(2, &[Str, Str]), Type::Bin, Type::Str, PROTO),
    conv_later("mqtt_is_valid", NONE, Type::Bin, Type::Bool, PROTO),
    conv_later("x509_v_err_str", NONE, Type::Sint, Type::Str, TLS),
    conv_later("eth.data", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("eth.dst", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("eth.hdr", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("eth.proto", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("eth.src", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("eth.vlan", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("ip.data", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("ip.df", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("ip.dst", NONE, Type::Bin, Type::Addr, SYN),
    conv_later("ip.fp", args(0, &[Sint]), Type::Bin, Type::Bin, SYN),
    conv_later("ip.hdr", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("ip.proto", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("ip.src", NONE, Type::Bin, Type::Addr, SYN),
    conv_later("ip.tos", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("ip.ttl", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("ip.ver", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("protobuf", args(1, &[PbufFnum, Str]), Type::Bin, Type::Bin, PROTO),
    conv_later("tcp.dst", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.flags", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options.mss", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options.sack", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options.tsopt", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options.tsval", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options.wscale", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options.wsopt", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.options_list", NONE, Type::Bin, Type::Bin, SYN),
    conv_later("tcp.seq", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.src", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("tcp.win", NONE, Type::Bin, Type::Sint, SYN),
    conv_later("ungrpc", args(1, &[PbufFnum, Str]), Type::Bin, Type::Bin, PROTO),
];

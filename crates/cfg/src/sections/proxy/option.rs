//! `option …`: the yes/no options, and those that have arguments (manual 4.2).

use crate::diag::Layout;
use crate::model::{CheckKind, ConnMode, ForwardFor, LogFormatDecl, Proxy, opt};
use crate::parse::ctx::Ctx;
use crate::parse::kw::Scope;
use crate::parse::line::{Line, Prefix};
use crate::parse::run as dispatch;
use std::net::IpAddr;

/// What an option with arguments runs.
pub(crate) type Run = fn(&mut Ctx<'_>, &mut Proxy, &Line<'_>);

/// The payload of an option row.
#[derive(Debug)]
pub(crate) struct Opt {
    /// The side that it acts on.
    pub(crate) scope: Scope,
    /// Its bit in [`opt`], or 0.
    pub(crate) bit: u64,
    /// It needs `mode http`.
    pub(crate) http: bool,
    /// Its parser, when it is more than a bit.
    pub(crate) run: Option<Run>,
    /// `no` may stand in front of it.
    pub(crate) negatable: bool,
}

impl Opt {
    /// Whether it makes a difference to a proxy of that kind.
    pub(crate) fn acts_on(&self, kind: crate::model::ProxyKind) -> bool {
        self.scope.has(Scope::FE) && kind.is_fe() || self.scope.has(Scope::BE) && kind.is_be()
    }
}

/// `option <name> …`.
pub(crate) fn parse(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let inner = line.deeper();
    if line.len() == 0 {
        cx.alert(line, "'option' expects an option name.").layout = Layout::Tight;
        return;
    }
    let name = inner.word();
    let options = &crate::sections::registry().option;
    let row = options.get(name);
    let negatable = row.is_some_and(|r| r.x.negatable);
    if inner.prefix != Prefix::None && !negatable {
        let text = format!("negation/default is not supported for option '{name}'.");
        cx.alert(&inner, text).layout = Layout::Tight;
        return;
    }
    let Some(row) = row else {
        cx.alert(&inner, format!("unknown option '{name}'"));
        cx.suggest(name, options.names());
        cx.full_stop("");
        return;
    };
    if !dispatch::available(cx, &row.meta, &inner) {
        return;
    }
    if row.x.run.is_none() && !cx.at_most(&inner, 0) {
        return;
    }
    let lacks = match (row.x.scope.has(Scope::FE), row.x.scope.has(Scope::BE)) {
        (true, false) if !cx.st.kind.is_fe() => Some("frontend"),
        (false, true) if !cx.st.kind.is_be() => Some("backend"),
        _ => None,
    };
    if let Some(side) = lacks {
        let text = format!("'{name}' ignored because {} has no {side} capability.", cx.proxy_name());
        cx.warn(&inner, text);
    }
    match row.x.run {
        Some(f) => f(cx, p, &inner),
        None if lacks.is_some() => {}
        None => set_bits(p, &inner, row.x.bit),
    }
}

fn set_bits(p: &mut Proxy, line: &Line<'_>, bits: u64) {
    match line.prefix {
        Prefix::None => {
            p.options.set |= bits;
            p.options.clear &= !bits;
        }
        Prefix::No => {
            p.options.set &= !bits;
            p.options.clear |= bits;
        }
        Prefix::Default => {
            p.options.set &= !bits;
            p.options.clear &= !bits;
        }
    }
}

/// An option that is accepted with any arguments.
pub(crate) fn nothing(_: &mut Ctx<'_>, _: &mut Proxy, _: &Line<'_>) {}

pub(crate) fn transparent(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if cx.at_most(line, 0) {
        if line.prefix == Prefix::None {
            deprecated_transparent(cx, line, "option 'transparent'");
        }
        set_bits(p, line, opt::TRANSPARENT);
    }
}

/// Warns that `transparent` will be removed.
pub(crate) fn deprecated_transparent(cx: &mut Ctx<'_>, line: &Line<'_>, what: &str) {
    if cx.st.deprecated {
        return;
    }
    let text = format!(
        "{what} is deprecated in 3.3 and will be removed in 3.5. The modern way to do the same is to create a server \
         with address 0.0.0.0. It is still possible to silence this warning by setting \
         'expose-deprecated-directives' in the 'global' section, but do not wait to fix your configuration!"
    );
    cx.warn(line, text).layout = Layout::Tight;
}

pub(crate) fn conn_mode(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.prefix == Prefix::Default {
        let text = format!("negation/default is not supported for option '{}'.", line.word());
        cx.alert(line, text).layout = Layout::Tight;
        return;
    }
    if !cx.at_most(line, 0) {
        return;
    }
    let mode = match line.word() {
        "httpclose" => ConnMode::Close,
        "http-server-close" => ConnMode::ServerClose,
        _ => ConnMode::KeepAlive,
    };
    if line.prefix == Prefix::None {
        p.conn_mode = mode;
    } else if p.conn_mode == mode {
        p.conn_mode = ConnMode::KeepAlive;
    }
}

pub(crate) fn restrict_names(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let expects = "option 'http-restrict-req-hdr-names' expects 'preserve', 'reject' or 'delete' option.";
    match line.arg(0) {
        "preserve" | "reject" | "delete" => p.restrict_req_hdr_names = Some(line.owned(0)),
        "" => {
            cx.alert(line, format!("missing parameter. {expects}")).layout = Layout::Tight;
        }
        other => {
            cx.alert_arg(line, 0, format!("invalid parameter '{other}'. {expects}")).layout = Layout::Tight;
        }
    }
}

pub(crate) fn tcpka(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if cx.at_most(line, 0) {
        if cx.st.kind.is_fe() {
            set_bits(p, line, opt::CLITCPKA);
        }
        if cx.st.kind.is_be() {
            set_bits(p, line, opt::SRVTCPKA);
        }
    }
}

pub(crate) fn redispatch(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.prefix != Prefix::None {
        p.redispatch = 0;
        return;
    }
    p.redispatch = match line.arg(0) {
        "" => -1,
        n => match cx.loose(line, 0) {
            Some(n) => n,
            None => {
                let text = format!("invalid number of retries '{n}' for option 'redispatch'.");
                cx.alert_arg(line, 0, text);
                return;
            }
        },
    };
}

pub(crate) fn forwardfor(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if let Some(f) = forward(cx, line, "'except', 'header' and 'if-none'", true) {
        p.forwardfor = Some(f);
    }
}

pub(crate) fn originalto(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if let Some(f) = forward(cx, line, "'except' and 'header'", false) {
        p.originalto = Some(f);
    }
}

fn forward(cx: &mut Ctx<'_>, line: &Line<'_>, supported: &str, if_none: bool) -> Option<ForwardFor> {
    let name = line.word();
    let mut f = ForwardFor::default();
    let mut i = 0;
    while i < line.len() {
        match line.arg(i) {
            "except" => {
                let Some(net) = network(line.arg(i + 1)) else {
                    let text = format!("'option {name} except' expects <address>[/mask] as argument.");
                    cx.alert_arg(line, i + 1, text);
                    return None;
                };
                f.except.push(net);
                i += 2;
            }
            "header" => {
                if line.arg(i + 1).is_empty() {
                    cx.alert_arg(
                        line,
                        i,
                        format!("'option {name} header' expects <header_name> as argument."),
                    );
                    return None;
                }
                f.header = Some(line.arg(i + 1).to_owned());
                i += 2;
            }
            "if-none" if if_none => {
                f.if_none = true;
                i += 1;
            }
            _ => {
                cx.alert_arg(line, i, format!("'option {name}' only supports optional values: {supported}."));
                return None;
            }
        }
    }
    Some(f)
}

/// `address`, `address/bits` or `address/mask`.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (addr, mask) = text.split_once('/').map_or((text, None), |(a, m)| (a, Some(m)));
    let addr: IpAddr = addr.parse().ok()?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    let bits = match mask {
        None => most,
        Some(m) => match m.parse::<u8>() {
            Ok(bits) => bits,
            Err(_) => {
                let mask = u32::from(m.parse::<std::net::Ipv4Addr>().ok()?);
                let ones = mask.leading_ones();
                if !addr.is_ipv4() || mask.count_ones() != ones {
                    return None;
                }
                u8::try_from(ones).ok()?
            }
        },
    };
    (bits <= most).then_some((addr, bits))
}

pub(crate) fn log_format(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let name = line.word();
    let clf = line.arg(0) == "clf";
    if name != "httpslog" {
        if !clf && line.len() > 0 {
            cx.alert_arg(line, 0, format!("keyword '{name}' only supports option 'clf'."));
            return;
        }
        if !cx.at_most(line, 1) {
            return;
        }
    }
    if !cx.st.kind.is_fe() {
        let text = format!("{} : 'option {name}' directive is ignored in backends.", cx.proxy_name());
        cx.warn(line, text);
        return;
    }
    p.log_format_pos = line.pos;
    p.log_format = Some(match name {
        "tcplog" => LogFormatDecl::Tcp { clf },
        "httplog" => LogFormatDecl::Http { clf },
        _ => LogFormatDecl::Https,
    });
}

pub(crate) fn httpchk(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if line.arg(2).contains(['\r', '\n']) {
        let text = "'option httpchk' : hiding headers or body at the end of the version string is unsupported. Use \
                    'http-check send' directive instead.";
        cx.alert_arg(line, 2, text);
    } else if cx.at_most(line, 4) && cx.st.kind.is_be() {
        super::rules::own_checks(cx, p);
        p.check_kind = CheckKind::Http(line.owned_vec(0));
    }
}

pub(crate) fn tcp_check(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if cx.at_most(line, 0) && cx.st.kind.is_be() {
        super::rules::own_checks(cx, p);
        p.check_kind = CheckKind::TcpRules;
    }
}

pub(crate) fn accept_invalid(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if !cx.at_most(line, 0) {
        return;
    }
    let (side, bit) = match line.word() {
        "accept-invalid-http-request" => ("request", opt::UNSAFE_REQUEST),
        _ => ("response", opt::UNSAFE_RESPONSE),
    };
    // On the wrong side it was ignored, with a warning.
    if line.word() == "accept-invalid-http-response" && !cx.st.kind.is_be() {
        return;
    }
    let text = format!(
        "option 'accept-invalid-http-{side}' is deprecated. please use \
         'option accept-unsafe-violations-in-http-{side}' if absolutely needed."
    );
    cx.warn(line, text).layout = Layout::Tight;
    set_bits(p, line, bit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let v4 = |s: &str| s.parse::<IpAddr>().unwrap();
        let cases = [
            ("127.0.0.1", Some((v4("127.0.0.1"), 32))),
            ("10.0.0.0/8", Some((v4("10.0.0.0"), 8))),
            ("10.0.0.0/255.255.0.0", Some((v4("10.0.0.0"), 16))),
            ("fd00::/8", Some((v4("fd00::"), 8))),
            ("::1", Some((v4("::1"), 128))),
            ("10.0.0.0/33", None),
            ("10.0.0.0/255.0.255.0", None),
            ("x", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(network(text), want, "{text}");
        }
    }
}

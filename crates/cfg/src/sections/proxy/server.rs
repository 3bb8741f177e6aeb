//! `server`, `default-server` and `server-template` lines (manual 4.2 and 5.2).

use crate::addr::{self, AddrUse};
use crate::diag::Layout;
use crate::model::{Addr, AddrKind, Proxy, Server, ServerOpts};
use crate::parse::ctx::{Ctx, SectKind};
use crate::parse::line::Line;
use crate::parse::options::{self, Intro};

/// `server <name> <address> [options]`.
pub(crate) fn server(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if !allowed(cx, line) {
        return;
    }
    if line.len() < 2 {
        bare(cx, line, line.len(), "'server' expects <name> and <addr>[:<port>] as arguments.");
        return;
    }
    let name = line.arg(0);
    if let Some(c) = super::bad_name_char(name) {
        bare(cx, line, 0, format!("character '{c}' is not permitted in server name '{name}'."));
        return;
    }
    let addr = address(cx, line, 1, name);
    let mut opts = cx.st.default_server.clone();
    parse_options(cx, &mut opts, line, 3, name);
    if let Some(addr) = addr {
        p.servers.push(Server { pos: line.pos, name: name.into(), addr, opts });
    }
}

/// `default-server [options]`.
pub(crate) fn default_server(cx: &mut Ctx<'_>, _: &mut Proxy, line: &Line<'_>) {
    if !cx.st.kind.is_be() {
        allowed(cx, line);
        return;
    }
    let mut opts = std::mem::take(&mut cx.st.default_server);
    "default-server".clone_into(&mut cx.st.server);
    let intro = Intro {
        text: &String::new,
        layout: Layout::Located,
        hint: " Hint: no address was expected for this server.",
    };
    let index = &super::super::registry().server;
    options::walk(cx, index, &mut opts, line.pos, line.words(), 1, &intro);
    // Servers without such a line start with health 0.
    if opts.init_state.is_none() {
        opts.rare_mut().init_state = Some("up".into());
    }
    cx.st.default_server = opts;
}

/// `server-template <prefix> <number | range> <address> [options]`.
pub(crate) fn server_template(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if !allowed(cx, line) {
        return;
    }
    if line.len() < 3 {
        let text = "'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments.";
        bare(cx, line, line.len(), text);
        return;
    }
    let (prefix, count) = (line.arg(0), line.arg(1));
    let Some((low, high)) = range(count) else {
        bare(cx, line, 1, format!("Wrong server-template number or range arg '{count}'."));
        return;
    };
    if let Some(c) = super::bad_name_char(prefix) {
        bare(cx, line, 0, format!("character '{c}' is not permitted in server name '{prefix}'."));
        return;
    }
    let addr = address(cx, line, 2, prefix);
    let mut opts = cx.st.default_server.clone();
    parse_options(cx, &mut opts, line, 4, prefix);
    let Some(addr) = addr else { return };
    let id = opts.id;
    for n in low..=high {
        let mut opts = opts.clone();
        // A fixed number is that of the first server; the others follow.
        opts.id = id.map(|id| id + (n - low));
        p.servers.push(Server {
            pos: line.pos,
            name: format!("{prefix}{n}").into(),
            addr: addr.clone(),
            opts,
        });
    }
}

/// Most servers of one template.
const MOST: u32 = 100_000;

fn range(text: &str) -> Option<(u32, u32)> {
    let (low, high) = match text.split_once('-') {
        Some((low, high)) => (low.parse().ok()?, high.parse().ok()?),
        None => (1, text.parse().ok()?),
    };
    (low >= 1 && low <= high && high - low < MOST).then_some((low, high))
}

/// Whether servers may be declared in this section.
fn allowed(cx: &mut Ctx<'_>, line: &Line<'_>) -> bool {
    let text = match cx.st.kind {
        SectKind::Defaults(_) => format!("'{}' not allowed in 'defaults' section.", line.word()),
        k if !k.is_be() => {
            format!("'{}' not allowed because {} has no backend capability.", line.word(), cx.proxy_name())
        }
        _ => return true,
    };
    let d = cx.alert(line, text);
    d.layout = Layout::Located;
    false
}

fn bare(cx: &mut Ctx<'_>, line: &Line<'_>, arg: usize, text: impl Into<String>) {
    cx.alert_arg(line, arg, text).layout = Layout::Located;
}

fn address(cx: &mut Ctx<'_>, line: &Line<'_>, arg: usize, name: &str) -> Option<Addr> {
    match addr::parse(&cx.address(line.arg(arg)), AddrUse::Server) {
        Ok(addr) => {
            if matches!(addr.kind, AddrKind::Quic(_)) {
                let text = format!(
                    "'server {}/{name}' : QUIC is not supported by Hawser yet (area: QUIC).",
                    cx.st.name
                );
                bare(cx, line, arg, text);
            }
            if matches!(addr.kind, AddrKind::Rhttp(_))
                && let Err(why) = cx.experimental_address(line.arg(arg))
            {
                bare(cx, line, arg, format!("'{} {}/{name}' : {why}", line.word(), cx.st.name));
            }
            Some(addr)
        }
        Err(why) => {
            let text = format!("'{} {}/{name}' : {why}.", line.word(), cx.st.name);
            bare(cx, line, arg, text);
            None
        }
    }
}

fn parse_options(cx: &mut Ctx<'_>, opts: &mut ServerOpts, line: &Line<'_>, at: usize, name: &str) {
    let proxy = cx.st.name.clone();
    let word = line.word();
    name.clone_into(&mut cx.st.server);
    let intro = Intro { text: &|| format!("'{word} {proxy}/{name}'"), layout: Layout::Located, hint: "" };
    let index = &super::super::registry().server;
    options::walk(cx, index, opts, line.pos, line.words(), at, &intro);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_ranges() {
        let cases = [
            ("3", Some((1, 3))),
            ("2-4", Some((2, 4))),
            ("0", None),
            ("4-2", None),
            ("x", None),
            ("", None),
            ("1-200000", None),
        ];
        for (text, want) in cases {
            assert_eq!(range(text), want, "{text}");
        }
    }
}

//! What a request adds to how its server is reached: a source address, a PROXY header. Connections may be shared
//! only by requests for which it is the same.

use crate::client::Client;
use crate::snapshot::{Announce, Dial, FromClient};
use crate::stream::{Stream, with_ctx};
use hawser_http::Start;
use hawser_proto::netns::Netns;
use hawser_proto::{Address, ConnectTo, Connecting, pp};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What depends on the request.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Extras {
    src: Option<Address>,
    header: Option<Vec<u8>>,
    namespace: Option<Arc<Netns>>,
}

impl Extras {
    /// Costs nothing for servers that want neither.
    pub(crate) fn of(cl: &Client, st: &mut Stream, dial: &Dial) -> Self {
        let src = dial.source.as_ref().and_then(|from| source(cl, st, from));
        let header = dial.announce.as_ref().map(|a| announcement(cl, st, a));
        let namespace = dial.client_namespace.then(|| client_namespace(cl)).flatten();
        Self { src, header, namespace }
    }

    /// Whether there is nothing.
    pub(crate) fn is_none(&self) -> bool {
        self.src.is_none() && self.header.is_none() && self.namespace.is_none()
    }

    /// Connects.
    ///
    /// # Errors
    /// Failures that need no waiting.
    pub(crate) fn dial(&self, mut to: ConnectTo) -> io::Result<Box<dyn Connecting>> {
        if let Some(src) = &self.src {
            to.src = Some(src.clone());
            to.src_ports = None;
        }
        to.namespace = self.namespace.clone().or(to.namespace);
        hawser_proto::dial(&to, self.header.clone())
    }
}

/// The network namespace that the client's PROXY header names, if the configuration does too.
fn client_namespace(cl: &Client) -> Option<Arc<Netns>> {
    cl.snapshot.namespaces.get(cl.sess.borrow().pp_tlvs()?.get(pp::NETNS)?).cloned()
}

/// Where the client is, or what rules made of that.
fn client(cl: &Client, st: &Stream) -> Address {
    st.strm.src.clone().unwrap_or_else(|| cl.sess.borrow().src.clone())
}

/// `usesrc client`, `clientip` and `hdr_ip`.
fn source(cl: &Client, st: &Stream, from: &FromClient) -> Option<Address> {
    let ip = match from {
        FromClient::Client => return Some(client(cl, st)).filter(|a| a.ip().is_some()),
        FromClient::Ip => client(cl, st).ip()?,
        FromClient::Header(_, _) if st.req.start == Start::Trailers => return None,
        FromClient::Header(name, occ) => occurrence(st, name, *occ)?,
    };
    Some(Address::Ip(SocketAddr::new(ip, 0)))
}

/// An address in a list of them that spans all fields of a name.
fn occurrence(st: &Stream, name: &[u8], occ: i32) -> Option<IpAddr> {
    let values = st.req.values(name).flat_map(|v| v.split(|b| *b == b','));
    let values: Vec<&[u8]> = values.map(<[u8]>::trim_ascii).filter(|v| !v.is_empty()).collect();
    let n = usize::try_from(occ.unsigned_abs()).ok()?;
    let at = if occ > 0 { n.checked_sub(1)? } else { values.len().checked_sub(n)? };
    std::str::from_utf8(values.get(at)?).ok()?.parse().ok()
}

fn announcement(cl: &Client, st: &mut Stream, a: &Announce) -> Vec<u8> {
    if a.v2 && a.options.unique_id {
        make_unique_id(cl, st);
    }
    let src = client(cl, st);
    let dst = st.strm.dst.clone().unwrap_or_else(|| cl.sess.borrow().dst.clone());
    let ends = Some((&src, &dst));
    if !a.v2 {
        return pp::v1(ends);
    }
    let values: Vec<(u8, Vec<u8>)> = with_ctx(cl, st, false, |ctx| {
        let value = |f: &hawser_sample::LogFormat| {
            let mut out = Vec::new();
            f.eval(ctx, &mut out);
            out
        };
        a.tlvs.iter().map(|(kind, f)| (*kind, f.as_ref().map(value).unwrap_or_default())).collect()
    });
    let received = cl.sess.borrow().pp_tlvs().cloned();
    let mut tlvs: Vec<(u8, &[u8])> = values.iter().map(|(kind, v)| (*kind, v.as_slice())).collect();
    if a.options.authority {
        tlvs.extend(received.as_ref().and_then(|t| t.get(pp::AUTHORITY)).map(|v| (pp::AUTHORITY, v)));
    }
    if a.options.unique_id {
        tlvs.extend(st.strm.unique_id.as_deref().map(|v| (pp::UNIQUE_ID, v)));
    }
    let namespace = client_namespace(cl);
    tlvs.extend(namespace.as_ref().map(|ns| (pp::NETNS, ns.name().as_bytes())));
    pp::v2(ends, &tlvs, a.options.crc32c)
}

/// In TCP mode nothing needed it so far.
fn make_unique_id(cl: &Client, st: &mut Stream) {
    let Some(format) = cl.fe.front.as_ref().and_then(|f| f.unique_id.as_ref()) else { return };
    if st.strm.unique_id.is_none() {
        let mut id = Vec::new();
        with_ctx(cl, st, false, |ctx| format.eval(ctx, &mut id));
        st.strm.unique_id = Some(id.into());
    }
}

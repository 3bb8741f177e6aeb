//! What a connection to a server is, beyond leading to that server.

use crate::client::Client;
use crate::dial::Extras;
use crate::snapshot::Dial;
use crate::stream::{Stream, with_ctx};
use hawser_balance::Server;
use hawser_proto::{Address, Connecting};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::LazyLock;

/// The name that a request's connection must have (`pool-conn-name`).
pub(crate) fn conn_name(cl: &Client, st: &Stream, dial: &Dial) -> Option<Box<[u8]>> {
    let expr = dial.name.as_ref()?;
    with_ctx(cl, st, false, |ctx| expr.eval(ctx).map(|v| Box::from(&*v.into_str())))
}

/// Where to connect, and what sets the connection apart from others to the same server.
pub(crate) struct Target {
    pub(crate) addr: Address,
    /// Requests may share connections where this is equal; 0 where the request has no influence on it.
    pub(crate) hash: u64,
    /// Its source address and its PROXY header, where the request determines them.
    extras: Extras,
}

/// The hash's key: what clients send goes into it.
static HASH_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Target {
    /// For a stream's request.
    pub(crate) fn of(cl: &Client, st: &mut Stream, dial: &Dial, server: &Server) -> Self {
        let extras = Extras::of(cl, st, dial);
        let conf = server.addr.load();
        let sess = cl.sess.borrow();
        let asked = st.strm.dst.as_ref().unwrap_or(&sess.dst);
        let mut addr = conf.target(asked.port());
        // Connections to where the server was are not for those who are to go where it is now.
        let mut from_client = conf.port_missing || conf.port_offset.is_some() || server.has_moved();
        if let (Address::Ip(a), Some(dst)) = (&mut addr, asked.ip())
            && a.ip().is_unspecified()
        {
            // A server without address is a transparent one.
            a.set_ip(dst);
            from_client = true;
        }
        let hash = Self::hash(
            (st.asks.bc_mark, st.asks.bc_tos),
            from_client.then_some(&addr),
            conn_name(cl, st, dial),
            &extras,
        );
        Self { addr, hash, extras }
    }

    /// Starts a connection.
    ///
    /// # Errors
    /// Failures that need no waiting.
    pub(crate) fn connect(&self, st: &Stream, dial: &Dial) -> io::Result<Box<dyn Connecting>> {
        let mut to = dial.to.clone();
        to.dst = self.addr.clone();
        to.mark = st.asks.bc_mark.or(to.mark);
        to.tos = st.asks.bc_tos.or(to.tos);
        self.extras.dial(to)
    }

    /// The hash of a connection of that name which nothing else sets apart.
    pub(crate) fn hash_of_name(name: Option<&[u8]>) -> u64 {
        Self::hash((None, None), None, name.map(Into::into), &Extras::default())
    }

    /// `addr` is the address where it depends on the client's.
    fn hash(
        options: (Option<u32>, Option<u8>),
        addr: Option<&Address>,
        name: Option<Box<[u8]>>,
        extras: &Extras,
    ) -> u64 {
        if options == (None, None) && addr.is_none() && name.is_none() && extras.is_none() {
            return 0;
        }
        HASH_KEY.hash_one((options, addr, name, extras))
    }
}

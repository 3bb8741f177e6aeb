//! Mock origins: a thread per connection, full control over the bytes.

use crate::net::free_port;
use crate::wire::{read_head, read_request_body};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What arrived at an [`Origin::http`].
#[derive(Debug, Clone)]
pub struct Request {
    /// Start line and fields, as received, with their line ends.
    pub head: String,
    /// The body, chunks joined.
    pub body: Vec<u8>,
    /// Which connection of this origin it came on, from 0.
    pub conn: usize,
}

impl Request {
    /// First value of a field, whatever its case.
    pub fn field(&self, name: &str) -> Option<&str> {
        crate::wire::field(&self.head, name)
    }

    /// The request line.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

/// A listening mock server.
pub struct Origin {
    addr: SocketAddr,
    stop: Arc<AtomicBool>,
    conns: Arc<AtomicUsize>,
}

impl Origin {
    /// Each connection is handled by `f(stream, connection number)`.
    pub fn raw(f: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        // Nobody gets this port later, so that what still looks for this server finds no other one.
        Self::raw_on(free_port(), f)
    }

    /// The same on a port that the caller chose.
    pub fn raw_on(port: u16, f: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let l = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let addr = l.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let conns = Arc::new(AtomicUsize::new(0));
        let (s, c, f) = (stop.clone(), conns.clone(), Arc::new(f));
        std::thread::spawn(move || {
            for conn in l.incoming().flatten() {
                if s.load(Ordering::Relaxed) {
                    return;
                }
                let n = c.fetch_add(1, Ordering::Relaxed);
                let f = f.clone();
                std::thread::spawn(move || f(conn, n));
            }
        });
        Self { addr, stop, conns }
    }

    /// A keep-alive HTTP/1 server: `f` returns the raw response for each request. A response that contains
    /// `Connection: close` ends the connection.
    pub fn http(f: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::raw(move |s, n| {
            let _ = serve(s, n, &f);
        })
    }

    /// A server that answers 200 with that body and names itself in `X-Origin`.
    pub fn fixed(name: &'static str, body: &'static str) -> Self {
        Self::http(move |_| {
            format!("HTTP/1.1 200 OK\r\nX-Origin: {name}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                .into_bytes()
        })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.conns.load(Ordering::Relaxed)
    }
}

fn serve(s: TcpStream, conn: usize, f: &impl Fn(&Request) -> Vec<u8>) -> io::Result<()> {
    s.set_nodelay(true)?;
    let mut r = BufReader::new(s.try_clone()?);
    let mut w = s;
    loop {
        let head = read_head(&mut r)?;
        if head.is_empty() {
            return Ok(());
        }
        let body = read_request_body(&head, &mut r)?;
        let resp = f(&Request { head, body, conn });
        w.write_all(&resp)?;
        let text = String::from_utf8_lossy(&resp[..resp.len().min(4096)]).to_ascii_lowercase();
        if text.contains("connection: close") {
            return Ok(());
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the accept loop, which then lets go of the port.
        let _ = TcpStream::connect(self.addr);
    }
}

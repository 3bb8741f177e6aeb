//! Raw HTTP/1 clients: what was sent is what is on the wire.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a peer may take to do what it has to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A parsed response.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// Status code; 0 when the connection was closed without an answer.
    pub status: u16,
    /// Status line and fields as received.
    pub head: String,
    /// The body, chunks joined.
    pub body: Vec<u8>,
    /// Trailers as received.
    pub trailers: String,
    /// The body ended where its framing said it would.
    pub complete: bool,
}

impl Response {
    /// First value of a field, whatever its case.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// First value of a field in a raw head.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|l| {
        let (n, v) = l.split_once(':')?;
        n.eq_ignore_ascii_case(name).then(|| v.trim())
    })
}

/// A client connection.
pub struct Client {
    w: TcpStream,
    r: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a local port; reads time out after 30 s.
    pub fn connect(port: u16) -> Self {
        Self::on(TcpStream::connect(("127.0.0.1", port)).unwrap())
    }

    fn on(w: TcpStream) -> Self {
        w.set_nodelay(true).unwrap();
        w.set_read_timeout(Some(PATIENCE)).unwrap();
        w.set_write_timeout(Some(PATIENCE)).unwrap();
        let r = BufReader::new(w.try_clone().unwrap());
        Self { w, r }
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        &self.w
    }

    /// Sends bytes as they are; a peer that has closed is no failure.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.w.write_all(bytes.as_ref());
        self
    }

    /// Shuts down the sending direction.
    pub fn finish(&mut self) -> &mut Self {
        let _ = self.w.shutdown(std::net::Shutdown::Write);
        self
    }

    /// Reads one response to a request with this method. Interim responses are returned too.
    pub fn recv_for(&mut self, method: &str) -> Response {
        read_response(&mut self.r, method).unwrap_or_default()
    }

    /// Reads one response to a GET.
    pub fn recv(&mut self) -> Response {
        self.recv_for("GET")
    }

    /// Sends and reads one response.
    pub fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Response {
        self.send(bytes).recv()
    }

    /// Everything until the peer closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut v = Vec::new();
        let _ = self.r.read_to_end(&mut v);
        v
    }

    /// Reads exactly `n` bytes; fewer when the peer closes first.
    pub fn take(&mut self, n: usize) -> Vec<u8> {
        let mut v = vec![0; n];
        let mut got = 0;
        while got < n {
            match self.r.read(&mut v[got..]) {
                Ok(k) if k > 0 => got += k,
                _ => break,
            }
        }
        v.truncate(got);
        v
    }

    /// Whether neither bytes nor an end come for so long (ms).
    pub fn silent_for(&mut self, ms: u64) -> bool {
        self.w.set_read_timeout(Some(Duration::from_millis(ms.max(1)))).unwrap();
        let r = self.r.fill_buf().map(<[u8]>::len);
        self.w.set_read_timeout(Some(PATIENCE)).unwrap();
        r.is_err_and(|e| matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }

    /// Whether the peer has closed: the next read says end of stream or reset (waits up to `ms`).
    pub fn closed_within(&mut self, ms: u64) -> bool {
        self.w.set_read_timeout(Some(Duration::from_millis(ms.max(1)))).unwrap();
        let mut b = [0];
        let r = match self.r.read(&mut b) {
            Ok(0) => true,
            Ok(_) => false,
            Err(e) => !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        };
        self.w.set_read_timeout(Some(PATIENCE)).unwrap();
        r
    }
}

/// One request on a connection of its own; where that is refused, there is no answer either.
pub fn get(port: u16, path: &str) -> Response {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    match TcpStream::connect(("127.0.0.1", port)) {
        Ok(s) => Client::on(s).ask(head),
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => Response::default(),
        Err(e) => panic!("port {port}: {e}"),
    }
}

/// Sends raw bytes on a new connection and returns the response.
pub fn ask(port: u16, bytes: impl AsRef<[u8]>) -> Response {
    Client::connect(port).ask(bytes)
}

pub(crate) fn read_head(r: &mut impl BufRead) -> io::Result<String> {
    let mut head = Vec::new();
    loop {
        let start = head.len();
        if r.read_until(b'\n', &mut head)? == 0 {
            return Ok(String::new());
        }
        let line = &head[start..];
        if (line == b"\r\n" || line == b"\n") && start > 0 {
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
    }
}

pub(crate) fn read_request_body(head: &str, r: &mut impl BufRead) -> io::Result<Vec<u8>> {
    if field(head, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        return Ok(read_chunks(r)?.0);
    }
    let n = field(head, "content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; n];
    r.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(r: &mut impl BufRead) -> io::Result<(Vec<u8>, String)> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        r.read_line(&mut line)?;
        let size = line.trim_end().split(';').next().unwrap_or_default();
        let n = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if n == 0 {
            break;
        }
        let at = body.len();
        body.resize(at + n + 2, 0);
        r.read_exact(&mut body[at..])?;
        body.truncate(at + n);
    }
    let mut trailers = String::new();
    loop {
        let at = trailers.len();
        if r.read_line(&mut trailers)? == 0 || trailers[at..].trim_end().is_empty() {
            trailers.truncate(at);
            return Ok((body, trailers));
        }
    }
}

fn read_response(r: &mut impl BufRead, method: &str) -> io::Result<Response> {
    let head = read_head(r)?;
    let status = head.split(' ').nth(1).and_then(|s| s.get(..3)).and_then(|s| s.parse().ok()).unwrap_or(0);
    let mut resp = Response { status, head, complete: true, ..Response::default() };
    let bodyless = method == "HEAD" || status / 100 == 1 || status == 204 || status == 304 || status == 0;
    if bodyless || (method == "CONNECT" && status / 100 == 2) {
        return Ok(resp);
    }
    if resp.field("transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().contains("chunked")) {
        match read_chunks(r) {
            Ok((b, t)) => (resp.body, resp.trailers) = (b, t),
            Err(_) => resp.complete = false,
        }
    } else if let Some(n) = resp.field("content-length").and_then(|v| v.parse::<usize>().ok()) {
        let mut got = Vec::new();
        let _ = r.take(n as u64).read_to_end(&mut got);
        resp.complete = got.len() == n;
        resp.body = got;
    } else {
        let _ = r.read_to_end(&mut resp.body);
    }
    Ok(resp)
}

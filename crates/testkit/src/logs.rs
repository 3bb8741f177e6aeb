//! A syslog receiver.

use crate::net::until;
use parking_lot::Mutex;
use std::net::UdpSocket;
use std::sync::Arc;

/// Collects the datagrams that arrive on a UDP port.
pub struct LogSink {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Default for LogSink {
    fn default() -> Self {
        Self::new()
    }
}

impl LogSink {
    /// Starts receiving.
    pub fn new() -> Self {
        let s = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = s.local_addr().unwrap().port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let l = lines.clone();
        std::thread::spawn(move || {
            let mut b = vec![0; 65_536];
            while let Ok(n) = s.recv(&mut b) {
                l.lock().push(String::from_utf8_lossy(&b[..n]).into_owned());
            }
        });
        Self { port, lines }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// Waits up to 20 s for a line that contains `what` and returns it.
    pub fn wait_for(&self, what: &str) -> String {
        let mut found = None;
        until(20_000, || {
            found = self.lines().into_iter().find(|l| l.contains(what));
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("no log line contains {what:?}; got {:#?}", self.lines()))
    }
}

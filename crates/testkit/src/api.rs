//! The runtime API of a process, and its statistics in CSV.

use crate::{Hawser, until};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

impl Hawser {
    /// What the command socket of that name in the process's directory answers to a line.
    pub fn cli(&self, socket: &str, line: &str) -> String {
        let path = self.dir().join(socket);
        let mut stream = None;
        let connected = until(20_000, || {
            stream = UnixStream::connect(&path).ok();
            stream.is_some()
        });
        assert!(connected, "no answer at {}: {}", path.display(), self.stderr());
        let mut s = stream.unwrap();
        s.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut out = String::new();
        s.read_to_string(&mut out).unwrap();
        out
    }
}

/// A column of the row that starts so (`proxy,server`) in what `show stat` answers.
pub fn column(csv: &str, row: &str, name: &str) -> String {
    let mut lines = csv.lines();
    let head = lines.next().unwrap_or_default().trim_start_matches("# ");
    let at = head.split(',').position(|c| c == name).unwrap_or_else(|| panic!("no {name} in {head}"));
    let line = lines.find(|l| l.starts_with(&format!("{row},")));
    let line = line.unwrap_or_else(|| panic!("no row {row} in {csv}"));
    line.split(',').nth(at).unwrap_or_default().to_owned()
}

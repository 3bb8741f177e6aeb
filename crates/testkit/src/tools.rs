//! Real peers from the system: nginx, curl, varnishtest.

use crate::net::{free_port, until};
use crate::process::temp_dir;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The path of an installed program, or `None` after saying that the test skips.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|d| d.join(name))
        .find(|p| p.is_file());
    if found.is_none() {
        println!("skipped: {name} is not installed");
    }
    found
}

/// A real nginx origin serving `/` (a short text naming its port) and files of a directory under `/files/`.
pub struct Nginx {
    child: Child,
    dir: PathBuf,
    /// Its port.
    pub port: u16,
}

impl Nginx {
    /// Starts one, or returns `None` when nginx is not installed.
    pub fn start() -> Option<Self> {
        Self::start_on(free_port())
    }

    /// Starts one on a port.
    pub fn start_on(port: u16) -> Option<Self> {
        Self::listening(port, "", 1_000_000)
    }

    /// Starts one that speaks HTTP/2 from the first byte, and closes each connection after so many requests.
    pub fn start_h2(requests: u32) -> Option<Self> {
        Self::listening(free_port(), "http2", requests)
    }

    fn listening(port: u16, proto: &str, requests: u32) -> Option<Self> {
        let bin = installed("nginx")?;
        let dir = temp_dir();
        std::fs::create_dir_all(dir.join("files")).unwrap();
        let conf = format!(
            "daemon off; worker_processes 1; pid {d}/pid; error_log /dev/null;\n\
             events {{ worker_connections 4000; }}\n\
             http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;\n\
             uwsgi_temp_path {d}/u; scgi_temp_path {d}/s; keepalive_requests {requests}; client_max_body_size 0;\n\
             server {{ listen 127.0.0.1:{port} {proto}; location / {{ default_type text/plain; return 200 \"nginx {port}\\n\"; }}\n\
             location /files/ {{ root {d}; }} }} }}\n",
            d = dir.display()
        );
        std::fs::write(dir.join("conf"), conf).unwrap();
        let child = Command::new(bin)
            .arg("-c")
            .arg(dir.join("conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let me = Self { child, dir, port };
        assert!(until(20_000, || TcpStream::connect(("127.0.0.1", port)).is_ok()), "nginx did not start");
        Some(me)
    }

    /// The directory behind `/files/`.
    pub fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// Kills it at once, workers included.
    pub fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.dir.join("pid")).unwrap_or_default();
        // A master that runs would replace its workers.
        let _ = Command::new("kill").args(["-STOP", pid.trim()]).status();
        let _ = Command::new("pkill").args(["-9", "-P", pid.trim()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Runs curl and returns what it wrote to standard output, or `None` when it is not installed.
pub fn curl(args: &[&str]) -> Option<String> {
    let bin = installed("curl")?;
    let o = Command::new(bin).args(["-s", "--max-time", "60"]).args(args).output().unwrap();
    Some(String::from_utf8_lossy(&o.stdout).into_owned())
}

/// Runs one scenario with Debian's `varnishtest` (or `vtest`); `Err` holds its log.
///
/// # Errors
/// The log of a scenario that failed.
pub fn scenario(runner: &Path, binary: &str, file: &Path) -> Result<(), String> {
    let tmp = temp_dir();
    let o = Command::new(runner)
        .args(["-b", "2097152", "-t", "60", "-v"])
        .arg(file)
        .env("HAPROXY_PROGRAM", binary)
        .env("TMPDIR", &tmp)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    let _ = std::fs::remove_dir_all(tmp);
    if o.status.success() {
        return Ok(());
    }
    Err(format!("{}{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr)))
}

/// What the environment says of a test run.
pub fn setting(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// A real HAProxy of 3.x to interoperate with, if `HAWSER_TEST_HAPROXY` names one; a test has less to do without it,
/// and says so.
pub fn reference() -> Option<String> {
    let named = setting("HAWSER_TEST_HAPROXY");
    if named.is_none() {
        println!("HAWSER_TEST_HAPROXY names no HAProxy of 3.x: nothing to interoperate with");
    }
    named
}

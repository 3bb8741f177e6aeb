//! Telling systemd (`-Ws`): sd_notify(3).

use hawser_cfg::env::Env;
use rustix::time::{ClockId, clock_gettime};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Where to tell; nowhere outside of systemd.
#[derive(Debug, Default)]
pub(super) struct Notify(Option<SocketAddr>);

impl Notify {
    /// `NOTIFY_SOCKET`: a path, or an abstract name after `@`.
    pub(super) fn new(env: &Env) -> Self {
        let name = env.get("NOTIFY_SOCKET").unwrap_or_default();
        Self(match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name).ok(),
            None if name.starts_with('/') => SocketAddr::from_pathname(name).ok(),
            None => None,
        })
    }

    /// A worker serves.
    pub(super) fn ready(&self) {
        self.send(&format!("READY=1\nMAINPID={}\nSTATUS=Ready.\n", std::process::id()));
    }

    /// A new worker is being started.
    pub(super) fn reloading(&self) {
        let t = clock_gettime(ClockId::Monotonic);
        let usec = t.tv_sec * 1_000_000 + t.tv_nsec / 1000;
        self.send(&format!("RELOADING=1\nSTATUS=Reloading Configuration.\nMONOTONIC_USEC={usec}\n"));
    }

    /// It could not be; the one before goes on.
    pub(super) fn reload_failed(&self) {
        self.send("READY=1\nSTATUS=Reload failed!\n");
    }

    /// The process ends.
    pub(super) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    fn send(&self, text: &str) {
        let Some(addr) = &self.0 else { return };
        // The service manager's absence is no reason not to serve.
        let _ = UnixDatagram::unbound().and_then(|s| {
            s.set_nonblocking(true)?;
            s.send_to_addr(text.as_bytes(), addr)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abstract_names_and_paths() {
        let mut env = Env::empty();
        assert!(Notify::new(&env).0.is_none());
        env.set("NOTIFY_SOCKET", "relative");
        assert!(Notify::new(&env).0.is_none());
        let name = format!("hawser-notify-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        env.set("NOTIFY_SOCKET", &format!("@{name}"));
        let notify = Notify::new(&env);
        notify.reloading();
        notify.stopping();
        let mut buf = [0; 200];
        let n = socket.recv(&mut buf).unwrap();
        let text = String::from_utf8_lossy(&buf[..n]);
        assert!(text.starts_with("RELOADING=1\nSTATUS=") && text.contains("\nMONOTONIC_USEC="), "{text}");
        let n = socket.recv(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"STOPPING=1");
    }
}

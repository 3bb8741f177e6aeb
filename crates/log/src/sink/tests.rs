use super::*;
use std::io::Read;
use std::os::fd::AsRawFd;

#[test]
fn udp_lines_arrive_over_both_families() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(receiver) = UdpSocket::bind(any) else { continue };
        let sink = Sink::Udp(receiver.local_addr().unwrap());
        sink.send(b"one\n").unwrap();
        sink.send(b"two\n").unwrap();
        let mut buf = [0; 16];
        for want in [b"one\n", b"two\n"] {
            let (n, _) = receiver.recv_from(&mut buf).unwrap();
            assert_eq!(&buf[..n], want);
        }
    }
}

#[test]
fn a_missing_receiver_costs_its_own_lines_only() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to_gone = Sink::Udp(gone);
    let sink = Sink::Udp(receiver.local_addr().unwrap());
    for _ in 0..3 {
        let _ = to_gone.send(b"lost\n");
        sink.send(b"kept\n").unwrap();
        let mut buf = [0; 16];
        let (n, _) = receiver.recv_from(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"kept\n");
    }
}

#[test]
fn unix_lines_arrive_and_a_missing_socket_is_an_error() {
    let path = std::env::temp_dir().join(format!("hawser-log-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let sink = Sink::Unix(path.clone());
    assert!(sink.send(b"early\n").is_err());
    let receiver = UnixDatagram::bind(&path).unwrap();
    sink.send(b"hello\n").unwrap();
    let mut buf = [0; 16];
    let n = receiver.recv(&mut buf).unwrap();
    assert_eq!(&buf[..n], b"hello\n");
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_full_unix_receiver_does_not_block() {
    let path = std::env::temp_dir().join(format!("hawser-log-full-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let _receiver = UnixDatagram::bind(&path).unwrap();
    let sink = Sink::Unix(path.clone());
    let failed = (0..10_000).find(|_| sink.send(&[b'x'; 1000]).is_err());
    assert!(failed.is_some());
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_full_pipe_drops_lines_and_never_joins_them() {
    let (mut reader, writer) = io::pipe().unwrap();
    let sink = FdSink::new(writer.as_raw_fd());
    let long = [[b'a'; 5999].as_slice(), b"\n"].concat();
    let dropped = (0..40).filter(|_| sink.send(&long).is_err()).count();
    assert!(dropped > 0);
    let mut head = vec![0; 16384];
    reader.read_exact(&mut head).unwrap();
    sink.send(b"after\n").unwrap();
    drop((sink, writer));
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"\nafter\n"));
}

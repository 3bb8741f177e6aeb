//! Headers over real sockets: whole, in pieces, broken off, late.

use super::*;
use crate::Address;
use crate::sock::Sock;
use crate::sysopt::Family;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

const PROXY_ONLY: Expect = Expect { proxy: true, cip: None };

fn run(f: impl AsyncFnOnce()) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async { tokio::time::timeout(Duration::from_secs(20), f()).await.unwrap() });
}

fn pair() -> (UnixStream, Sock) {
    let (a, b) = UnixStream::pair().unwrap();
    b.set_nonblocking(true).unwrap();
    (a, Sock::accepted(OwnedFd::from(b), Family::Unix, Address::Unknown).unwrap())
}

#[test]
fn pieces_are_put_together_and_the_rest_is_left() {
    run(async || {
        let (mut client, mut sock) = pair();
        let header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n";
        let sender = async {
            for b in header {
                client.write_all(&[*b]).unwrap();
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            client.write_all(b"rest").unwrap();
        };
        let (header, ()) = tokio::join!(receive(&mut sock, PROXY_ONLY, None), sender);
        let (src, dst) = header.unwrap().addrs.unwrap();
        assert_eq!((src.to_string(), dst.to_string()), ("192.0.2.1:1000".into(), "192.0.2.2:80".into()));
        let mut buf = [0; 16];
        let n = poll_fn(|cx| sock.poll_read(cx, &mut buf)).await.unwrap();
        assert_eq!(&buf[..n], b"rest");
    });
}

#[test]
fn long_headers_and_both_kinds() {
    run(async || {
        let (mut client, mut sock) = pair();
        let value = vec![b'v'; 9000];
        client.write_all(&crate::pp::v2(None, &[], false)).unwrap();
        let outcome = receive(&mut sock, PROXY_ONLY, None).await.unwrap();
        assert_eq!(outcome.addrs, None);
        let ends = (Address::Ip("1.2.3.4:5".parse().unwrap()), Address::Ip("1.2.3.4:6".parse().unwrap()));
        client.write_all(&crate::pp::v2(Some((&ends.0, &ends.1)), &[(0xe0, &value)], true)).unwrap();
        let mut copy = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 9, 9, 9, 9, 8, 8, 8, 8, 0, 7, 0, 8];
        copy.resize(40, 0);
        client.write_all(&[&7_u32.to_be_bytes()[..], &40_u32.to_be_bytes(), &copy].concat()).unwrap();
        let both = Expect { proxy: true, cip: Some(7) };
        let outcome = receive(&mut sock, both, None).await.unwrap();
        assert_eq!(outcome.tlvs.get(0xe0).map(<[u8]>::len), Some(9000));
        assert_eq!(outcome.addrs.unwrap().0.to_string(), "9.9.9.9:7");
    });
}

#[test]
fn failures_are_told_apart() {
    run(async || {
        let end = |text: &'static [u8], expect: Expect| async move {
            let (mut client, mut sock) = pair();
            client.write_all(text).unwrap();
            drop(client);
            receive(&mut sock, expect, Some(Duration::from_secs(10))).await.unwrap_err()
        };
        let cip = Expect { proxy: false, cip: Some(1) };
        assert_eq!(end(b"", PROXY_ONLY).await, Failure::PrxEmpty);
        assert_eq!(end(b"PROXY TCP4 ", PROXY_ONLY).await, Failure::PrxTruncated);
        assert_eq!(end(b"GET / HTTP/1.0\r\n\r\n", PROXY_ONLY).await, Failure::PrxNotHdr);
        assert_eq!(end(b"", cip).await, Failure::CipEmpty);
        assert_eq!(end(b"\0\0\0\x01", cip).await, Failure::CipTruncated);
        assert_eq!(end(b"GET /", cip).await, Failure::CipBadMagic);
        let (_client, mut sock) = pair();
        let limit = Some(Duration::from_millis(20));
        assert_eq!(receive(&mut sock, PROXY_ONLY, limit).await, Err(Failure::PrxTimeout));
        assert_eq!(receive(&mut sock, cip, limit).await, Err(Failure::CipTimeout));
    });
}

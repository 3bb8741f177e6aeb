use super::*;

fn text(r: &Reply) -> String {
    let mut s = format!(
        "{} {} {}",
        r.head.version().as_str(),
        r.head.status(),
        String::from_utf8_lossy(r.head.reason())
    );
    for (n, v) in r.head.iter() {
        s += &format!("|{}: {}", String::from_utf8_lossy(n), String::from_utf8_lossy(v));
    }
    s + "|" + &String::from_utf8_lossy(&r.body) + if r.close { "|close" } else { "" }
}

#[test]
fn builtin_messages_are_those_that_clients_of_haproxy_know() {
    let got = text(&Reply::builtin(503).unwrap());
    assert_eq!(
        got,
        "1.1 503 Service Unavailable|content-length: 107|cache-control: no-cache|content-type: text/html|\
         <html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n\
         </body></html>\n"
    );
    // (status, length of the body) as seen on the wire.
    #[rustfmt::skip]
    let lengths = [
        (200, 58), (400, 90), (401, 112), (403, 93), (404, 83), (405, 147), (407, 112), (408, 110), (410, 114),
        (413, 106), (414, 110), (421, 104), (422, 116), (425, 80), (429, 117), (431, 105), (500, 97), (501, 135),
        (502, 107), (503, 107), (504, 92),
    ];
    assert!(error_statuses().eq(lengths.iter().map(|l| l.0)));
    for (status, len) in lengths {
        let r = Reply::builtin(status).unwrap();
        assert_eq!(r.body.len(), len, "{status}");
        assert_eq!(r.close, matches!(status, 400 | 408), "{status}");
    }
    assert!(Reply::builtin(418).is_none());
}

#[test]
fn error_files_are_checked_and_normalised() {
    let h = ReplyError::Head;
    #[rustfmt::skip]
    let cases: &[(&str, Result<&str, ReplyError>)] = &[
        ("HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nhi",  Ok("1.1 503 X|Content-Length: 2|hi")),
        ("HTTP/1.0 503 X\nContent-Length: 2\n\nhi",        Ok("1.0 503 X|Content-Length: 2|hi")),
        ("\r\nHTTP/1.1 503 X\r\nA: b\r\n\r\nhi",           Ok("1.1 503 X|A: b|hi|close")),
        ("HTTP/1.1 503\r\n\r\n",                           Ok("1.1 503 Service Unavailable||close")),
        ("HTTP/2.0 503 X\r\n\r\n",                         Ok("1.1 503 X||close")),
        ("HTTP/1.1 404 X\r\nA: b\r\n c\r\n\r\n",           Ok("1.1 404 X|A: b c||close")),
        ("HTTP/1.1 503 X\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", Ok("1.1 503 X|content-length: 2|hi")),
        ("HTTP/1.1 503 X\r\nConnection: close, foo\r\nUpgrade: h2c\r\n\r\n", Ok("1.1 503 X|connection: foo||close")),
        ("HTTP/1.1 304 X\r\nContent-Length: 2\r\n\r\n",    Ok("1.1 304 X|")),
        ("HTTP/1.1 503 X\r\nContent-Length: 5\r\n\r\nhi",  Err(ReplyError::Length(2, 5))),
        ("HTTP/1.1 503 X\r\nContent-Length: 1\r\n\r\nhi",  Err(ReplyError::Length(2, 1))),
        ("HTTP/1.1 503 X\r\nContent-Length: +2\r\n\r\nhi", Err(h(0))),
        ("HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Err(ReplyError::Chunked)),
        ("HTTP/1.1 204 X\r\n\r\nhi",                       Err(ReplyError::UnexpectedBody)),
        ("HTTP/1.1 100 X\r\n\r\n",                         Err(ReplyError::Status(100))),
        ("HTTP/1.1 1000 X\r\n\r\n",                        Err(h(8))),
        ("HTTP/1.1 50\r\n\r\n",                            Err(ReplyError::Status(50))),
        ("HTTP/1.1\r\n\r\n",                               Err(h(9))),
        ("hello",                                          Err(h(0))),
        ("hello\r\n\r\n",                                  Err(h(0))),
        ("HTTP/1.1 503 X\r\nA: b\r\n",                     Err(h(22))),
        ("HTTP/1.1 503 X\r\nA b: c\r\n\r\n",               Err(h(17))),
        ("HTTP/1.1 503 X\r\nA: c\0\r\n\r\n",               Err(h(20))),
        ("HTTP/1.1 503 X\r\n: c\r\n\r\n",                  Err(h(16))),
        ("HTTP/1.1 503 X\r\n c\r\n\r\n",                   Err(h(16))),
    ];
    for (raw, want) in cases {
        let got = Reply::parse(raw.as_bytes()).map(|r| r.map(|r| text(&r)).unwrap_or_default());
        assert_eq!(got.as_deref(), want.as_ref().map(|w| *w), "{raw:?}");
    }
    assert!(Reply::parse(b"").unwrap().is_none());
}

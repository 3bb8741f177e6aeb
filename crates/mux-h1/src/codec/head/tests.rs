use crate::codec::testutil::{bytes, parse, relaxed_request, relaxed_response, request, response, text};
use crate::codec::{Asked, Limits, Opts, ParseError, Progress, Reason, Status, parse_request};
use hawser_http::Head;

/// Parses a request made of this request line and one Host field.
fn line(l: &str) -> Result<String, Reason> {
    request(&format!("{l}\r\nHost: a\r\n\r\n")).map(|p| text(&p.0)).map_err(|e| e.reason)
}

/// Parses a request with this line after the request line.
fn field(l: &str) -> Result<String, Reason> {
    request(&format!("GET / HTTP/1.1\r\n{l}\r\n\r\n")).map(|p| text(&p.0)).map_err(|e| e.reason)
}

#[test]
fn request_lines_that_are_right() {
    let cases = [
        ("GET / HTTP/1.1", "GET / 1.1"),
        ("GET / HTTP/1.0", "GET / 1.0"),
        ("GET / HTTP/1.2", "GET / 1.1"),
        ("get /a?b=c%20 HTTP/1.1", "get /a?b=c%20 1.1"),
        ("M!#$%&'*+-.^_`|~9 / HTTP/1.1", "M!#$%&'*+-.^_`|~9 / 1.1"),
        ("GET /\"<>\\^`{|} HTTP/1.1", "GET /\"<>\\^`{|} 1.1"),
        ("GET // HTTP/1.1", "GET // 1.1"),
        ("OPTIONS * HTTP/1.1", "OPTIONS * 1.1"),
        ("OPTIONS / HTTP/1.1", "OPTIONS / 1.1"),
        ("GET http://a/x HTTP/1.1", "GET http://a/x 1.1"),
        ("GET http://a HTTP/1.1", "GET http://a/ 1.1"),
        ("GET http://a?q HTTP/1.1", "GET http://a/?q 1.1"),
        ("CONNECT a:80 HTTP/1.1", "CONNECT a:80 1.1"),
        ("GET   /a  HTTP/1.1", "GET /a 1.1"),
    ];
    for (l, want) in cases {
        assert_eq!(line(l), Ok(format!("{want}|Host: a")), "{l}");
    }
}

#[test]
fn request_lines_that_are_refused() {
    use Reason::{BadByte, BadHost, BadLineEnd, BadMethod, BadTarget, BadVersion};
    let cases = [
        // Only spaces separate the words.
        ("GET /\tHTTP/1.1", BadTarget),
        ("GET\t/ HTTP/1.1", BadMethod),
        ("GET / HTTP/1.1 ", BadByte),
        (" GET / HTTP/1.1", BadMethod),
        ("GET /a b HTTP/1.1", BadVersion),
        ("\rGET / HTTP/1.1", BadLineEnd),
        // Versions.
        ("GET /", BadVersion),
        ("GET / HTTP/0.9", BadVersion),
        ("GET / HTTP/2.0", BadVersion),
        ("GET / HTTP/3.0", BadVersion),
        ("GET / HTTP/1.10", BadVersion),
        ("GET / HTTP/11.1", BadVersion),
        ("GET / HTTP/1.", BadVersion),
        ("GET / HTTP/1", BadVersion),
        ("GET / http/1.1", BadVersion),
        ("GET / RTSP/1.0", BadVersion),
        ("GET / HTTP/1.1\0", BadByte),
        ("PRI * HTTP/2.0", BadVersion),
        // Methods.
        ("G\u{e9}T / HTTP/1.1", BadMethod),
        ("G(T / HTTP/1.1", BadMethod),
        ("G@T / HTTP/1.1", BadMethod),
        ("GE\0T / HTTP/1.1", BadMethod),
        ("\u{16}\u{3}\u{1}\u{2}", BadMethod),
        // Targets: no fragment, no control, nothing above ASCII, and the form that the method needs.
        ("GET /#f HTTP/1.1", BadTarget),
        ("GET /a?b#f HTTP/1.1", BadTarget),
        ("GET http://a/#f HTTP/1.1", BadTarget),
        ("GET /\u{e9} HTTP/1.1", BadTarget),
        ("GET /\u{1} HTTP/1.1", BadTarget),
        ("GET /\0 HTTP/1.1", BadTarget),
        ("GET /\u{7f} HTTP/1.1", BadTarget),
        ("GET /\r HTTP/1.1", BadVersion),
        ("GET * HTTP/1.1", BadTarget),
        ("GET ?a HTTP/1.1", BadTarget),
        ("GET admin HTTP/1.1", BadTarget),
        ("GET a:80 HTTP/1.1", BadTarget),
        ("GET http:/a HTTP/1.1", BadTarget),
        ("GET urn:a HTTP/1.1", BadTarget),
        ("GET 1ttp://a/ HTTP/1.1", BadTarget),
        ("OPTIONS */test HTTP/1.1", BadTarget),
        ("OPTIONS a HTTP/1.1", BadTarget),
        ("CONNECT a HTTP/1.1", BadTarget),
        ("CONNECT a: HTTP/1.1", BadTarget),
        ("CONNECT a:8x HTTP/1.1", BadTarget),
        ("CONNECT / HTTP/1.1", BadTarget),
        ("CONNECT http://a:80 HTTP/1.1", BadTarget),
        ("CONNECT * HTTP/1.1", BadTarget),
        // The host of the target against the Host field.
        ("GET http://b/ HTTP/1.1", BadHost),
        ("GET http://a:81/ HTTP/1.1", BadHost),
        ("GET http://a:x/ HTTP/1.1", BadTarget),
        ("CONNECT b:80 HTTP/1.1", BadHost),
        ("CONNECT a:8080 HTTP/1.1", BadHost),
    ];
    for (l, why) in cases {
        assert_eq!(line(l), Err(why), "{l:?}");
    }
}

#[test]
fn several_hosts_must_be_one() {
    let cases = [
        ("Host: a\r\nHost: a", Ok("GET / 1.1|Host: a")),
        ("Host: a\r\nhost: A", Ok("GET / 1.1|Host: a")),
        ("Host: a\r\nHost: b", Err(Reason::BadHost)),
        ("Host: a\r\nX: y\r\nHost: a:80", Err(Reason::BadHost)),
        ("Host: a b", Err(Reason::BadHost)),
        ("Host: a,b", Err(Reason::BadHost)),
        ("Host: a/b", Err(Reason::BadHost)),
        ("Host: u@a", Err(Reason::BadHost)),
        ("Host: a#b", Err(Reason::BadHost)),
        ("Host: \u{e9}", Err(Reason::BadHost)),
        ("Host: a:x", Err(Reason::BadHost)),
        ("Host:", Ok("GET / 1.1|Host: ")),
        ("X: no host at all", Ok("GET / 1.1|X: no host at all")),
    ];
    for (l, want) in cases {
        assert_eq!(field(l), want.map(str::to_owned), "{l:?}");
    }
    // Rules that look at Host must see the host of an absolute target.
    let got = request("GET http://u@a:80/x HTTP/1.0\r\nX: y\r\n\r\n").map(|p| text(&p.0));
    assert_eq!(got.as_deref(), Ok("GET http://u@a/x 1.0|host: a|X: y"));
}

#[test]
fn fields_that_are_right_or_normalised() {
    let long = "n".repeat(5000);
    let cases = [
        ("X: a".to_owned(), "X: a".to_owned()),
        ("X:a".into(), "X: a".into()),
        ("X: \t a \t ".into(), "X: a".into()),
        ("X:".into(), "X: ".into()),
        ("X:  ".into(), "X: ".into()),
        ("x-!#$%&'*+.^_`|~: y:z".into(), "x-!#$%&'*+.^_`|~: y:z".into()),
        ("X: a\tb \u{e9}\u{ff}".into(), "X: a\tb \u{e9}\u{ff}".into()),
        // Continuation lines are joined by spaces.
        ("X: a\r\n b".into(), "X: a   b".into()),
        ("X:\r\n\t b \r\n c".into(), "X: b    c".into()),
        ("X: a\r\n \r\n ".into(), "X: a".into()),
        ("X:\r\n ".into(), "X: ".into()),
        ("X: a\n b".into(), "X: a  b".into()),
        // Names beyond 255 bytes stay whole.
        (format!("{long}: v"), format!("{long}: v")),
    ];
    for (l, want) in cases {
        assert_eq!(field(&l), Ok(format!("GET / 1.1|{want}")), "{l:?}");
    }
}

#[test]
fn fields_that_are_refused() {
    use Reason::{BadFieldName, BadFieldValue, BadLineEnd};
    let cases = [
        ("X : a", BadFieldName),
        ("X\t: a", BadFieldName),
        (": a", BadFieldName),
        (" X: a", BadFieldName),
        ("\tX: a", BadFieldName),
        ("noColon", BadFieldName),
        ("X\u{e9}: a", BadFieldName),
        ("X(: a", BadFieldName),
        ("X\0: a", BadFieldName),
        ("X\u{1}: a", BadFieldName),
        ("X\r: a", BadFieldName),
        ("X: a\rb", BadLineEnd),
        ("X: a\r\r", BadLineEnd),
        ("X: a\0b", BadFieldValue),
        ("X: \0", BadFieldValue),
        ("X: a\u{1}b", BadFieldValue),
        ("X: a\u{b}b", BadFieldValue),
        ("X: a\u{7f}b", BadFieldValue),
        ("X: a\r\n \0", BadFieldValue),
        ("X: a\r\n b\rc", BadLineEnd),
        ("\rX: a", BadLineEnd),
    ];
    for (l, why) in cases {
        assert_eq!(field(l), Err(why), "{l:?}");
    }
}

#[test]
fn line_feeds_alone_end_lines_of_a_head() {
    for t in
        ["GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\n"]
    {
        let (head, _, consumed) = request(t).unwrap();
        assert_eq!((text(&head).as_str(), consumed), ("GET / 1.1|Host: a", t.len()), "{t:?}");
    }
}

#[test]
fn empty_lines_before_a_message_are_skipped_and_what_follows_is_left() {
    let t = "\r\n\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (head, _, consumed) = request(&format!("{t}GET /next")).unwrap();
    assert_eq!((text(&head).as_str(), consumed), ("GET / 1.1|Host: a", t.len()));
}

#[test]
fn errors_say_where_and_what_to_answer() {
    let cases = [
        ("GET /\0 HTTP/1.1\r\n\r\n", 5, 400),
        ("GET / HTTP/1.1\r\nX : a\r\n\r\n", 17, 400),
        ("GET / HTTP/1.1\r\nX: a\0\r\n\r\n", 20, 400),
        ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 32, 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 31, 400),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 36, 422),
        ("GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", 0, 413),
    ];
    for (t, offset, status) in cases {
        let e = request(t).unwrap_err();
        assert_eq!((e.offset, e.status), (offset, status), "{t:?}");
    }
    let e = response("HTTP/1.1 200 OK\r\nX : a\r\n\r\n", Asked::Other).unwrap_err();
    assert_eq!((e.offset, e.status), (18, 502));
}

#[test]
fn heads_are_bounded_however_they_arrive() {
    let lim = Limits { max_fields: 5, max_bytes: 100 };
    let run = |t: &str| {
        parse(&bytes(t), &lim, Opts::default(), None).map(|p| p.2).map_err(|e| (e.reason, e.status))
    };
    let fields = |n: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(n));
    assert!(run(&fields(4)).is_ok());
    assert_eq!(run(&fields(5)), Err((Reason::TooManyFields, 400)));
    let padded = |n: usize| format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(n - 23));
    assert_eq!(run(&padded(100)), Ok(100));
    assert_eq!(run(&padded(101)), Err((Reason::TooLarge, 431)));
    assert_eq!(run(&padded(200)), Err((Reason::TooLarge, 431)));
    assert_eq!(run(&format!("GET /{}", "x".repeat(200))), Err((Reason::TooLarge, 414)));
    assert_eq!(run(&"\r\n".repeat(100)), Err((Reason::TooLarge, 414)));
    let r =
        parse(b"HTTP/1.1 200 OK\r\n", &Limits { max_bytes: 17, ..lim }, Opts::default(), Some(Asked::Other));
    assert_eq!(r.map_err(|e| (e.reason, e.status)).map(|p| p.2), Err((Reason::TooLarge, 502)));
}

/// The whole head, presented again with each byte, is looked at a bounded number of times.
#[test]
fn slow_heads_are_not_parsed_again_and_again() {
    let t = format!("GET / HTTP/1.1\r\n{}X: {}\r\n\r\n", "A: b\r\n".repeat(50), "y".repeat(5000));
    let (mut p, mut head) = (Progress::default(), Head::default());
    for end in 1..t.len() {
        let got = parse_request(&t.as_bytes()[..end], &mut p, &mut head, &Limits::default(), Opts::default());
        assert_eq!(got, Ok(Status::Partial));
        assert!(p.scan as usize + 2 >= end, "bytes before {} are never looked at again, at {end}", p.scan);
    }
}

#[test]
fn status_lines_that_are_right() {
    let cases = [
        ("HTTP/1.1 200 OK", "1.1 200 OK"),
        ("HTTP/1.0 200 OK", "1.0 200 OK"),
        ("HTTP/1.3 404 Not Found", "1.1 404 Not Found"),
        ("HTTP/1.1 200", "1.1 200 "),
        ("HTTP/1.1 200 ", "1.1 200 "),
        ("HTTP/1.1 999 X", "1.1 999 X"),
        ("HTTP/1.1 200 caf\u{e9} \u{1}", "1.1 200 caf\u{e9} \u{1}"),
        ("\r\nHTTP/1.1 200 OK", "1.1 200 OK"),
    ];
    for (l, want) in cases {
        let got = response(&format!("{l}\r\nX: y\u{1}\r\n\r\n"), Asked::Other).map(|p| text(&p.0));
        assert_eq!(got, Ok(format!("{want}|X: y\u{1}")), "{l}");
    }
}

#[test]
fn status_lines_that_are_refused() {
    use Reason::{BadByte, BadLineEnd, BadStatus, BadVersion};
    let cases = [
        ("HTTP/1.1 20 OK", BadStatus),
        ("HTTP/1.1 2000 OK", BadStatus),
        ("HTTP/1.1 099 OK", BadStatus),
        ("HTTP/1.1 2x0 OK", BadStatus),
        ("HTTP/1.1 200OK", BadStatus),
        ("HTTP/1.1 +20 OK", BadStatus),
        ("HTTP/1.1  200 OK", BadStatus),
        ("HTTP/1.1 ", BadStatus),
        ("HTTP/1.1", BadVersion),
        ("HTTP/1.1\t200 OK", BadVersion),
        ("HTTP/2.0 200 OK", BadVersion),
        ("HTTP/0.9 200 OK", BadVersion),
        ("HTTP/11.1 200 OK", BadVersion),
        ("http/1.1 200 OK", BadVersion),
        ("ICY 200 OK", BadVersion),
        (" HTTP/1.1 200 OK", BadVersion),
        ("HTTP/1.1 200 O\0K", BadByte),
        ("HTTP/1.1 200 O\rK", BadLineEnd),
        ("\rHTTP/1.1 200 OK", BadLineEnd),
    ];
    for (l, why) in cases {
        let got = response(&format!("{l}\r\n\r\n"), Asked::Other).map(|p| text(&p.0)).map_err(|e| e.reason);
        assert_eq!(got, Err(why), "{l:?}");
    }
}

#[test]
fn relaxed_parsing_lets_pass_what_its_option_says_and_notes_it() {
    let req = |t: &str| relaxed_request(t).map(|p| (text(&p.0), p.1.relaxed));
    let cases = [
        ("GET /#f HTTP/1.1\r\n\r\n", "GET /#f 1.1"),
        ("GET /\u{e9} HTTP/1.1\r\n\r\n", "GET /\u{e9} 1.1"),
        ("GET / HTTP/2.10\r\n\r\n", "GET / HTTP/2.10"),
        ("GET / HTTP/0.9\r\n\r\n", "GET / HTTP/0.9"),
        ("GET / HTTP/2.0\r\n\r\n", "GET / 1.1"),
        ("GET / RTSP/1.0\r\n\r\n", "GET / RTSP/1.0"),
        ("GET /\r\n", "GET / 1.0"),
        ("GET / HTTP/1.1\r\nX : a\r\nY: b\r\n\r\n", "GET / 1.1|Y: b"),
        ("GET / HTTP/1.1\r\nX\0: a\r\nY: b\r\n\r\n", "GET / 1.1|Y: b"),
        ("GET / HTTP/1.1\r\nX: a\0\u{1}b\r\n\r\n", "GET / 1.1|X: a\0\u{1}b"),
        ("CONNECT a HTTP/1.1\r\nHost: b\r\n\r\n", "CONNECT a 1.1|Host: b"),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://a/ 1.1|Host: b"),
    ];
    for (t, want) in cases {
        assert_eq!(req(t).map(|r| r.0).as_deref(), Ok(want), "{t:?}");
        let e = request(t).unwrap_err();
        assert!(e.relaxable, "{t:?} {e:?}");
    }
    assert_eq!(req("GET / HTTP/1.1\r\nX : a\r\n\r\n").map(|r| r.1), Ok(true));
    assert_eq!(req("GET / HTTP/1.1\r\nX: a\0\r\n\r\n").map(|r| r.1), Ok(true));
    assert_eq!(req("GET / HTTP/1.1\r\nX: a\r\n\r\n").map(|r| r.1), Ok(false));
    let got = relaxed_response("HTTP/1.1 2000 X\r\n\r\n", Asked::Other).map(|p| text(&p.0));
    assert_eq!(got.as_deref(), Ok("1.1 2000 X"));
    let got = relaxed_response("ICY 200 OK\r\n\r\n", Asked::Other).map(|p| text(&p.0));
    assert_eq!(got.as_deref(), Ok("ICY 200 OK"));
}

#[test]
fn relaxed_parsing_still_refuses_what_splits_messages() {
    let cases = [
        "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nnoColon\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET /\0 HTTP/1.1\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\n\r\n",
        "GET / HTTP/0.9x\r\n\r\n",
        "GET / http/1.1\r\n\r\n",
        "GET / HTTP/1.1 HTTP/1.1\r\n\r\n",
        "POST /\r\n\r\n",
        "G(T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
    ];
    for t in cases {
        assert!(relaxed_request(t).is_err(), "{t:?}");
        assert!(
            matches!(request(t), Err(ParseError { relaxable: false, .. }))
                || t.contains('\u{b}')
                || t.contains("d, c"),
            "{t:?}"
        );
    }
}

//! HTTP/1 heads: no bytes make the parser panic, pieces make no difference, and what is forwarded is read back as
//! one message that says the same.
#![no_main]

use hawser_http::Head;
use hawser_mux_h1::codec::{
    Asked, Info, Limits, Opts, ParseError, Progress, Status, WriteOpts, parse_request, parse_response,
    write_request, write_response,
};
use libfuzzer_sys::fuzz_target;

type Parsed = Result<Option<(Head, Info, usize)>, ParseError>;

/// `asked` is `None` for requests. The buffer arrives in two pieces, cut at `cut`.
fn parse(buf: &[u8], cut: usize, asked: Option<Asked>, relaxed: bool) -> Parsed {
    let (mut p, mut head) = (Progress::default(), Head::default());
    let (lim, opts) = (Limits::default(), Opts { relaxed, ..Opts::default() });
    for part in [&buf[..cut], buf] {
        let status = match asked {
            None => parse_request(part, &mut p, &mut head, &lim, opts)?,
            Some(asked) => parse_response(part, &mut p, &mut head, &lim, opts, asked)?,
        };
        if let Status::Done { consumed, info } = status {
            return Ok(Some((head, info, consumed)));
        }
    }
    Ok(None)
}

fn forward(head: &Head, info: &Info, asked: Option<Asked>) -> Vec<u8> {
    let (mut out, opts) = (Vec::new(), WriteOpts::default());
    match asked {
        None => write_request(head, info.body, &opts, &mut out),
        Some(a) => write_response(head, info.body, a == Asked::Head, false, &opts, &mut out),
    };
    out
}

fuzz_target!(|data: &[u8]| {
    let [mode, cut, buf @ ..] = data else { return };
    let asked = match mode % 8 {
        4 => Some(Asked::Other),
        5 => Some(Asked::Head),
        6 => Some(Asked::Connect),
        7 => Some(Asked::Upgrade),
        _ => None,
    };
    let relaxed = mode & 8 != 0;
    let whole = parse(buf, 0, asked, relaxed);
    let pieces = parse(buf, usize::from(*cut).min(buf.len()), asked, relaxed);
    if let (Ok(Some((a, i, n))), Ok(Some((b, j, m)))) = (&whole, &pieces) {
        assert_eq!((i, n), (j, m));
        assert_eq!(forward(a, i, asked), forward(b, j, asked));
    } else {
        assert!(!matches!((&whole, &pieces), (Ok(Some(_)), _) | (_, Ok(Some(_)))));
    }
    if relaxed {
        return;
    }
    if let Ok(Some((head, info, _))) = whole {
        let out = forward(&head, &info, asked);
        let Ok(Some((again, info2, consumed))) = parse(&out, 0, asked, false) else {
            panic!("not read back: {:?}", String::from_utf8_lossy(&out));
        };
        assert_eq!((consumed, info2.body), (out.len(), info.body));
        assert_eq!(forward(&again, &info2, asked), out);
    }
});

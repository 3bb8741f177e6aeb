use super::*;
use crate::clock::Stamp;
use crate::format::Format;
use proptest::prelude::*;

const NOW: Stamp<'static> = Stamp {
    bsd: "Nov 23 07:18:49",
    iso: "2026-11-23T07:18:49",
    zone: "+00:00",
    micros: 906_344,
    pid: "19851",
};

fn line(message: &str, format: Option<&str>, len: usize) -> String {
    let message = Message::parse(message.as_bytes());
    let f = Forwarded { message, host: message.host };
    let mut out = Vec::new();
    let format = format.map(|name| Format::of(name).unwrap());
    f.write(format, f.severity(19, 0), len, &NOW, &mut out);
    assert!(out.len() <= len);
    String::from_utf8(out).unwrap()
}

const BSD: &str = "<34>Oct  1 22:14:15 h su[12]: failed";
const RFC5424: &str = "<165>1 2003-08-04T05:14:15.003-07:00 h t p i [a b=\"c\"] m";

/// Texts as HAProxy 3.4 wrote them.
#[test]
fn every_format_from_both_formats() {
    for (format, of_bsd, of_5424) in [
        (None, format!("{BSD}\n"), format!("{RFC5424}\n")),
        (
            Some("local"),
            "<34>Oct  1 22:14:15 su[12]: failed\n".into(),
            "<165>Aug  4 05:14:15 t[p]: m\n".into(),
        ),
        (Some("rfc3164"), format!("{BSD}\n"), "<165>Aug  4 05:14:15 h t[p]: m\n".into()),
        (
            Some("rfc5424"),
            "<34>1 2026-10-01T22:14:15-00:00 h su 12 - - failed\n".into(),
            format!("{RFC5424}\n"),
        ),
        (Some("priority"), "<34>failed\n".into(), "<165>m\n".into()),
        (Some("short"), "<2>failed\n".into(), "<5>m\n".into()),
        (
            Some("timed"),
            "<2>2026-10-01T22:14:15-00:00 failed\n".into(),
            "<5>2003-08-04T05:14:15.003-07:00 m\n".into(),
        ),
        (
            Some("iso"),
            "2026-10-01T22:14:15-00:00 failed\n".into(),
            "2003-08-04T05:14:15.003-07:00 m\n".into(),
        ),
        (Some("raw"), "failed\n".into(), "m\n".into()),
    ] {
        assert_eq!((line(BSD, format, 1024), line(RFC5424, format, 1024)), (of_bsd, of_5424), "{format:?}");
    }
}

#[test]
fn what_is_missing_is_filled_in() {
    for (message, format, want) in [
        ("no pri", "local", "<152>Nov 23 07:18:49 no pri\n"),
        ("no pri", "rfc3164", "<152>Nov 23 07:18:49 localhost no pri\n"),
        ("no pri", "rfc5424", "<152>1 2026-11-23T07:18:49.906344+00:00 - - - - - no pri\n"),
        ("no pri", "short", "<0>no pri\n"),
        ("<34>1 - - - - - - x", "rfc5424", "<34>1 - - - - - - x\n"),
        ("<34>1 - - - - - - x", "timed", "<2>2026-11-23T07:18:49.906344+00:00 x\n"),
        ("<9999>x", "priority", "<999>x\n"),
        // December comes before November in the year before.
        ("<34>Dec 31 22:14:15 h t: m", "iso", "2025-12-31T22:14:15-00:00 m\n"),
        ("<34>1 2003-13-11T22:14:15Z h t p m - m", "local", "<34>Nov 23 07:18:49 t[p]: m\n"),
        ("<34>1 2003-00-11T22:14:15Z h t p m - m", "local", "<34>Jan 11 22:14:15 t[p]: m\n"),
        ("<34>x\n\0\n", "raw", "x\n"),
    ] {
        assert_eq!(line(message, Some(format), 1024), want, "{message} {format}");
    }
}

#[test]
fn long_messages_are_cut_and_long_fields_end_the_line() {
    let text = line(&format!("<34>Oct 11 22:14:15 h t: {}", "m".repeat(200)), None, 80);
    assert_eq!((text.len(), text.starts_with("<34>Oct 11 22:14:15 h t: mmm")), (80, true));
    let text = line(&format!("<34>Oct 11 22:14:15 {} t: m", "h".repeat(200)), None, 80);
    assert_eq!(text, "<34>Oct 11 22:14:15 \n");
}

#[test]
fn facilities_and_levels() {
    let of = |m: &'static str| Forwarded { message: Message::parse(m.as_bytes()), host: b"" };
    assert_eq!(of("<34>x").severity(19, 0), (4, 2));
    assert_eq!(of("<34>x").severity(19, 5), (4, 5));
    assert_eq!(of("x").severity(19, 5), (19, 5));
    assert!(of("x").wanted(0) && of("<34>x").wanted(2) && !of("<34>x").wanted(1));
    assert!(of("<34>Oct 11 22:14:15 h ").is_empty() && of("").is_empty());
}

proptest! {
    /// Whatever the message, a line of at most the target's length comes out.
    #[test]
    fn any_message(
        head in "(<[0-9]{0,4}>)?(1 )?(-|[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8}|20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[Z.+])? ?",
        tail in prop::collection::vec(any::<u8>(), 0..100),
        format in prop::sample::select(vec!["", "local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"]),
        len in 80_usize..200,
    ) {
        let bytes = [head.as_bytes(), &tail].concat();
        let message = Message::parse(&bytes);
        let f = Forwarded { message, host: message.host };
        let mut out = Vec::new();
        f.write(Format::of(format), f.severity(19, 0), len, &NOW, &mut out);
        prop_assert!(out.len() <= len && out.ends_with(b"\n"));
    }
}

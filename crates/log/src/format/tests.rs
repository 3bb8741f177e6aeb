use super::*;

const NOW: Stamp<'static> = Stamp {
    bsd: "Nov 23 07:18:49",
    iso: "2026-11-23T07:18:49",
    zone: "+00:00",
    micros: 906_344,
    pid: "19851",
};

fn write(line: &Line<'_>) -> String {
    let mut out = Vec::new();
    line.write(&NOW, &mut out);
    assert!(out.len() <= line.len, "{} bytes of {}", out.len(), line.len);
    String::from_utf8(out).unwrap()
}

fn line(format: Format) -> Line<'static> {
    Line { format, facility: 16, level: 6, len: 1024, host: None, tag: b"haproxy", sd: b"", text: b"hello" }
}

#[test]
fn each_format_has_its_header() {
    for (name, plain, named) in [
        (
            "local",
            "<134>Nov 23 07:18:49 haproxy[19851]: hello\n",
            "<134>Nov 23 07:18:49 vm haproxy[19851]: hello\n",
        ),
        (
            "rfc3164",
            "<134>Nov 23 07:18:49 localhost haproxy[19851]: hello\n",
            "<134>Nov 23 07:18:49 vm haproxy[19851]: hello\n",
        ),
        (
            "rfc5424",
            "<134>1 2026-11-23T07:18:49.906344+00:00 - haproxy 19851 - - hello\n",
            "<134>1 2026-11-23T07:18:49.906344+00:00 vm haproxy 19851 - - hello\n",
        ),
        ("priority", "<134>hello\n", "<134>hello\n"),
        ("short", "<6>hello\n", "<6>hello\n"),
        (
            "timed",
            "<6>2026-11-23T07:18:49.906344+00:00 hello\n",
            "<6>2026-11-23T07:18:49.906344+00:00 hello\n",
        ),
        ("iso", "2026-11-23T07:18:49.906344+00:00 hello\n", "2026-11-23T07:18:49.906344+00:00 hello\n"),
        ("raw", "hello\n", "hello\n"),
    ] {
        let mut l = line(Format::of(name).unwrap());
        assert_eq!(write(&l), plain, "{name}");
        l.host = Some("vm");
        assert_eq!(write(&l), named, "{name}");
    }
    assert_eq!(Format::of("rfc3165"), None);
}

#[test]
fn long_lines_are_cut_at_len() {
    let text = [b'x'; 200];
    for name in ["local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"] {
        let l = Line { len: 80, text: &text, ..line(Format::of(name).unwrap()) };
        let out = write(&l);
        assert_eq!(out.len(), 80, "{name}");
        assert!(out.ends_with("x\n"), "{name}");
    }
}

#[test]
fn a_header_longer_than_len_is_cut_too() {
    let host = "h".repeat(100);
    let l = Line { len: 80, host: Some(&host), ..line(Format::Local) };
    assert_eq!(write(&l).len(), 80);
    let l = Line { len: 80, host: Some(&host), ..line(Format::Rfc5424) };
    assert_eq!(write(&l).len(), 80);
}

#[test]
fn structured_data_fit_or_are_left_out_with_the_text() {
    let mut l = Line { sd: b"[x@1 path=\"/x\"]", ..line(Format::Rfc5424) };
    let whole = "<134>1 2026-11-23T07:18:49.906344+00:00 - haproxy 19851 - [x@1 path=\"/x\"] hello\n";
    assert_eq!(write(&l), whole);
    l.len = whole.len() - 5;
    assert_eq!(write(&l), format!("{}\n", &whole[..whole.len() - 6]));
    l.len = whole.len() - 8;
    assert_eq!(write(&l), "<134>1 2026-11-23T07:18:49.906344+00:00 - haproxy 19851 - \n");
    // Other formats have no place for them.
    l.format = Format::Short;
    assert_eq!(write(&l), "<6>hello\n");
}

#[test]
fn priorities_are_facility_and_level() {
    for (facility, level, pri) in [(0, 0, "<0>"), (3, 4, "<28>"), (23, 7, "<191>")] {
        assert_eq!(write(&Line { facility, level, ..line(Format::Priority) }), format!("{pri}hello\n"));
    }
}

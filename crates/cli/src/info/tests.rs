//! The sheet of `show info`.

use super::*;

fn format(words: &str) -> Format {
    Format::parse(&words.split(' ').map(str::to_owned).collect::<Vec<_>>())
}

fn line(words: &str, name: &str) -> String {
    let mut sheet = Sheet::default();
    sheet.set("Name", "x\"y");
    sheet.set("CurrConns", 7_u32);
    sheet.set("Uptime_sec", 1.5);
    let text = sheet.print(format(words));
    text.lines().find(|l| l.contains(name)).unwrap_or_default().to_owned()
}

#[test]
fn formats() {
    assert_eq!(line("", "CurrConns"), "CurrConns: 7");
    assert_eq!(line("typed", "CurrConns"), "17.CurrConns.1:MGPV:u32:7");
    assert_eq!(line("desc", "CurrConns"), "CurrConns: 7:\"Connections now\"");
    assert_eq!(line("typed desc", "CurrConns"), "17.CurrConns.1:MGPV:u32:7:\"Connections now\"");
    assert_eq!(line("", "Uptime_sec"), "Uptime_sec: 1");
    assert_eq!(line("float", "Uptime_sec"), "Uptime_sec: 1.5");
    let json = line("json", "CurrConns");
    assert!(json.starts_with(r#"[{"field":{"pos":0,"name":"Name"},"processNum":1,"tags":{"origin":"Product","nature":"Output","scope":"Service"},"value":{"type":"str","value":"x\"y"}},"#.replace("x\"y", "x\\\"y").as_str()), "{json}");
    assert!(json.contains(r#"{"pos":17,"name":"CurrConns"},"processNum":1,"tags":{"origin":"Metric","nature":"Gauge","scope":"Process"},"value":{"type":"u32","value":7}}"#), "{json}");
}

#[test]
fn text_without_a_value_is_left_out() {
    assert_eq!(line("", "description"), "");
    assert_eq!(line("", "Listeners"), "Listeners: 0");
}

#[test]
fn counters_add_up() {
    let mut sheet = Sheet::default();
    sheet.add("CumReq", 2);
    sheet.add("CumReq", 3);
    assert!(sheet.print(Format::default()).contains("\nCumReq: 5\n"));
}

#[test]
fn rows_are_complete() {
    assert_eq!(FIELDS.len(), 82);
    for f in FIELDS {
        assert!(f.tags.len() == 4 && !f.help.is_empty(), "{f:?}");
        let mut tags = f.tags.chars();
        for letters in [ORIGINS, NATURES, SCOPES] {
            assert_ne!(word(letters, tags.next()), "Unknown", "{f:?}");
        }
    }
}

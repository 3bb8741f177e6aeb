use super::form::BadForm;
use super::text::{Ago, Grouped, Plain};
use super::*;
use crate::column::Col;
use crate::row::Object;
use proptest::prelude::{any, prop_assert, proptest};

#[test]
fn queries_are_words_behind_semicolons() {
    let q = |text: &str| Query::parse(text.as_bytes());
    let plain = Query::default();
    for nothing in ["", "/more", "?x=1", ";UP", ";csvv"] {
        let want = if nothing == ";csvv" { Format::Csv } else { Format::Html };
        assert_eq!(q(nothing), Query { format: want, ..plain.clone() }, "{nothing}");
    }
    assert_eq!(q("?x;up"), Query { up: true, ..plain.clone() });
    let all = q(";up;no-maint;norefresh;st=PART?scope=be.1");
    let want = Query {
        up: true,
        no_maint: true,
        no_refresh: true,
        outcome: Some(Outcome::Partial),
        scope: "be.1".into(),
        ..plain.clone()
    };
    assert_eq!(all, want);
    assert_eq!(q(";st=what").outcome, Some(Outcome::Unknown));
    assert_eq!(q(";st=DO").outcome, None);
    for (text, format) in [
        (";csv", Format::Csv),
        (";csv;typed", Format::Typed),
        (";json;csv", Format::Json),
        (";json-schema;json", Format::Schema),
    ] {
        assert_eq!(q(text).format, format, "{text}");
    }
}

#[test]
fn scopes_are_parts_of_names() {
    let scope = |text: &str| Query::parse(text.as_bytes()).scope;
    assert_eq!(scope(";scope=a;up"), "a");
    assert_eq!(scope("?scope=a&scope=b"), "a");
    assert_eq!(scope("?scope=12345678901234567890123"), "12345678901234567890");
    for bad in ["?scope=%3Cb", "?scope=<script>", "?scope=a\"b", "?scope=a'b", "?scope=\u{e9}"] {
        assert_eq!(scope(bad), "", "{bad}");
    }
    let q = Query::parse(b"?scope=B-1");
    assert!(q.wants("xb-1y") && !q.wants("b1") && !q.wants("") && Query::default().wants("b1"));
}

#[test]
fn forms() {
    let form = |body: &str| Form::parse(body.as_bytes());
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let f = form("s=a&s=b%20c&s=d+e&action=drain&b=%235").unwrap();
    let want = Form {
        backend: Some("#5".into()),
        action: Some(Action::Drain),
        servers: names(&["d e", "b c", "a"]),
    };
    assert_eq!(f, want);
    assert_eq!(form("b=x&action=maint&s=a&b=y&action=ready").unwrap().backend, Some("y".into()));
    assert_eq!(form("b=x&action=maint&s=a&b=y&action=ready").unwrap().action, Some(Action::Ready));
    assert_eq!(form(""), Ok(Form::default()));
    assert_eq!(form("&&=&x").unwrap(), Form::default());
    for bad in ["action=", "action=foo", "action"] {
        assert_eq!(form(bad), Err(BadForm), "{bad}");
    }
    assert_eq!(form(&format!("s={}", "a".repeat(3000))), Err(BadForm));
    // What cannot be decoded hides what stands before it.
    assert_eq!(form("s=a&s=%zz&s=b").unwrap().servers, ["b"]);
    assert_eq!(form("s=%ff").unwrap().servers, [] as [&str; 0]);
}

#[test]
fn outcomes() {
    let of = |named, altered| Outcome::of(named, altered).word();
    assert_eq!([of(0, 0), of(2, 0), of(2, 1), of(2, 2)], ["NONE", "ERRP", "PART", "DONE"]);
    for word in ["DENY", "DONE", "ERRP", "EXCD", "NONE", "PART", "UNKN", "IVAL"] {
        assert_eq!(Outcome::parse(word.as_bytes()).word(), word);
    }
    let settings = Settings { uri: "/s".into(), refresh: 5, ..Settings::default() };
    let q = Query::parse(b";up;norefresh?scope=x");
    assert_eq!(q.location(&settings, Outcome::Done), "/s;st=DONE;up;norefresh?scope=x");
    let settings = Settings { refresh: 0, ..settings };
    assert_eq!(q.location(&settings, Outcome::Denied), "/s;st=DENY;up?scope=x");
}

#[test]
fn numbers_and_times() {
    let grouped = |n| Grouped(n).to_string().replace("<span class=\"rls\">", "[").replace("</span>", "]");
    assert_eq!([grouped(0), grouped(999), grouped(1000)], ["0", "999", "[1]000"]);
    assert_eq!(grouped(1_234_567), "[1]23[4]567");
    for (seconds, want) in [
        (-1, "?"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m59s"),
        (3600, "1h"),
        (3605, "1h5s"),
        (86_400 + 7200 + 5, "1d2h"),
    ] {
        assert_eq!(Ago(seconds).to_string(), want);
    }
}

/// A source of some proxies.
#[derive(Debug)]
struct Proxies(Vec<Section>);

impl Source for Proxies {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::default();
        sheet.set("Pid", 77_u32);
        sheet.set("node", "n<1>");
        sheet.set("description", "\"d\" & e");
        sheet.set("Build info", "Hawser 1");
        Some(sheet)
    }

    fn sections(&self, from: Place, _: usize, ask: &Ask<'_>) -> Option<(Place, Vec<Section>)> {
        // One row at a time.
        let section = self.0.get(from.proxy)?;
        let next = from.server + 1;
        let last = next >= section.rows.len();
        let place =
            if last { Place { proxy: from.proxy + 1, server: 0 } } else { Place { server: next, ..from } };
        let rows = section.rows.get(from.server).cloned().into_iter().collect();
        let part = Section { ends: [from.server == 0, last], rows, ..section.clone() };
        Some((place, Some(part).filter(|s| (ask.wanted)(&s.name)).into_iter().collect()))
    }
}

const EVIL: &str = "<img src=x onerror=\"a('b')\">";

type Columns<'a> = &'a [(Col, u32)];

fn server(status: &str, columns: Columns<'_>) -> Row {
    let mut row = Row::new(Object::Server, &EVIL.into(), 3, EVIL.to_owned(), 1);
    row.set(Col::Status, status.to_owned());
    row.set(Col::Mode, "http");
    row.numbers(columns);
    row
}

fn section(name: &str, rows: Vec<Row>) -> Section {
    Section {
        ends: [true; 2],
        name: name.into(),
        id: 3,
        kind: "backend",
        mode: "http",
        description: Some(EVIL.into()),
        servers: true,
        rows,
    }
}

fn page(settings: Settings, query: &str, sections: Vec<Section>, admin: bool) -> String {
    let query = Query::parse(query.as_bytes());
    let mut dump = Dump::new(settings.into(), query, Arc::new(Proxies(sections)), admin);
    let mut out = String::new();
    while dump.more(&mut out) {}
    out
}

fn shows_all() -> Settings {
    Settings {
        uri: "/s\"><b>".into(),
        refresh: 5,
        version: true,
        legends: true,
        modules: true,
        node: Some(None),
        description: Some(None),
        ..Settings::default()
    }
}

#[test]
fn what_comes_from_outside_is_text() {
    let mut row = server("UP", &[(Col::Weight, 1), (Col::CheckRise, 2), (Col::CheckFall, 3)]);
    for col in [Col::CheckStatus, Col::CheckDesc, Col::LastChk, Col::Cookie, Col::Addr] {
        row.set(col, EVIL);
    }
    row.set(Col::Chkfail, 0_u64);
    let mut backend = Row::new(Object::Backend, &EVIL.into(), 3, "BACKEND", 0);
    backend.set(Col::Status, EVIL);
    backend.set(Col::Cookie, EVIL);
    let mut tracking = server("UP", &[]);
    tracking.set(Col::Tracked, EVIL);
    let mut listener = Row::new(Object::Listener, &EVIL.into(), 3, EVIL, 1);
    for col in [Col::Addr, Col::Proto, Col::Status] {
        listener.set(col, EVIL);
    }
    let rows = [listener, row, tracking, backend].map(Row::finish).to_vec();
    let html = page(shows_all(), ";st=DONE", vec![section(EVIL, rows)], true);
    assert!(!html.contains("<img") && !html.contains("/s\">") && !html.contains("a('"), "{html}");
    assert!(html.contains("on n&lt;1&gt;: &quot;d&quot; &amp; e</h2>"), "{html}");
    assert!(html.matches("&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;").count() > 20);
    assert_eq!(Plain("a<b>&'\"c").to_string(), "a&lt;b&gt;&amp;&#39;&quot;c");
}

#[test]
fn rows_have_a_cell_for_each_column() {
    let http = server("UP", &[(Col::Bck, 1)]).finish();
    let mut rows = vec![http];
    for object in [Object::Frontend, Object::Listener, Object::Backend] {
        let mut row = Row::new(object, &"p".into(), 3, "x", 0);
        row.set(Col::Mode, "tcp");
        rows.push(row.finish());
    }
    for (modules, admin) in [(false, false), (true, false), (false, true), (true, true)] {
        let settings = Settings { modules, ..shows_all() };
        let html = page(settings, "", vec![section("p", rows.clone())], admin);
        let want = 31 + 3 * usize::from(modules) + usize::from(admin);
        let table = html.split("<div class=\"scroll\">").nth(1).unwrap();
        let lines: Vec<&str> = table.lines().filter(|l| l.contains("<td")).collect();
        assert_eq!(lines.len(), 4);
        for line in lines {
            assert_eq!(columns(line), want, "modules {modules} admin {admin}: {line}");
        }
    }
}

/// Columns of a row, those of details aside.
fn columns(row: &str) -> usize {
    let mut rest = row.to_owned();
    while let (Some(from), Some(to)) = (rest.find("<div class=tips>"), rest.find("</div>")) {
        rest.replace_range(from..to + 6, "");
    }
    let span = |cell: &str| {
        let n = cell.split_once("colspan=").and_then(|(_, n)| n.split('>').next()).unwrap_or("1");
        n.parse::<usize>().unwrap()
    };
    rest.split("<td").skip(1).map(span).sum()
}

#[test]
fn rows_have_the_class_of_their_state() {
    let full = [
        (Col::Weight, 1),
        (Col::CheckRise, 2),
        (Col::CheckFall, 3),
        (Col::CheckHealth, 4),
        (Col::Chkfail, 0),
    ];
    let mut weak = full;
    weak[3].1 = 3;
    let (plain, light) = ([(Col::Weight, 1)], [(Col::Weight, 0)]);
    let backup = [(Col::Weight, 1), (Col::Bck, 1)];
    let cases: [(&str, Columns<'_>, &str, &str); 12] = [
        ("UP", &full, "active_up", "0s UP<"),
        ("UP 2/3", &weak, "active_going_down", "0s UP 2/3 &darr;<"),
        ("UP", &plain, "active_up", ">0s UP"),
        ("UP", &light, "active_draining", ">0s UP"),
        ("UP", &backup, "backup_up", ">0s UP"),
        ("DOWN", &plain, "active_down", "0s DOWN<"),
        ("DOWN 1/2", &[(Col::CheckHealth, 1)], "active_going_up", "0s DOWN 1/2 &uarr;<"),
        ("MAINT", &full, "maintain", "0s MAINT<"),
        ("MAINT (via a/b)", &full, "maintain", "0s MAINT<"),
        ("DRAIN", &full, "active_draining", "0s DRAIN<"),
        ("NOLB", &backup, "backup_nolb", "0s NOLB"),
        ("no check", &plain, "active_no_check", "<i>no check</i>"),
    ];
    for (status, columns, class, cell) in cases {
        let rows = vec![server(status, columns).finish()];
        let html = page(Settings::default(), "", vec![section("p", rows)], false);
        assert!(html.contains(&format!("<tr class=\"{class}\">")), "{status}: {html}");
        assert!(html.contains(cell), "{status}: {html}");
    }
}

#[test]
fn forms_are_for_administrators() {
    let sections = || vec![section("p", vec![server("UP", &[]).finish()])];
    let html = page(Settings::default(), "", sections(), false);
    assert!(!html.contains("checkbox") && !html.contains("method=\"post\""));
    let html = page(Settings::default(), "", sections(), true);
    assert!(html.contains("<input type=\"hidden\" name=\"b\" value=\"#3\">"));
    assert!(html.contains("<option value=\"shutdown\">") && html.contains("<select name=action>"));
    let none = vec![Section { servers: false, ..section("p", Vec::new()) }];
    assert!(!page(Settings::default(), "", none, true).contains("method=\"post\""));
    // A table that is made in parts is one table.
    let rows =
        || vec![server("UP", &[]).finish(), server("DOWN", &[]).finish(), server("MAINT", &[]).finish()];
    let html = page(Settings::default(), "", vec![section("p", rows()), section("q", rows())], true);
    for (part, count) in
        [("<form method=\"post\">", 2), ("</form>", 3), ("<div class=\"scroll\">", 2), ("<p>\n", 2)]
    {
        assert_eq!(html.matches(part).count(), count, "{part}");
    }
    assert_eq!((html.matches("name=\"s\"").count(), html.matches("name=\"b\"").count()), (6, 2));
}

#[test]
fn scopes_limit_every_format() {
    let sections = || -> Vec<Section> {
        let row = |name: &str| Row::new(Object::Backend, &name.into(), 3, "BACKEND", 0).finish();
        ["one", "two", "three"].map(|n| section(n, vec![row(n)])).to_vec()
    };
    let settings = Settings { scopes: vec!["two".into(), "three".into()], ..Settings::default() };
    let csv = page(settings.clone(), ";csv", sections(), false);
    let names: Vec<&str> = csv.lines().skip(1).map(|l| l.split(',').next().unwrap()).collect();
    assert_eq!(names, ["two", "three"]);
    let csv = page(settings.clone(), ";csv?scope=TH", sections(), false);
    assert_eq!(csv.lines().count(), 2);
    let json = page(settings.clone(), ";json", sections(), false);
    assert!(json.starts_with("[[{") && json.ends_with("}]]\n") && json.contains("}],[{"), "{json}");
    assert!(!json.contains("\"one\""));
    assert_eq!(page(settings.clone(), ";json;scope=zzz", sections(), false), "[]\n");
    assert!(!page(settings.clone(), ";typed", sections(), false).contains(":one\n"));
    assert!(page(settings, ";json-schema", sections(), false).starts_with("{\"$schema\""));
}

#[test]
fn links_keep_what_was_asked_for() {
    let settings = Settings { uri: "/s".into(), refresh: 3, ..Settings::default() };
    let links = |query: &str| -> Vec<String> {
        let html = page(settings.clone(), query, Vec::new(), false);
        let of = |l: &str| l.strip_prefix("<li><a href=\"")?.split('"').next().map(str::to_owned);
        html.lines().filter_map(of).collect()
    };
    assert_eq!(
        links(""),
        ["/s;up", "/s;norefresh", "/s", "/s;csv;norefresh", "/s;json;norefresh", "/s;json-schema"]
    );
    assert_eq!(
        links(";up;norefresh?scope=be"),
        [
            "/s;norefresh?scope=be",
            "/s;up?scope=be",
            "/s;up;norefresh?scope=be",
            "/s;csv;norefresh?scope=be",
            "/s;json;norefresh?scope=be",
            "/s;json-schema"
        ]
    );
}

proptest! {
    /// Whatever a request says, nothing of it ends a line or a quote.
    #[test]
    fn any_query(rest in proptest::collection::vec(any::<u8>(), 0..80), words in 0..8_usize) {
        let mut uri = [";up", ";st=", "?scope=", ";norefresh", "scope=<", ";json", "\"", "%0d%0a"][words].as_bytes().to_vec();
        uri.extend(&rest);
        let query = Query::parse(&uri);
        prop_assert!(query.scope.len() <= 20);
        let settings = Settings { uri: "/s".into(), refresh: 1, ..Settings::default() };
        let to = query.location(&settings, Outcome::Done);
        prop_assert!(to.bytes().all(|b| b.is_ascii_alphanumeric() || b"/;=?-_.:".contains(&b)), "{to}");
        let html = page(settings, "", vec![], false);
        let mut dump = Dump::new(
            Settings { uri: "/s".into(), ..Settings::default() }.into(),
            Query { format: Format::Html, ..query },
            Arc::new(Proxies(Vec::new())),
            false,
        );
        let mut out = String::new();
        while dump.more(&mut out) {}
        prop_assert!(out.matches('<').count() <= html.matches('<').count() + 8);
    }

    /// No body of an order makes more servers than it names.
    #[test]
    fn any_form(body in proptest::collection::vec(any::<u8>(), 0..200), start in 0..5_usize) {
        let mut bytes = ["s=%", "s=a&s=", "action=ready&b=", "&&", ""][start].as_bytes().to_vec();
        bytes.extend(&body);
        if let Ok(form) = Form::parse(&bytes) {
            prop_assert!(form.servers.len() <= bytes.iter().filter(|b| **b == b'&').count() + 1);
        }
    }
}

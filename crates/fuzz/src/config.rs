//! What must hold for any bytes in a configuration. The fuzz targets and a smoke test of `cfg` share this.

use hawser_cfg::addr::{self, AddrUse};
use hawser_cfg::cond::{self, CondCx};
use hawser_cfg::diag::Diags;
use hawser_cfg::env::Env;
use hawser_cfg::lexer::{self, Pseudo};
use hawser_cfg::load::{self, LineCx, LineSink, Source};
use hawser_cfg::octets;
use hawser_cfg::pos::Word;
use hawser_cfg::render::{self, Format};
use hawser_cfg::units::{self, TimeUnit};

fn env() -> Env {
    let mut env = Env::empty();
    env.set("A", " one two\tthree ");
    env.set("E", "");
    env
}

/// One line: bytes survive, columns are in the line and on characters.
pub fn line(data: &[u8]) {
    let text = octets::encode(data);
    assert_eq!(octets::decode(&text), data);
    let pseudo = Pseudo { file: "f", line: 1, section: "s" };
    match lexer::split_line(&text, &env(), &pseudo) {
        Ok(words) => words.iter().for_each(|w| {
            assert!(w.col <= w.end && text.get(w.col as usize..w.end as usize).is_some(), "{w:?}");
        }),
        Err(e) => assert!(text.is_char_boundary(e.col as usize), "{e:?}"),
    }
    let _ = lexer::unquote(&text, &env());
}

/// A condition has a value, or an error that points into it.
pub fn condition(data: &[u8]) {
    let text = octets::encode(data);
    if let Err(e) = cond::evaluate(&text, &env(), &CondCx::default()) {
        assert!(text.is_char_boundary(e.caret), "{e:?}");
    }
}

/// Addresses, times and sizes are taken or refused. Names are looked up for none of these.
pub fn value(data: &[u8]) {
    let text = octets::encode(data);
    if let Ok(addr) = addr::parse(&text, AddrUse::Server) {
        assert_eq!(&*addr.text, &*text);
    }
    for unit in [TimeUnit::Us, TimeUnit::Ms, TimeUnit::S, TimeUnit::D] {
        if let Ok(time) = units::parse_time(&text, unit) {
            assert!(time <= units::MAX_TIME);
        }
    }
    let _ = (units::trailing_character(&text), units::parse_size(&text));
}

/// Alerts about every other line, so that rendering has something to do.
struct Complain(u32);

impl LineSink for Complain {
    fn line(&mut self, cx: &mut LineCx<'_>, words: &[Word]) {
        self.0 += 1;
        assert!(words.iter().all(|w| !w.is_empty()));
        if let (Some(last), true) = (words.last(), self.0.is_multiple_of(2)) {
            cx.diags.alert_at(cx.pos, last, format!("about {last}")).suggestion = Some("x".to_owned());
        }
    }
}

/// A whole file: every message can be shown in every format.
pub fn file(data: &[u8]) {
    let source = Source::Text { name: "f".to_owned(), data: data.to_vec() };
    let mut diags = Diags::default();
    let files = load::load(&[source], &CondCx::default(), &mut env(), &mut diags, &mut Complain(0));
    for format in [Format::Classic, Format::Pretty { color: true }, Format::Json] {
        let text = render::render(&diags, &files, format, 1, true);
        assert_eq!(text.is_empty(), diags.list.is_empty());
        if format == Format::Json {
            assert!(text.lines().all(|l| l.starts_with('{') && l.ends_with('}')), "{text}");
        }
    }
}

//! The `cookie` line (manual 4.2).

use crate::model::{Cookie, Proxy};
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;
use crate::units::TimeUnit;

/// `cookie <name> [options]`: the line replaces whatever an earlier one said.
pub(crate) fn parse(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    let mut c = Cookie { pos: line.pos, name: line.arg(0).to_owned(), ..Cookie::default() };
    let mut at = 1;
    while !line.arg(at).is_empty() {
        let flag = match line.arg(at) {
            "rewrite" => &mut c.rewrite,
            "insert" => &mut c.insert,
            "prefix" => &mut c.prefix,
            "indirect" => &mut c.indirect,
            "nocache" => &mut c.nocache,
            "postonly" => &mut c.postonly,
            "preserve" => &mut c.preserve,
            "httponly" => &mut c.httponly,
            "secure" => &mut c.secure,
            "dynamic" => &mut c.dynamic,
            _ => {
                if !valued(cx, &mut c, line, at) {
                    return;
                }
                at += 2;
                continue;
            }
        };
        *flag = true;
        at += 1;
    }
    check(cx, &c, line);
    p.cookie = Some(c);
}

/// An option with a value; false where it makes no sense.
fn valued(cx: &mut Ctx<'_>, c: &mut Cookie, line: &Line<'_>, at: usize) -> bool {
    let (word, value) = (line.arg(at), line.arg(at + 1));
    let expects = match word {
        "domain" => "<domain> as argument.",
        "maxidle" => "<idletime> in seconds as argument.",
        "maxlife" => "<lifetime> in seconds as argument.",
        "attr" => "<value> as argument.",
        _ => {
            cx.alert_arg(
                line,
                at,
                "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', \
                 'maxidle', 'dynamic', 'maxlife' and 'attr' options.",
            );
            return false;
        }
    };
    if value.is_empty() {
        cx.alert_arg(line, at, format!("'{word}' expects {expects}"));
        return false;
    }
    match word {
        "domain" => return domain(cx, c, line, at + 1),
        "attr" => return attr(cx, c, line, at + 1),
        "maxidle" => c.maxidle = cx.time_in(line, at + 1, TimeUnit::S).unwrap_or(0),
        _ => c.maxlife = cx.time_in(line, at + 1, TimeUnit::S).unwrap_or(0),
    }
    true
}

fn domain(cx: &mut Ctx<'_>, c: &mut Cookie, line: &Line<'_>, at: usize) -> bool {
    let domain = line.arg(at);
    if !domain.contains('.') {
        cx.warn(
            line,
            format!(
                "domain '{domain}' contains no embedded dot, this configuration may not work properly (see \
                 RFC6265#5.2.3)."
            ),
        );
    }
    let bad = |b: &char| !(b.is_ascii_alphanumeric() || matches!(b, '.' | '-' | '_'));
    if let Some(b) = domain.chars().find(bad) {
        cx.alert_arg(line, at, format!("character '{b}' is not permitted in domain name '{domain}'."));
        return false;
    }
    c.domains.push(domain.to_owned());
    true
}

fn attr(cx: &mut Ctx<'_>, c: &mut Cookie, line: &Line<'_>, at: usize) -> bool {
    if let Some(b) = line.arg(at).bytes().find(|b| b.is_ascii_control() || *b == b';') {
        cx.alert_arg(line, at, format!("character '%x{b:02X}' is not permitted in attribute value."));
        return false;
    }
    c.attrs.push(line.arg(at).to_owned());
    true
}

/// What does not go together.
fn check(cx: &mut Ctx<'_>, c: &Cookie, line: &Line<'_>) {
    if c.rewrite && c.indirect {
        cx.alert(line, "cookie 'rewrite' and 'indirect' modes are incompatible.");
    }
    if [c.rewrite, c.insert, c.prefix].into_iter().filter(|m| *m).count() > 1 {
        cx.alert(line, "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible.");
    }
    if c.preserve && !c.insert && !c.indirect {
        cx.alert(line, "cookie 'preserve' requires at least 'insert' or 'indirect'.");
    }
}

//! The `map` family (manual 7.3.1): one row for each pair of matching method and output type.

use crate::args::{Arg, ArgSpec, ArgType, args};
use crate::compile::{CompileCx, Error};
use crate::ctx::Ctx;
use crate::pattern::{Map, Method, Output};
use crate::row::{CheckFn, Converter, conv};
use crate::types::Type;
use crate::value::Value;
use std::sync::Arc;

const STR: ArgSpec = args(1, &[ArgType::Str, ArgType::Str]);
const INT: ArgSpec = args(1, &[ArgType::Str, ArgType::Sint]);
const KEY: ArgSpec = args(1, &[ArgType::Str]);

/// A row; the check function carries method and output, since it alone needs them.
const fn row(name: &'static str, spec: ArgSpec, input: Type, out: Type, check: CheckFn) -> Converter {
    conv(name, spec, input, out, map, "Looks the value up in a map.").check(check)
}

/// The four rows of a method.
macro_rules! family {
    ($method:ident, $input:ident, $str:literal, $int:literal, $ip:literal, $key:literal) => {
        [
            row($str, STR, Type::$input, Type::Str, |c, a| load(c, a, Method::$method, Output::Str)),
            row($int, INT, Type::$input, Type::Sint, |c, a| load(c, a, Method::$method, Output::Int)),
            row($ip, STR, Type::$input, Type::Addr, |c, a| load(c, a, Method::$method, Output::Ip)),
            row($key, KEY, Type::$input, Type::Str, |c, a| load(c, a, Method::$method, Output::Key)),
        ]
    };
}

/// Rows.
#[rustfmt::skip]
pub(super) static CONVERTERS: &[&[Converter]] = &[
    &[
        row("map", STR, Type::Str, Type::Str, |c, a| load(c, a, Method::Str, Output::Str)),
        row("map_regm", STR, Type::Str, Type::Str, |c, a| load(c, a, Method::Reg, Output::Groups)),
    ],
    &family!(Str, Str, "map_str", "map_str_int", "map_str_ip", "map_str_key"),
    &family!(Beg, Str, "map_beg", "map_beg_int", "map_beg_ip", "map_beg_key"),
    &family!(Sub, Str, "map_sub", "map_sub_int", "map_sub_ip", "map_sub_key"),
    &family!(Dir, Str, "map_dir", "map_dir_int", "map_dir_ip", "map_dir_key"),
    &family!(Dom, Str, "map_dom", "map_dom_int", "map_dom_ip", "map_dom_key"),
    &family!(End, Str, "map_end", "map_end_int", "map_end_ip", "map_end_key"),
    &family!(Reg, Str, "map_reg", "map_reg_int", "map_reg_ip", "map_reg_key"),
    &family!(Int, Sint, "map_int", "map_int_int", "map_int_ip", "map_int_key"),
    &family!(Ip, Addr, "map_ip", "map_ip_int", "map_ip_ip", "map_ip_key"),
];

fn load(_: &mut CompileCx<'_>, a: &mut [Arg], method: Method, output: Output) -> Result<(), Error> {
    let map = Map::load(a[0].word(), method, output)?;
    if let Some(Arg::Str(text)) = a.get(1) {
        let text = text.clone();
        a[1] = match output.parse(&text) {
            Some(Value::Int(i)) => Arg::Int(i),
            Some(Value::Ip4(x)) => Arg::Ip4(x),
            Some(Value::Ip6(x)) => Arg::Ip6(x),
            Some(_) => Arg::Str(text),
            None => {
                return Err(Error::new(format!(
                    "cannot cast the default value '{}'",
                    String::from_utf8_lossy(&text)
                )));
            }
        };
    }
    a[0] = Arg::Map(Arc::new(map));
    Ok(())
}

fn map<'a>(a: &'a [Arg], v: Value<'a>, _: &Ctx<'a>) -> Option<Value<'a>> {
    let Arg::Map(map) = a.first()? else { return None };
    map.find(&v).or_else(|| match a.get(1)? {
        Arg::Str(s) => Some(Value::str(s)),
        Arg::Int(i) => Some(Value::Int(*i)),
        Arg::Ip4(x) => Some(Value::Ip4(*x)),
        Arg::Ip6(x) => Some(Value::Ip6(*x)),
        _ => None,
    })
}

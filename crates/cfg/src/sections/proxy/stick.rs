//! `stick-table` and `stick` lines (manual 4.2 and 11.1).

use crate::diag::Layout;
use crate::model::{DataType, Form, KeyType, Proxy, RuleLine, StickTable, Stored};
use crate::parse::ctx::Ctx;
use crate::parse::line::Line;
use crate::units::{self, TimeUnit, UnitError};

/// Most that `brates-factor` may be.
const MOST_FACTOR: u32 = 1024;

/// `stick-table type <type> size <size> …`.
pub(crate) fn table(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if cx.st.kind.is_defaults() {
        cx.alert(line, "'stick-table' is not supported in 'defaults' section.");
        return;
    }
    if let Some(other) = p.stick_table.and_then(|i| cx.st.stick_tables.get(i)) {
        let text = format!(
            "stick-table name '{}' conflicts with table declared in {} '{}' at {}.",
            p.name,
            p.kind.word(),
            p.name,
            cx.st.place(other.pos)
        );
        cx.alert(line, text);
        return;
    }
    let table = StickTable { pos: line.pos, name: p.name.clone(), brates_factor: 1, ..StickTable::default() };
    let mut parser = Parser { cx, line, table, key: None, at: 0 };
    if parser.options().is_none() {
        return;
    }
    let Parser { table, key, .. } = parser;
    match key {
        _ if table.size == 0 => drop(cx.alert(line, "stick-table: missing size.")),
        None => drop(cx.alert(line, "stick-table: missing type.")),
        Some(key) => {
            p.stick_table = Some(cx.st.stick_tables.len());
            cx.st.stick_tables.push(StickTable { key, ..table });
        }
    }
}

/// `stick on|match|store-request|store-response <pattern> [table <table>] [if|unless <condition>]`: kept as words,
/// the kind first.
pub(crate) fn rule(cx: &mut Ctx<'_>, p: &mut Proxy, line: &Line<'_>) {
    if !matches!(line.arg(0), "store" | "store-request" | "store-response" | "match" | "on") {
        cx.alert_arg(line, 0, "'stick' expects 'on', 'match', or 'store'.");
        cx.suggest(line.arg(0), ["on", "match", "store-request", "store-response"]);
        return;
    }
    if line.arg(1).is_empty() {
        cx.alert(line, "'stick' expects a fetch method.");
        return;
    }
    p.stick_rules.push(RuleLine { pos: line.pos, words: line.owned_from(0) });
}

/// A table under construction; what is wrong was reported where `None` is returned.
struct Parser<'a, 'b, 'c> {
    cx: &'a mut Ctx<'b>,
    line: &'a Line<'c>,
    table: StickTable,
    key: Option<KeyType>,
    /// The argument that comes next.
    at: usize,
}

impl Parser<'_, '_, '_> {
    fn options(&mut self) -> Option<()> {
        while self.at < self.line.len() {
            let word = self.line.arg(self.at);
            self.at += 1;
            match word {
                "type" => self.key = Some(self.key_type()?),
                "size" => self.table.size = self.size()?,
                "expire" => self.table.expire = Some(self.expire()?).filter(|ms| *ms > 0),
                "store" => self.store()?,
                "nopurge" => self.table.nopurge = true,
                "recv-only" => self.table.recv_only = true,
                "srvkey" => self.server_key()?,
                "write-to" => self.write_to()?,
                "brates-factor" => self.table.brates_factor = self.factor()?,
                "peers" => {
                    self.value()?;
                    let text = "'stick-table peers' is not supported by Hawser yet (area: peers).";
                    self.cx.alert_arg(self.line, self.at - 2, text);
                    return None;
                }
                other => return self.wrong(format!("unknown argument '{other}'.")),
            }
        }
        Some(())
    }

    /// Reports the argument before the next one.
    fn wrong<T>(&mut self, text: impl std::fmt::Display) -> Option<T> {
        self.cx.alert_arg(self.line, self.at.saturating_sub(1), format!("stick-table: {text}"));
        None
    }

    /// The same in HAProxy's other punctuation.
    fn late<T>(&mut self, text: impl std::fmt::Display) -> Option<T> {
        let text = format!("stick-table: {text}");
        self.cx.alert_arg(self.line, self.at.saturating_sub(1), text).layout = Layout::Tight;
        None
    }

    /// The value of an option.
    fn value(&mut self) -> Option<String> {
        let value = self.line.arg(self.at).to_owned();
        if value.is_empty() {
            let option = self.line.arg(self.at - 1);
            return self.wrong(format!("missing argument after '{option}'."));
        }
        self.at += 1;
        Some(value)
    }

    fn unexpected<T>(&mut self, c: Option<char>) -> Option<T> {
        let (c, option) = (c.unwrap_or(' '), self.line.arg(self.at - 2));
        self.wrong(format!("unexpected character '{c}' in argument of '{option}'."))
    }

    fn key_type(&mut self) -> Option<KeyType> {
        // Without a length, the end of a string takes one byte of the 32.
        let mut key = match self.line.arg(self.at) {
            "ip" | "ipv4" => KeyType::Ipv4,
            "ipv6" => KeyType::Ipv6,
            "integer" => KeyType::Integer,
            "string" => KeyType::String(31),
            "binary" => KeyType::Binary(32),
            other => {
                self.at += 1;
                return self.wrong(format!("unknown type '{other}'."));
            }
        };
        self.at += 1;
        if let KeyType::String(len) | KeyType::Binary(len) = &mut key
            && self.line.arg(self.at) == "len"
        {
            self.at += 2;
            match self.line.arg(self.at - 1).parse() {
                Ok(n) if n > 0 => *len = n,
                _ => {
                    let text = "'len' expects a positive integer argument.";
                    self.cx.alert_arg(self.line, self.at - 1, text);
                    return None;
                }
            }
        }
        Some(key)
    }

    fn size(&mut self) -> Option<u32> {
        let value = self.value()?;
        match units::parse_size(&value) {
            Ok(n) => Some(n),
            Err(UnitError::Unexpected(_, c)) => self.unexpected(c),
            Err(UnitError::Overflow) => self.unexpected(value.chars().last()),
        }
    }

    fn expire(&mut self) -> Option<u32> {
        let value = self.value()?;
        match units::parse_time(&value, TimeUnit::Ms) {
            Ok(ms) => Some(ms),
            Err(UnitError::Unexpected(_, c)) => self.unexpected(c),
            Err(UnitError::Overflow) => self.late(format!(
                "timer overflow in argument <{value}> to <expire>, maximum value is 2147483647 ms (~24.8 days)."
            )),
        }
    }

    fn server_key(&mut self) -> Option<()> {
        self.at += 1;
        match self.line.arg(self.at - 1) {
            "name" => self.table.by_address = false,
            "addr" => self.table.by_address = true,
            other => {
                let text = format!("stick-table : unknown server key type '{other}'.");
                self.cx.alert_arg(self.line, self.at - 1, text);
                return None;
            }
        }
        Some(())
    }

    fn write_to(&mut self) -> Option<()> {
        self.at += 1;
        if self.line.arg(self.at - 1).is_empty() {
            self.cx.alert(self.line, "stick-table : write-to requires table name.");
            return None;
        }
        self.table.write_to = Some(self.line.owned(self.at - 1));
        Some(())
    }

    fn factor(&mut self) -> Option<u32> {
        let factor = self.size()?;
        if factor == 0 || factor > MOST_FACTOR {
            return self
                .wrong("argument 'brates-factor' must be greater than 0 and lower or equal than 1024.");
        }
        Some(factor)
    }

    /// A list of data types.
    fn store(&mut self) -> Option<()> {
        let list = self.line.arg(self.at);
        self.at += 1;
        let mut rest = list;
        while !rest.is_empty() {
            let (name, after) = rest.split_at(rest.find(['(', ',']).unwrap_or(rest.len()));
            let (args, after) = match after.strip_prefix('(') {
                None => (None, after),
                Some(inner) => {
                    let Some((args, after)) = inner.split_once(')') else {
                        return self
                            .wrong(format!("missing closing parenthesis after store option '{name}'."));
                    };
                    (Some(args), after)
                }
            };
            self.stored(name, args)?;
            // What stands between a parenthesis and the comma is passed over.
            rest = after.split_once(',').map_or("", |(_, next)| next);
        }
        self.conflicts()
    }

    fn stored(&mut self, name: &str, args: Option<&str>) -> Option<()> {
        let Some(data) = DataType::find(name) else {
            return self.wrong(format!("unknown store option '{name}'."));
        };
        if self.table.stored(data).is_some() {
            let text = format!("stick-table: store option '{name}' already enabled, ignored.");
            self.cx.warn(self.line, text).layout = Layout::Tight;
            return Some(());
        }
        let mut args = args.into_iter().flat_map(|a| a.split(','));
        let missing = format!("missing argument to store option '{name}'.");
        let mut count = 1;
        if data.is_array() {
            let Some(n) = args.next() else { return self.wrong(missing) };
            count = units::leading_int(n).0.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            if !(1..=DataType::MOST).contains(&count) {
                let range = format!("1-{}", DataType::MOST);
                return self.wrong(format!(
                    "array size is out of allowed range ({range}) for store option '{name}'."
                ));
            }
        }
        let mut period = 0;
        match (data.form(), args.next()) {
            (Form::Rate, None) => return self.wrong(missing),
            (Form::Rate, Some(t)) => match units::parse_time(t, TimeUnit::Ms) {
                Ok(ms) => period = ms,
                Err(_) => return self.wrong(format!("error when processing store option '{name}'.")),
            },
            (_, Some(_)) => return self.wrong(format!("unexpected argument to store option '{name}'.")),
            (_, None) => {}
        }
        self.table.store.push(Stored { data, count, period });
        Some(())
    }

    /// What would be stored twice.
    fn conflicts(&mut self) -> Option<()> {
        let has = |d| self.table.stored(d).is_some();
        let (array, single) = if has(DataType::Gpt) && has(DataType::Gpt0) {
            ("gpt", "gpt0")
        } else if has(DataType::Gpc) && (has(DataType::Gpc0) || has(DataType::Gpc1)) {
            ("gpc", "gpc[0/1]")
        } else if has(DataType::GpcRate) && (has(DataType::Gpc0Rate) || has(DataType::Gpc1Rate)) {
            ("gpc_rate", "gpc[0/1]_rate")
        } else {
            return Some(());
        };
        self.wrong(format!(
            "simultaneous usage of '{array}' and '{single}' in a same table is not permitted as '{array}' overrides \
             '{single}'."
        ))
    }
}

//! What the runtime API shows of tables, and by what it picks entries.

use crate::entry::Entry;
use crate::table::Table;
use hawser_cfg::model::{DataType, Form, KeyType};
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

impl Table {
    /// The line that begins the table in `show table`.
    pub fn show_head(&self, now: u64, out: &mut String) {
        let (name, kind) = (self.name(), self.key_type().word());
        let (size, used) = (self.size(), self.used(now));
        let _ = writeln!(out, "# table: {name}, type: {kind}, size:{size}, used:{used}");
    }

    /// The line of an entry in `show table`.
    pub fn show_entry(&self, entry: &Arc<Entry>, now: u64, out: &mut String) {
        let _ = write!(out, "{:p}: key=", Arc::as_ptr(entry));
        show_key(self.key_type(), entry.key(), out);
        let _ = write!(out, " use={} exp={} shard=0", entry.users(), self.remaining(entry, now));
        for field in self.layout().fields() {
            if field.data.form() == Form::Text {
                let server = entry.server();
                let _ = write!(out, " {}={}", field.data.name(), server.as_deref().unwrap_or("-"));
                continue;
            }
            for index in 0..field.count {
                let value = self.read(entry, field.data, index, now).unwrap_or(0);
                out.push(' ');
                show_name(field.data, index, out);
                if field.data.form() == Form::Rate {
                    let _ = write!(out, "({})", field.period);
                }
                let _ = write!(out, "={value}");
            }
        }
        out.push('\n');
    }
}

/// The name of a data type; elements of arrays have their number in it: `gpc3_rate`.
fn show_name(data: DataType, index: u32, out: &mut String) {
    let name = data.name();
    if !data.is_array() {
        out.push_str(name);
        return;
    }
    let (head, tail) = name.split_at(name.find('_').unwrap_or(name.len()));
    let _ = write!(out, "{head}{index}{tail}");
}

fn show_key(kind: KeyType, key: &[u8], out: &mut String) {
    match (kind, key) {
        (KeyType::Ipv4, &[a, b, c, d]) => {
            let _ = write!(out, "{}", Ipv4Addr::new(a, b, c, d));
        }
        (KeyType::Integer, &[a, b, c, d]) => {
            let _ = write!(out, "{}", u32::from_be_bytes([a, b, c, d]));
        }
        (KeyType::Ipv6, key) => {
            let octets: [u8; 16] = key.try_into().unwrap_or_default();
            let _ = write!(out, "{}", Ipv6Addr::from(octets));
        }
        (KeyType::String(_), key) => show_text(key, out),
        (_, key) => {
            for b in key {
                let _ = write!(out, "{b:02X}");
            }
        }
    }
}

fn show_text(text: &[u8], out: &mut String) {
    for b in text {
        match b {
            b' ' | b'\\' | b'=' => out.extend(['\\', char::from(*b)]),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            0x1b => out.push_str("\\e"),
            b'!'..=b'~' => out.push(char::from(*b)),
            _ => {
                let _ = write!(out, "\\x{b:02X}");
            }
        }
    }
}

/// How a value is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the operators of the runtime API")]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Compare {
    /// By its word.
    pub fn find(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "lt" => Self::Lt,
            "le" => Self::Le,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            _ => return None,
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

/// A condition on what an entry stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filter {
    /// The data type.
    pub data: DataType,
    /// Which element of an array.
    pub index: u32,
    /// How it is compared.
    pub compare: Compare,
    /// With what.
    pub value: i64,
}

impl Filter {
    /// Whether an entry passes; never where there is no such element.
    pub fn passes(&self, table: &Table, entry: &Entry, now: u64) -> bool {
        let value = table.read(entry, self.data, self.index, now);
        value.is_some_and(|v| self.compare.holds(v.cmp(&self.value)))
    }
}

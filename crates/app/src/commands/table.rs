//! `show table`, `set table`, `clear table` (management guide 9.3).

use super::Statistics;
use hawser_cfg::model::{DataType, KeyType};
use hawser_cli::{Call, Command, Level, Reply};
use hawser_proto::freq::now_ms;
use hawser_sample::{Type, Value, stick};
use hawser_stick::{Compare, Entry, Filter, Table};
use std::sync::Arc;

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    Command::new("clear table", "clear table <table> [<filter>]*", Level::User, |c| run(c, Action::Clear), "remove entries from a stick table (filter: data/key/ptr)"),
    Command::new("set table", "set table <table> key <k> [data.* <v>]*", Level::User, |c| run(c, Action::Set), "make or change an entry of a stick table (key/ptr)"),
    Command::new("show table", "show table [<table> [<filter>]*]", Level::User, |c| run(c, Action::Show), "show stick tables, or the entries of one (filter: data/key/ptr)"),
];

/// Most filters.
const FILTERS: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Show,
    Set,
    Clear,
}

impl Action {
    /// What a wrong command line should have been.
    fn usage(self) -> Reply {
        Reply::err(match self {
            Self::Show => {
                "Optional argument only supports \"data.<store_data_type>\" <operator> <value> or key <key> or ptr <ptr>"
            }
            Self::Set => {
                "Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> \
                 [data.<store_data_type> <value>]*"
            }
            Self::Clear => {
                "Required arguments: <table> \"data.<store_data_type>\" <operator> <value> or <table> key <key> or \
                 <table> ptr <ptr>"
            }
        })
    }
}

fn run(call: &mut Call<'_>, action: Action) -> Reply {
    let Some(engine) = call.state.get::<Statistics>() else { return Reply::Done };
    let tables = engine.0.tables();
    command(call, action, &tables).unwrap_or_else(|refusal| refusal)
}

fn command(call: &Call<'_>, action: Action, tables: &[Arc<Table>]) -> Result<Reply, Reply> {
    let now = now_ms();
    let mut out = String::new();
    if call.arg(0).is_empty() {
        if action != Action::Show {
            return Err(action.usage());
        }
        // The last one declared comes first.
        tables.iter().rev().for_each(|t| t.show_head(now, &mut out));
        return Ok(Reply::Dump(out));
    }
    let table = tables.iter().find(|t| **t.name() == *call.arg(0));
    let table = table.ok_or_else(|| Reply::err("No such table"))?;
    if action != Action::Show {
        call.require(Level::Operator)?;
    }
    match call.arg(1) {
        "key" | "ptr" => return one(call, action, table, now),
        "" => {}
        data if data.starts_with("data.") => {}
        _ => return Err(action.usage()),
    }
    let filters = filters(call, action, table)?;
    match action {
        Action::Show => {
            table.show_head(now, &mut out);
            if call.require(Level::Operator).is_err() {
                out.push_str("# contents not dumped due to insufficient privileges\n");
                return Ok(Reply::Dump(out));
            }
            let passes = |e: &&Arc<Entry>| filters.iter().all(|f| f.passes(table, e, now));
            table.entries(now).iter().filter(passes).for_each(|e| table.show_entry(e, now, &mut out));
            Ok(Reply::Dump(out))
        }
        Action::Clear => {
            for entry in table.entries(now) {
                if filters.iter().all(|f| f.passes(table, &entry, now)) {
                    table.remove(&entry);
                }
            }
            Ok(Reply::Done)
        }
        Action::Set => Ok(Reply::Done),
    }
}

/// `data.<type> <operator> <value>`, up to four times.
fn filters(call: &Call<'_>, action: Action, table: &Table) -> Result<Vec<Filter>, Reply> {
    let mut list = Vec::new();
    if call.arg(1).is_empty() {
        return Ok(list);
    }
    if action == Action::Set {
        let text = "content-based lookup is only supported with the \"show\" and \"clear\" actions";
        return Err(Reply::err(text));
    }
    let mut at = 1;
    while list.len() < FILTERS && !call.arg(at).is_empty() {
        let fail = |text: &str| Reply::err(format!("Filter entry #{}: {text}", list.len() + 1));
        let (data, index) = data_type(call.arg(at)).ok_or_else(|| fail("Unknown data type"))?;
        if !table.layout().stores(data) {
            return Err(fail("Data type not stored in this table"));
        }
        let compare = Compare::find(call.arg(at + 1)).ok_or_else(|| {
            fail("Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"")
        })?;
        let value = call.arg(at + 2).parse();
        let value = value.map_err(|_| fail("Require a valid integer value to compare against"))?;
        list.push(Filter { data, index, compare, value });
        at += 3;
    }
    if !call.arg(at).is_empty() {
        // Counted with the three words before the filters.
        let (n, last) = (at + 3, call.arg(at - 1));
        return Err(Reply::err(format!(
            "Detected extra data in filter, {n}th word of input, after '{last}'"
        )));
    }
    Ok(list)
}

/// The data type behind `data.`, with the index into an array.
fn data_type(word: &str) -> Option<(DataType, u32)> {
    let name = word.get(5..).unwrap_or_default();
    let Some((name, index)) = name.split_once('[') else { return Some((DataType::find(name)?, 0)) };
    let data = DataType::find(name).filter(|d| d.is_array())?;
    Some((data, index.strip_suffix(']')?.parse().ok()?))
}

/// Acts on one entry.
fn one(call: &Call<'_>, action: Action, table: &Table, now: u64) -> Result<Reply, Reply> {
    let entry = if call.arg(1) == "key" {
        by_key(call.arg(2), action, table, now)?
    } else {
        Some(by_pointer(call.arg(2), table, now)?)
    };
    if let KeyType::Binary(_) = table.key_type() {
        let doing = match action {
            Action::Show => "Showing keys from",
            Action::Set => "Inserting keys into",
            Action::Clear => "Removing keys from",
        };
        return Err(Reply::err(format!(
            "{doing} tables of type other than ip, ipv6, string and integer is not supported"
        )));
    }
    call.require(Level::Operator)?;
    let Some(entry) = entry else { return Ok(Reply::Done) };
    match action {
        Action::Show => {
            let mut out = String::new();
            table.show_head(now, &mut out);
            table.show_entry(&entry, now, &mut out);
            Ok(Reply::Dump(out))
        }
        Action::Clear if table.remove(&entry) => Ok(Reply::Done),
        Action::Clear => Err(Reply::err("Entry currently in use, cannot remove")),
        Action::Set => {
            table.refresh(&entry, now);
            set(call, table, &entry, now)
        }
    }
}

/// The entry of a key, made to be set if there is none.
fn by_key(key: &str, action: Action, table: &Table, now: u64) -> Result<Option<Arc<Entry>>, Reply> {
    if key.is_empty() {
        return Err(Reply::err("Key value expected"));
    }
    let invalid = || Reply::err("Invalid key");
    let mut value = Value::str(key.as_bytes());
    if let KeyType::Ipv4 | KeyType::Ipv6 = table.key_type() {
        value = value.cast(Type::Addr).ok_or_else(invalid)?;
    }
    let key = stick::key(table, value).ok_or_else(invalid)?;
    if action != Action::Set {
        return Ok(table.find(&key, now));
    }
    table.find_or_make(&key, now).map(Some).ok_or_else(|| Reply::err("Unable to allocate a new entry"))
}

/// The entry at an address that `show table` has told.
fn by_pointer(word: &str, table: &Table, now: u64) -> Result<Arc<Entry>, Reply> {
    let Some(digits) = word.strip_prefix("0x") else {
        return Err(Reply::err("Pointer expected (0xffff notation)"));
    };
    let address = usize::from_str_radix(digits, 16).map_err(|_| Reply::err("Malformed ptr."))?;
    let found = table.entries(now).into_iter().find(|e| Arc::as_ptr(e).addr() == address);
    found.ok_or_else(|| Reply::err("No entry can be found matching ptr."))
}

/// `data.<type> <value>`, as often as wanted; what stands before a mistake is set.
fn set(call: &Call<'_>, table: &Table, entry: &Entry, now: u64) -> Result<Reply, Reply> {
    let mut at = 3;
    while !call.arg(at).is_empty() {
        if !call.arg(at).starts_with("data.") {
            return Err(Reply::err("\"data.<type>\" followed by a value expected"));
        }
        let (data, index) = data_type(call.arg(at)).ok_or_else(|| Reply::err("Unknown data type"))?;
        if !table.layout().stores(data) {
            return Err(Reply::err("Data type not stored in this table"));
        }
        let value = call.arg(at + 1).parse();
        let value = value.map_err(|_| Reply::err("Require a valid integer value to store"))?;
        if !table.set(entry, data, index, value, now) {
            return Err(Reply::err("index out of range in this data array"));
        }
        at += 2;
    }
    Ok(Reply::Done)
}

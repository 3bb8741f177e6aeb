//! Stick tables (manual chapter 11).

use crate::pos::{Pos, Word};
use std::sync::Arc;

/// What the keys of a table are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyType {
    /// `ip`, `ipv4`.
    #[default]
    Ipv4,
    /// `ipv6`.
    Ipv6,
    /// `integer`: 32 bits.
    Integer,
    /// `string`, cut after so many bytes.
    String(u32),
    /// `binary`: blocks of so many bytes, cut or filled with zeroes.
    Binary(u32),
}

impl KeyType {
    /// The word of the configuration and of `show table`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ip",
            Self::Ipv6 => "ipv6",
            Self::Integer => "integer",
            Self::String(_) => "string",
            Self::Binary(_) => "binary",
        }
    }

    /// Most bytes of a key.
    pub fn size(self) -> u32 {
        match self {
            Self::Ipv4 | Self::Integer => 4,
            Self::Ipv6 => 16,
            Self::String(n) | Self::Binary(n) => n,
        }
    }
}

/// What an entry may hold besides its key (manual 11.1). The order is that of `show table`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the data type of that name in the manual")]
pub enum DataType {
    ServerId,
    Gpt0,
    Gpc0,
    Gpc0Rate,
    ConnCnt,
    ConnRate,
    ConnCur,
    SessCnt,
    SessRate,
    HttpReqCnt,
    HttpReqRate,
    HttpErrCnt,
    HttpErrRate,
    BytesInCnt,
    BytesInRate,
    BytesOutCnt,
    BytesOutRate,
    Gpc1,
    Gpc1Rate,
    ServerKey,
    HttpFailCnt,
    HttpFailRate,
    Gpt,
    Gpc,
    GpcRate,
    GlitchCnt,
    GlitchRate,
}

/// How a data type is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A signed integer of 32 bits.
    Signed,
    /// An unsigned integer of 32 bits.
    Count,
    /// An unsigned integer of 64 bits.
    Bytes,
    /// Events in a period.
    Rate,
    /// A text.
    Text,
}

/// The data types with their names and forms, in order.
#[rustfmt::skip]
const DATA_TYPES: [(DataType, &str, Form); DataType::COUNT] = [
    (DataType::ServerId,     "server_id",      Form::Signed),
    (DataType::Gpt0,         "gpt0",           Form::Count),
    (DataType::Gpc0,         "gpc0",           Form::Count),
    (DataType::Gpc0Rate,     "gpc0_rate",      Form::Rate),
    (DataType::ConnCnt,      "conn_cnt",       Form::Count),
    (DataType::ConnRate,     "conn_rate",      Form::Rate),
    (DataType::ConnCur,      "conn_cur",       Form::Count),
    (DataType::SessCnt,      "sess_cnt",       Form::Count),
    (DataType::SessRate,     "sess_rate",      Form::Rate),
    (DataType::HttpReqCnt,   "http_req_cnt",   Form::Count),
    (DataType::HttpReqRate,  "http_req_rate",  Form::Rate),
    (DataType::HttpErrCnt,   "http_err_cnt",   Form::Count),
    (DataType::HttpErrRate,  "http_err_rate",  Form::Rate),
    (DataType::BytesInCnt,   "bytes_in_cnt",   Form::Bytes),
    (DataType::BytesInRate,  "bytes_in_rate",  Form::Rate),
    (DataType::BytesOutCnt,  "bytes_out_cnt",  Form::Bytes),
    (DataType::BytesOutRate, "bytes_out_rate", Form::Rate),
    (DataType::Gpc1,         "gpc1",           Form::Count),
    (DataType::Gpc1Rate,     "gpc1_rate",      Form::Rate),
    (DataType::ServerKey,    "server_key",     Form::Text),
    (DataType::HttpFailCnt,  "http_fail_cnt",  Form::Count),
    (DataType::HttpFailRate, "http_fail_rate", Form::Rate),
    (DataType::Gpt,          "gpt",            Form::Count),
    (DataType::Gpc,          "gpc",            Form::Count),
    (DataType::GpcRate,      "gpc_rate",       Form::Rate),
    (DataType::GlitchCnt,    "glitch_cnt",     Form::Count),
    (DataType::GlitchRate,   "glitch_rate",    Form::Rate),
];

impl DataType {
    /// How many there are.
    pub const COUNT: usize = 27;
    /// Most elements of an array.
    pub const MOST: u32 = 100;

    /// By its number.
    pub const fn at(number: u8) -> Self {
        DATA_TYPES[number as usize].0
    }

    /// By name; `server_name` is an older one of `server_key`.
    pub fn find(name: &str) -> Option<Self> {
        let name = if name == "server_name" { "server_key" } else { name };
        DATA_TYPES.iter().find(|t| t.1 == name).map(|t| t.0)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        DATA_TYPES[self as usize].1
    }

    /// How it is held.
    pub fn form(self) -> Form {
        DATA_TYPES[self as usize].2
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        matches!(self, Self::Gpt | Self::Gpc | Self::GpcRate)
    }
}

/// One stored data type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Which.
    pub data: DataType,
    /// Elements of the array, 1 for what is none.
    pub count: u32,
    /// Period of a rate (ms), else 0.
    pub period: u32,
}

/// A `stick-table` line.
#[derive(Clone, Debug, Default)]
pub struct StickTable {
    /// Where.
    pub pos: Pos,
    /// Its name, that of its proxy.
    pub name: Arc<str>,
    /// `type`.
    pub key: KeyType,
    /// `size`: most entries.
    pub size: u32,
    /// `expire` (ms).
    pub expire: Option<u32>,
    /// `nopurge`: no entry has to make room for another one.
    pub nopurge: bool,
    /// `recv-only`.
    pub recv_only: bool,
    /// `write-to`.
    pub write_to: Option<Word>,
    /// `srvkey addr`: servers are remembered by their address, not by their name.
    pub by_address: bool,
    /// `brates-factor`: how many bytes count as one in rates.
    pub brates_factor: u32,
    /// `store`, without duplicates.
    pub store: Vec<Stored>,
}

impl StickTable {
    /// How a data type is stored, if it is.
    pub fn stored(&self, data: DataType) -> Option<&Stored> {
        self.store.iter().find(|s| s.data == data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_types() {
        for (i, (data, name, _)) in DATA_TYPES.iter().enumerate() {
            assert_eq!(*data as usize, i, "{name}");
            assert_eq!(DataType::find(name), Some(*data));
        }
    }
}

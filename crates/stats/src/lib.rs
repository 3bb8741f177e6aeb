//! The statistics (management guide 9.1): one table of columns, rows of frontends, listeners, servers and
//! backends, and the formats in which they are shown. What shows statistics takes them from here.

pub mod column;
mod fill;
pub mod metrics;
pub mod page;
mod row;
mod select;
mod urlcode;
mod write;

pub use column::{COLUMNS, Col, Column, Kind, Metric};
pub use fill::{Backend, Frontend, Server, backend, frontend, listener, server};
pub use row::{Census, Object, Row, Value};
pub use select::{Selection, Which};
pub use write::{Format, csv, csv_header, print};

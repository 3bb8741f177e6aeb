//! Rule sets: compiled actions and conditions, evaluated on a transaction.

pub mod txn;

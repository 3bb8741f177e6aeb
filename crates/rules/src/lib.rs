//! Rule sets and actions.

//! Session and stream state machines.

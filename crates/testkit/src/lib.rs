//! Helpers for integration tests: mock peers, the real binary, ports.

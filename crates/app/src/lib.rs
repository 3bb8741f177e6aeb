//! Boot, workers, signals, snapshot.

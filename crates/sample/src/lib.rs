//! Samples: fetches, converters, patterns, ACLs, log-format.

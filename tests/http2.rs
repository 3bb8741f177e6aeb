//! HTTP/2 on listeners.

//! Hawser: a load balancer that runs an unmodified haproxy.cfg.

fn main() {}

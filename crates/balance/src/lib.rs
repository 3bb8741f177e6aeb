//! Servers, load balancing, queues, connection pools.

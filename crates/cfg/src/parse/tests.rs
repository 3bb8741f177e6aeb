//! Tables of configurations and what the parser says about them.

//! Bind lines to receivers and accept loops.

//! The commands, one a module: its options first, then what it does.

pub mod trace;

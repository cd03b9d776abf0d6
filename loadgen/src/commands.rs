//! The commands, one a module: its options first, then what it does.

pub mod check;
pub mod reproduce;
pub mod simulate;
mod table;
pub mod trace;

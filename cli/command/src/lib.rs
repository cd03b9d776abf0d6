//! What the commands `splinter` and `loadgen` share, so that they speak alike.
//!
//! - [`arguments`]: the options that every command has.
//! - [`connection`]: the way to a running system.
//! - [`output`]: results on standard output, everything else on standard error; files whole or not at all.
//! - [`page`]: pages with plots that need neither network nor other files.

pub mod arguments;
pub mod connection;
mod ending;
pub mod output;
pub mod page;

pub use arguments::{BrokerArguments, OutputArguments};
pub use ending::run;

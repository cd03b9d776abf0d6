//! What the wire promises: released bytes decode for ever, hostile bytes are refused with a typed error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codecs;
mod fixtures;
mod hostile;
mod samples;
mod values;

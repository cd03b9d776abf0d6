//! The cloud executor over a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod refusals;
mod site;
mod tails;

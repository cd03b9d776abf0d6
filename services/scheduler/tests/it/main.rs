//! The live scheduler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fronts;
mod service;

//! The live scheduler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod executors;
mod faults;
#[allow(dead_code, reason = "the tests of the policies use the rest")]
#[path = "../../../../policy/tests/it/fronts.rs"]
mod fronts;
mod service;
mod shadow;

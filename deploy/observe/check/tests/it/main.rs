//! The dashboard, the alert rules and the traces, against running services.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod collector;
#[allow(dead_code, reason = "the tests of the policies use the rest")]
#[path = "../../../../../policy/tests/it/fronts.rs"]
mod fronts;
mod hardware;
mod names;
mod prometheus;
mod rules;
mod site;
mod traces;
#[allow(dead_code, reason = "the tests of the tuner use the rest")]
#[path = "../../../../../services/tuner/tests/it/trees.rs"]
mod trees;

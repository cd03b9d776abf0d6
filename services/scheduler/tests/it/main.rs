//! The scheduler from outside: its rule, its choice of executors, the paper's record, and the live service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod floors;
mod fronts;
mod properties;
mod replay;
mod rule;
mod service;
mod site;

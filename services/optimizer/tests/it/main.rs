//! The optimizer from outside, on a real broker, with executors whose latencies and joules are known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod measuring;
mod refresh;
mod refusals;
mod search;
mod site;

//! The edge executor over a real broker, with a real cloud executor or one that misbehaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cloud_trouble;
mod concurrency;
mod leaving;
mod refusals;
mod site;
mod splits;
mod swap;
mod tuner_trouble;

//! The command `loadgen` against a responder behind a real `nats-server`, and in the simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod evaluate;
mod full_disk;
mod program;
mod record;
mod replay;
mod reproduce;
mod responder;

//! Splinter as its users meet it: the real command, a real broker, real networks, clients from outside Rust.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod client;
mod clients;
mod codecs;
mod cuts;
mod demo;
mod energy;
mod evaluate;
mod failover;
mod fronts;
mod halves;
mod hanging;
mod imagenet;
mod pull;
mod system;

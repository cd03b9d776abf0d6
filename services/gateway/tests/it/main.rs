//! The gateway from outside: over NATS as a plain client and as one of ours, and over HTTP, on a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod chromium;
mod events;
mod hardening;
mod http;
mod leaving;
mod nats;
mod open_inference;
mod page;
mod plain;
mod renewal;
mod scheduler_gone;
mod site;
mod traffic;

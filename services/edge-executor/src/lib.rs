//! Runs heads and whole networks on the edge, calls a cloud executor for the tails, and finishes at home when it must.
//!
//! Serves `splinter.v1.exec.edge.<model>[.<instance>]`. Several requests are in flight at once: while one frontier
//! travels, the head of the next request runs. The edge keeps each frontier until it has the answer; when no cloud
//! executor answers in time it runs the tail itself.

mod budget;
mod clock;
mod cloud;
mod energy;
mod execution;
mod hardware;
mod link;
mod local;
mod service;
mod settings;
mod targets;
mod threads;

pub use service::{EdgeError, Running, start};
pub use settings::{LinkSettings, Settings};

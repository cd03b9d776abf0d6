//! The offline phase: measures the configurations of a network over the live pipeline and publishes its front.
//!
//! # In
//! NATS `splinter.v1.optimize.<model>`: a MessagePack [`schemas::OptimizeRequest`], answered minutes later with a
//! [`schemas::OptimizeReply`]; give the call a far deadline. One network is measured at a time, a second request is
//! refused as overloaded.
//!
//! # Out
//! Executions on `splinter.v1.exec.edge.<model>.<instance>`, progress on `splinter.v1.event.optimize`, the front into
//! the bucket `splinter-fronts`.
//!
//! # What is measured
//! - [`space`]: every cut with every codec that is set at the highest clock, the two ends at every clock, and
//!   everything at every clock when that stays within the budget; in two passes, interleaved and the second in
//!   reverse, against drift.
//! - A configuration is run once to warm it up, then `samples` times, with the pictures in turn: the same ones for
//!   every configuration.
//! - The latency of a sample is the wall time of the call to the edge executor, as a gateway would wait for
//!   it, less the time of setting the hardware ([`record`]).
//! - A reply of another configuration than the one asked for (the edge finished at home, the clock stayed) is
//!   rejected and asked for again; a configuration that does not run is left out with a warning.
//! - [`guard`]: a codec that costs more of the answers than is set is not offered at that cut, and the front says so.
//! - [`pareto`]: of what is offered, the front is what no other measurement dominates in (mean latency, joules, 1 − accuracy).

mod campaign;
mod error;
pub mod guard;
pub mod pareto;
pub mod record;
mod service;
mod settings;
pub mod site;
pub mod space;
pub mod statistics;

pub use error::Error;
pub use service::{Running, start};
pub use settings::Settings;

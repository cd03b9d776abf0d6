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
//! - [`space`]: the legal configurations, of what is declared and what the network and the machines have.
//! - A strategy of the crate `search` chooses among them; the two baselines (everything in the cloud, everything on the
//!   edge) come first. On the run that warms up a baseline the layers are timed, which tells the strategy how much work lies
//!   before each cut.
//! - A configuration is run once to warm it up, then sampled with the pictures in turn, the same ones for every
//!   configuration, until the confidence interval of the latency's quantile is narrow enough ([`statistics`]) or
//!   it has had its most samples. Those of one batch take turns, each round the other way, against drift.
//! - The latency of a sample is the wall time of the call to the edge executor, as a gateway would wait for
//!   it, less the time of setting the hardware ([`record`]).
//! - A reply of another configuration than the one asked for (the edge finished at home, the clock stayed) is
//!   rejected and asked for again; a configuration that does not run is left out with a warning. When a machine is lost,
//!   it is waited for, or another of its kind goes on.
//! - [`physics`]: what contradicts physics is measured again, and called suspect when it still does.
//! - Answers are the same for all configurations that compute the same; each such set is judged on the labelled pictures.
//! - [`guard`]: a codec that costs more of the answers than is set is not offered at that cut, and the front says so.
//! - [`front`]: of what is offered, the front is what no other measurement dominates in (latency quantile, joules,
//!   1 − accuracy) beyond noise.
//! - [`journal`]: everything is written down as it happens; the same request goes on where an earlier one was broken
//!   off.
//!
//! # Keeping it true
//! The task `refresh` looks at the receipts of live requests. [`drift`] says which configurations are no longer what the front
//! says; those, and what shares a stage with them, are measured again, between live requests and never while one is under way,
//! and the next revision is published. With `optimizer.refresh_idle_ms` that happens by itself when nobody asks for a while.

mod campaign;
mod changes;
pub mod drift;
mod error;
mod facts;
mod forecast;
pub mod front;
pub mod guard;
mod idle;
pub mod journal;
mod ledger;
mod measure;
pub mod objectives;
pub mod physics;
pub mod predictions;
mod probe;
mod publish;
mod receipts;
pub mod record;
mod refresh;
mod sampler;
mod service;
mod settings;
pub mod site;
pub mod space;
pub mod statistics;

pub use error::Error;
pub use service::{Running, start};
pub use settings::Settings;

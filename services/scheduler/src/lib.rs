//! Chooses, for every request, where to cut the network and how fast the edge runs.
//!
//! # What it promises
//! - `splinter.v1.plan.<model>` is answered with a [`schemas::Plan`] or a typed error; a plan keeps the request's
//!   floors, and is made from one revision of one front.
//! - With no cloud executor present, or no front, everything runs on the edge.
//! - The decision itself is pure code ([`policy`], [`site`], [`plan`]): the simulator runs the same.
//!
//! # Layout
//! - [`policy`]: the paper's rule and the baselines over a front that was sorted once.
//! - [`site`]: which executors and which front.
//! - [`plan`]: the two together: a request in, a plan or the reason why there is none out.
//! - `service`: the shell that watches presences and fronts and answers.

pub mod plan;
pub mod policy;
mod service;
mod settings;
pub mod site;

pub use service::{Running, SchedulerError, start};
pub use settings::Settings;

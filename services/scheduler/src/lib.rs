//! Chooses, for every request, where to cut the network and how fast the edge runs.
//!
//! # What it promises
//! - `splinter.v1.plan.<model>` is answered with a [`schemas::Plan`] or a typed error; a plan keeps the request's
//!   floors, and is made from one revision of one front.
//! - With no cloud executor present, or no front, everything runs on the edge.
//! - A second policy may be asked beside the one that decides (shadow mode): it changes nothing, and how both compare is
//!   published each second on `splinter.v1.metrics.scheduler.<instance>`.
//! - Which policies these are may be changed while everything runs (`broker::PolicyChoices`).
//! - The decision itself is pure code (crate `policy`): the simulator runs the same.
//!
//! # Layout
//! - `world`: what is known now: presences, fronts, and the state of each edge machine under each front.
//! - `service`: the shell that watches, answers and follows receipts.

mod service;
mod settings;
mod world;

pub use service::{Running, SchedulerError, start};
pub use settings::Settings;

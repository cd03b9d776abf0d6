//! The offline phase's pure core. No clock, no network, no file but those that are given by name.
//!
//! - [`space`]: the configurations that may be chosen.
//! - [`strategy`]: which of them to measure next, behind one ask/tell trait.
//! - [`objectives`], [`hypervolume`]: what is better, and how good a front is; [`front`]: what of it is sure.
//! - [`greybox`], [`gaussian`], [`improvement`]: the model behind the default strategy.
//! - [`pool`], [`comparison`]: recorded measurements, and strategies compared on them without machines.

pub mod anchors;
pub mod comparison;
mod error;
pub mod front;
pub mod gaussian;
pub mod greybox;
pub mod hypervolume;
pub mod improvement;
pub mod knob;
pub mod objectives;
mod observation;
pub mod pool;
pub mod space;
pub mod strategy;

pub use error::{Error, TextPlace};
pub use observation::{CutFacts, Observation, Parts};
pub use space::{Candidate, Space};

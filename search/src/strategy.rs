//! Search strategies: which configurations to measure next. All of them behind one trait, all from a seed.

pub mod fixed;
pub mod genetic;
pub mod greybox;
mod name;
mod stop;

pub use name::StrategyName;
pub use stop::{Patience, StopRule};

use crate::greybox::Prediction;
use crate::observation::Observation;
use crate::space::Candidate;

/// Chooses what is measured next, from what was measured before.
///
/// Several pairs of machines may measure side by side: candidates may be asked for before earlier ones were told, and
/// told in any order.
pub trait Strategy: Send {
    /// Up to `count` legal candidates to measure next. None was given before, except after [`Strategy::failed`] by a
    /// strategy that wants it again.
    ///
    /// Empty when it has none now: either it waits for what was asked ([`Strategy::is_finished`] is false) or it
    /// is done.
    fn ask(&mut self, count: usize) -> Vec<Candidate>;

    /// What a candidate turned out to be. One that was never asked for (measured before a restart, or imported) is as
    /// good as any.
    fn tell(&mut self, candidate: Candidate, observation: &Observation);

    /// A candidate could not be measured.
    fn failed(&mut self, candidate: Candidate);

    /// Whether it wants nothing more: the space is exhausted, or more measurements are not worth their price.
    fn is_finished(&self) -> bool;

    /// What it believes of a candidate, measured or not; `None` by a strategy without a model.
    fn prediction(&self, _candidate: Candidate) -> Option<Prediction> {
        None
    }

    /// What the last candidate that was asked for was expected to add to the front, as a share of its hypervolume;
    /// `None` by a strategy that expects nothing, and for what is measured in any case.
    fn expected_gain(&self) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests;

//! Traces of a link: how fast it is at each time.
//!
//! `docs/traces.md` says how one is written.

mod file;
pub mod process;

use schemas::{LinkState, Millis};

use crate::error::LoadgenError;

/// The states of a link, each from its time until the next one's. The first begins at 0, times rise.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkTrace {
    states: Vec<(Millis, LinkState)>,
}

impl LinkTrace {
    /// Takes states with their times; refuses what is no link trace. A first time after 0 is moved to 0: the link was
    /// there before it was looked at.
    pub fn new(mut states: Vec<(Millis, LinkState)>) -> Result<Self, LoadgenError> {
        let Some(first) = states.first_mut() else {
            return Err(LoadgenError::InvalidLink("it has no state".into()));
        };
        first.0 = Millis::ZERO;
        if let Some(position) = states.windows(2).position(|pair| pair[0].0 >= pair[1].0) {
            let problem = format!("state {}: its time is not after that of the one before", position + 2);
            return Err(LoadgenError::InvalidLink(problem));
        }
        Ok(Self { states })
    }

    /// The states with the times that they begin at.
    pub fn states(&self) -> &[(Millis, LinkState)] {
        &self.states
    }

    /// The state at a time; the last one lasts for ever.
    pub fn at(&self, time: Millis) -> LinkState {
        let after = self.states.partition_point(|(begin, _)| *begin <= time);
        self.states[after.saturating_sub(1)].1
    }

    /// When the state changes next after a time; `None` when it does not.
    pub fn next_change(&self, time: Millis) -> Option<Millis> {
        let after = self.states.partition_point(|(begin, _)| *begin <= time);
        self.states.get(after).map(|(begin, _)| *begin)
    }

    /// When the last state begins.
    pub fn last_change(&self) -> Millis {
        self.states.last().map_or(Millis::ZERO, |(begin, _)| *begin)
    }
}

#[cfg(test)]
mod tests;

//! What was seen of one configuration.

use schemas::{ByteCount, Joules, Millis, Share};

use crate::objectives::Objectives;

/// The stages of a configuration apart: what lets a model of one configuration speak for others that share a stage.
///
/// The times add up to the latency and the joules to the energy; a stage that does not exist (the tail at the last
/// cut) is zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Preprocessing, head and whatever else the edge does.
    pub edge_time: Millis,
    /// From edge to cloud and back.
    pub wire_time: Millis,
    /// Everything the cloud does.
    pub cloud_time: Millis,
    /// Joules of the edge, while it waits too.
    pub edge_energy: Joules,
    /// Joules of the cloud.
    pub cloud_energy: Joules,
}

/// What one configuration turned out to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Latency: the quantile or mean that the front is made for.
    pub latency: Millis,
    /// Energy of a request; `None` where nothing measures it.
    pub energy: Option<Joules>,
    /// Share of right answers; `None` without labels.
    pub accuracy: Option<Share>,
    /// The stages apart, where they are known.
    pub parts: Option<Parts>,
}

impl Observation {
    /// What it is judged by.
    pub fn objectives(&self) -> Objectives {
        Objectives::new(self.latency, self.energy, self.accuracy)
    }
}

/// What is known of a cut before anything is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutFacts {
    /// Bytes that cross it, by the plainest codec; zero at the last cut.
    pub bytes: ByteCount,
    /// The share of the network's work that is before it; `None` where nobody counted.
    pub work_before: Option<Share>,
    /// What the edge is thought to take there, at some setting of the other knobs; `None` where nobody timed its layers.
    pub edge_time: Option<Millis>,
    /// What the cloud is thought to take.
    pub cloud_time: Option<Millis>,
}

impl CutFacts {
    /// What is known of a cut of which only the bytes are.
    pub const fn of_bytes(bytes: ByteCount) -> Self {
        Self { bytes, work_before: None, edge_time: None, cloud_time: None }
    }
}

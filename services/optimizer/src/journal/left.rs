//! What an earlier run of a campaign left. Pure.

use std::collections::{HashMap, HashSet};

use schemas::{Configuration, LayerProfile};

use super::Entry;
use crate::record::{Answer, Nodes, Sample};

/// The lines of a log, by configuration.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// The samples that count, and the machines of the last of them.
    pub(crate) samples: HashMap<Configuration, (Nodes, Vec<Sample>)>,
    /// What was measured again because it contradicted physics.
    pub(crate) doubted: HashSet<Configuration>,
    /// Pictures that were classified without being measured.
    pub(crate) answers: Vec<(Configuration, usize, Answer)>,
    /// The time of each layer.
    pub(crate) profiles: HashMap<Configuration, Vec<LayerProfile>>,
}

impl Left {
    pub(crate) fn of(entries: Vec<Entry>) -> Self {
        let mut left = Self::default();
        entries.into_iter().for_each(|entry| left.take(entry));
        left
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Sample { configuration, nodes, sample } => {
                let known = self.samples.entry(configuration).or_insert_with(|| (nodes.clone(), Vec::new()));
                known.0 = nodes;
                known.1.push(sample);
            }
            Entry::SetAside { configuration, doubted } => {
                self.samples.remove(&configuration);
                if doubted {
                    self.doubted.insert(configuration);
                }
            }
            Entry::Answered { configuration, picture, answer } => {
                self.answers.push((configuration, picture, answer));
            }
            Entry::Profiled { configuration, profiles } => {
                self.profiles.insert(configuration, profiles);
            }
            Entry::Campaign { .. } | Entry::Ended { .. } => {}
        }
    }
}

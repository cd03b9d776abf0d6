//! What was measured of one configuration, sample by sample, and its summary. Pure.

use std::collections::BTreeMap;

use schemas::{
    Accuracy, ByteCount, Configuration, EnergyEntry, EnergySource, ExecuteReply, Joules, Measurement, Millis,
    Place, Share, Stage, StageTime, TimeSource,
};

use crate::statistics;

/// One picture, run once with the configuration that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// From the call to its answer, hardware change excluded.
    pub latency: Millis,
    /// Where the time went.
    pub stages: Vec<StageTime>,
    /// Where the energy went.
    pub energy: Vec<EnergyEntry>,
    /// Bytes sent to the cloud.
    pub sent_bytes: ByteCount,
    /// Which picture it was.
    pub picture: usize,
    /// What was answered.
    pub answer: Answer,
}

/// What was answered to a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The best class; `None` when the answer lists none.
    pub best: Option<u32>,
    /// Whether that is right; `None` where the picture's class is not known.
    pub right: Option<bool>,
}

/// The last answer to each picture.
pub type Answers = BTreeMap<usize, Answer>;

impl Sample {
    /// Reads a sample from an executor's reply.
    ///
    /// `wall` is the time of the whole call by the optimizer's clock: what a gateway would wait for, the way
    /// to the edge executor and back included. The time of setting the hardware is taken off: whoever
    /// stays at one configuration does not pay it, and whoever changes pays it once and not as a latency
    /// of the configuration.
    pub fn new(wall: Millis, reply: &ExecuteReply<'_>, picture: usize, class: Option<u32>) -> Self {
        let is_change = |stage: &&StageTime| stage.stage == Stage::HardwareChange;
        let change: Millis = reply.stages.iter().filter(is_change).map(|stage| stage.time_ms).sum();
        let best = reply.top.first().map(|top| top.index);
        Self {
            latency: wall - change,
            stages: reply.stages.iter().filter(|stage| !is_change(stage)).copied().collect(),
            energy: reply.energy.clone(),
            sent_bytes: reply.sent_bytes,
            picture,
            answer: Answer { best, right: class.map(|class| best == Some(class)) },
        }
    }
}

/// Why a reply is not a measurement of the configuration that was asked for; `None` when it is one.
///
/// An executor answers even when it had to do something else; a client is glad of that, a measurement is
/// spoilt by it.
pub fn deviation(asked: &Configuration, reply: &ExecuteReply<'_>) -> Option<String> {
    let ran = &reply.configuration;
    if let Some(fallback) = reply.fallback {
        return Some(format!("asked for {asked}, ran {ran} ({fallback:?})"));
    }
    let same_clock = asked.edge_frequency_khz.is_none() || asked.edge_frequency_khz == ran.edge_frequency_khz;
    let same = asked.cut == ran.cut && asked.codec == ran.codec && same_clock;
    (!same).then(|| format!("asked for {asked}, ran {ran}"))
}

/// All samples of one configuration.
#[derive(Debug, Clone)]
pub struct Record {
    configuration: Configuration,
    cut_name: String,
    samples: Vec<Sample>,
}

impl Record {
    /// Nothing measured yet.
    pub fn new(configuration: Configuration, cut_name: String) -> Self {
        Self { configuration, cut_name, samples: Vec::new() }
    }

    /// The configuration.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// The summary of all samples; `None` before the first.
    ///
    /// A stage that a sample lacks took no time in it. Energy that a sample lacks is unknown, so the mean
    /// of that place and source is left out.
    pub fn measurement(&self) -> Option<Measurement> {
        let latencies: Vec<Millis> = self.samples.iter().map(|sample| sample.latency).collect();
        let latency = statistics::summary(&latencies)?;
        let count = self.samples.len() as u64;
        let sent: u64 = self.samples.iter().map(|sample| sample.sent_bytes.0).sum();
        Some(Measurement {
            configuration: self.configuration,
            cut_name: self.cut_name.clone(),
            latency,
            stages: self.mean_stages(),
            energy: self.mean_energy(),
            accuracy: self.accuracy(),
            sent_bytes: ByteCount(sent / count),
            samples: u32::try_from(count).unwrap_or(u32::MAX),
            uncertainty: None,
            provenance: None,
        })
    }

    fn mean_stages(&self) -> Vec<StageTime> {
        let mut sums: Vec<StageTime> = Vec::new();
        for stage in self.samples.iter().flat_map(|sample| &sample.stages) {
            let key = stage_key(stage);
            match sums.iter_mut().find(|sum| stage_key(sum) == key) {
                Some(sum) => sum.time_ms += stage.time_ms,
                None => sums.push(*stage),
            }
        }
        let share = 1.0 / self.samples.len() as f64;
        sums.into_iter().map(|sum| StageTime { time_ms: sum.time_ms * share, ..sum }).collect()
    }

    fn mean_energy(&self) -> Vec<EnergyEntry> {
        let mut sums: BTreeMap<(Place, EnergySource), (Joules, usize)> = BTreeMap::new();
        for sample in &self.samples {
            let mut of_sample: BTreeMap<(Place, EnergySource), Joules> = BTreeMap::new();
            for entry in &sample.energy {
                *of_sample.entry((entry.place, entry.source)).or_default() += entry.joules;
            }
            for (key, joules) in of_sample {
                let (sum, samples) = sums.entry(key).or_default();
                *sum += joules;
                *samples += 1;
            }
        }
        let count = self.samples.len();
        sums.into_iter()
            .filter(|(_, (_, samples))| *samples == count)
            .map(|((place, source), (sum, _))| EnergyEntry {
                place,
                source,
                joules: sum * (1.0 / count as f64),
            })
            .collect()
    }

    /// What was answered; each picture counts once, however often it was run.
    pub fn answers(&self) -> Answers {
        self.samples.iter().map(|sample| (sample.picture, sample.answer)).collect()
    }

    fn accuracy(&self) -> Option<Accuracy> {
        let rights: Vec<bool> = self.answers().values().filter_map(|answer| answer.right).collect();
        if rights.is_empty() {
            return None;
        }
        let right = rights.iter().filter(|right| **right).count();
        Some(Accuracy {
            share: Share::saturating(right as f64 / rights.len() as f64),
            pictures: u32::try_from(rights.len()).unwrap_or(u32::MAX),
        })
    }
}

fn stage_key(stage: &StageTime) -> (Stage, Place, TimeSource) {
    (stage.stage, stage.place, stage.source)
}

#[cfg(test)]
mod tests;

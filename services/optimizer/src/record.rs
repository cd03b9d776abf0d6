//! What was measured of one configuration, sample by sample, and its summary. Pure.

use std::collections::BTreeMap;

use schemas::{
    Accelerator, Accuracy, ByteCount, Codec, Configuration, Cut, EnergyEntry, EnergySource, ExecuteReply,
    Expectation, HardwareReadBack, Joules, Measurement, Millis, NodeId, Place, Provenance, Share, Stage,
    StageTime, TimeSource, Uncertainty, UnixMillis, hardware_change, total_joules,
};
use serde::{Deserialize, Serialize};

use crate::site::Pair;
use crate::statistics;

/// One picture, run once with the configuration that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the answer was there.
    pub at: UnixMillis,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The best class; `None` when the answer lists none.
    pub best: Option<u32>,
    /// Whether that is right; `None` where the picture's class is not known.
    pub right: Option<bool>,
}

/// The last answer to each picture.
pub type Answers = BTreeMap<usize, Answer>;

/// Configurations that give the same answers: wherever a network is cut and at whatever clock, its exact frontier leads to
/// the same output on the same accelerators. A codec that loses something makes its own at each cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerGroup {
    edge_accelerator: Accelerator,
    cloud_accelerator: Accelerator,
    lossy: Option<(Cut, Codec)>,
}

impl AnswerGroup {
    /// The group of a configuration.
    pub fn of(configuration: &Configuration) -> Self {
        let Configuration { cut, codec, edge_accelerator, cloud_accelerator, .. } = *configuration;
        let lossy = (!codec.is_exact()).then_some((cut, codec));
        Self { edge_accelerator, cloud_accelerator, lossy }
    }
}

/// The share of right answers; `None` where no class is known. Each picture counts once.
pub fn accuracy(answers: &Answers) -> Option<Accuracy> {
    let rights: Vec<bool> = answers.values().filter_map(|answer| answer.right).collect();
    if rights.is_empty() {
        return None;
    }
    let right = rights.iter().filter(|right| **right).count();
    Some(Accuracy {
        share: Share::saturating(right as f64 / rights.len() as f64),
        pictures: u32::try_from(rights.len()).unwrap_or(u32::MAX),
    })
}

impl Sample {
    /// Reads a sample from an executor's reply.
    ///
    /// `wall` is the time of the whole call by the optimizer's clock: what a gateway would wait for, the way
    /// to the edge executor and back included. The time of setting the hardware is taken off: whoever
    /// stays at one configuration does not pay it, and whoever changes pays it once and not as a latency
    /// of the configuration.
    pub fn new(wall: Millis, reply: &ExecuteReply<'_>, picture: usize, class: Option<u32>) -> Self {
        let is_change = |stage: &&StageTime| stage.stage == Stage::HardwareChange;
        let change = hardware_change(&reply.stages).unwrap_or_default();
        let best = reply.top.first().map(|top| top.index);
        Self {
            at: UnixMillis::now(),
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
    let same_engines = asked.edge_accelerator == ran.edge_accelerator
        && asked.edge_threads == ran.edge_threads
        && asked.cloud_accelerator == ran.cloud_accelerator;
    let same = asked.cut == ran.cut && asked.codec == ran.codec && same_clock && same_engines;
    (!same).then(|| format!("asked for {asked}, ran {ran}"))
}

/// The two machines that ran something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// The edge.
    pub edge: NodeId,
    /// The cloud.
    pub cloud: NodeId,
}

impl Nodes {
    /// Those of a pair.
    pub fn of(pair: &Pair) -> Self {
        Self { edge: pair.edge_node.clone(), cloud: pair.cloud_node.clone() }
    }
}

/// All samples of one configuration.
#[derive(Debug, Clone)]
pub struct Record {
    configuration: Configuration,
    cut_name: String,
    samples: Vec<Sample>,
    nodes: Nodes,
    hardware: Option<HardwareReadBack>,
    expected: Option<Expectation>,
    was_doubted: bool,
}

impl Record {
    /// Nothing measured yet; `nodes` are the machines that will.
    pub fn new(configuration: Configuration, cut_name: String, nodes: Nodes) -> Self {
        Self {
            configuration,
            cut_name,
            samples: Vec::new(),
            nodes,
            hardware: None,
            expected: None,
            was_doubted: false,
        }
    }

    /// The configuration.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The machines that measure it.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// The mean latency; `None` before the first sample.
    pub fn mean_latency(&self) -> Option<Millis> {
        let sum: Millis = self.samples.iter().map(|sample| sample.latency).sum();
        (!self.samples.is_empty()).then(|| sum * (1.0 / self.samples.len() as f64))
    }

    /// How sure a quantile of the latencies is; `None` before the first sample.
    pub fn uncertainty(&self, quantile: Share) -> Option<Uncertainty> {
        let latencies: Vec<Millis> = self.samples.iter().map(|sample| sample.latency).collect();
        let joules: Option<Vec<Joules>> =
            self.samples.iter().map(|sample| total_joules(&sample.energy)).collect();
        statistics::uncertainty(&latencies, joules.as_deref(), quantile)
    }

    /// What was answered; each picture counts once, however often it was run.
    pub fn answers(&self) -> Answers {
        self.samples.iter().map(|sample| (sample.picture, sample.answer)).collect()
    }

    /// Samples that count.
    pub fn count(&self) -> u32 {
        u32::try_from(self.samples.len()).unwrap_or(u32::MAX)
    }

    /// Notes how the edge was set.
    pub fn read_back(&mut self, hardware: HardwareReadBack) {
        self.hardware = Some(hardware);
    }

    /// Notes what is expected; of several the first, before anything was measured.
    pub fn expect(&mut self, expected: Expectation) {
        self.expected.get_or_insert(expected);
    }

    /// Begins again on these machines: what was measured does not count, as the others ended in the middle of it.
    pub fn begin_again(&mut self, nodes: Nodes) {
        self.samples.clear();
        self.nodes = nodes;
    }

    /// Begins again because what was measured contradicts physics.
    pub fn doubt(&mut self) {
        self.samples.clear();
        self.was_doubted = true;
    }

    /// Whether it has been measured again for a contradiction.
    pub fn was_doubted(&self) -> bool {
        self.was_doubted
    }

    /// The summary of all samples; `None` before the first. `quantile` is the one that latencies are judged by, `answers`
    /// are those of the configuration's group.
    ///
    /// A stage that a sample lacks took no time in it. Energy that a sample lacks is unknown, so the mean
    /// of that place and source is left out.
    pub fn measurement(&self, quantile: Share, answers: &Answers) -> Option<Measurement> {
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
            accuracy: accuracy(answers),
            sent_bytes: ByteCount(sent / count),
            samples: self.count(),
            uncertainty: self.uncertainty(quantile),
            provenance: self.provenance(),
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

    fn provenance(&self) -> Option<Provenance> {
        Some(Provenance {
            first_at: self.samples.iter().map(|sample| sample.at).min()?,
            last_at: self.samples.iter().map(|sample| sample.at).max()?,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            edge: self.nodes.edge.clone(),
            cloud: self.nodes.cloud.clone(),
            hardware: self.hardware.clone(),
            expected: self.expected,
            measured_again: self.was_doubted,
            suspicions: Vec::new(),
        })
    }
}

fn stage_key(stage: &StageTime) -> (Stage, Place, TimeSource) {
    (stage.stage, stage.place, stage.source)
}

#[cfg(test)]
pub(crate) mod tests;

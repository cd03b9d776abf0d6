//! Fronts of recorded configurations, decided on by the scheduler's own core.

use policy::{Cloud, Point, PreparedFront, Refusal};
use schemas::{
    Accelerator, Accuracy, ByteCount, Configuration, Cut, Digest, EnergyEntry, EnergySource, Front, FrontId,
    HardwareChanges, Joules, KiloHertz, LatencySummary, Measurement, Millis, ModelName, NodeId, Place,
    PolicyName, Qos, Share, Stage, StageTime, TimeSource, UnixMillis,
};
use search::Parts;
use search::knob::{Knob, Value};
use search::objectives::{Objectives, non_dominated};

use super::{PooledSpread, Recording, cut_of};

/// What a front promises of a configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values {
    /// Mean, quantiles and spread of the latency.
    pub latency: LatencySummary,
    /// Energy of a request.
    pub energy: Option<Joules>,
    /// Share of right answers.
    pub accuracy: Option<Share>,
    /// The stages apart, for policies that look at them.
    pub parts: Option<Parts>,
    /// Runs behind it.
    pub samples: u32,
}

/// A configuration and what is promised of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// A place in [`Recording::configurations`].
    pub configuration: usize,
    /// The promise.
    pub values: Values,
}

/// A front over a recording, ready for the scheduler's policies.
#[derive(Debug, Clone)]
pub struct RecordedFront {
    front: Front,
    prepared: PreparedFront,
    points: Vec<Choice>,
    /// Every recorded configuration as the policies see it.
    configurations: Vec<Configuration>,
    all_cloud: usize,
    all_edge: usize,
}

impl Values {
    /// One run, as the paper takes it: its latency is the promise.
    pub fn of_row(recording: &Recording, row: usize) -> Self {
        let row = &recording.rows()[row];
        let latency = LatencySummary {
            mean_ms: row.latency,
            p50_ms: row.latency,
            p95_ms: row.latency,
            deviation_ms: Millis::ZERO,
        };
        Self { latency, energy: row.energy, accuracy: row.accuracy, parts: None, samples: 1 }
    }

    /// The mean of all runs of a configuration, with their spread.
    pub fn of_runs(recording: &Recording, configuration: usize) -> Self {
        let rows = &recording.configurations()[configuration].rows;
        let mean = |value: &dyn Fn(usize) -> Option<f64>| {
            let values: Option<Vec<f64>> = rows.iter().map(|&row| value(row)).collect();
            let values = values?;
            // Around the first, so that the mean of equal values is that value to the last bit.
            let apart: f64 = values.iter().map(|value| value - values[0]).sum();
            Some(values[0] + apart / values.len() as f64)
        };
        let at = |row: usize| &recording.rows()[row];
        let part = |part: &dyn Fn(&Parts) -> f64| mean(&|row| at(row).parts.as_ref().map(part));
        let parts = || {
            Some(Parts {
                edge_time: Millis::saturating(part(&|parts| parts.edge_time.get())?),
                wire_time: Millis::saturating(part(&|parts| parts.wire_time.get())?),
                cloud_time: Millis::saturating(part(&|parts| parts.cloud_time.get())?),
                edge_energy: Joules::saturating(part(&|parts| parts.edge_energy.get())?),
                cloud_energy: Joules::saturating(part(&|parts| parts.cloud_energy.get())?),
            })
        };
        let mut latencies: Vec<f64> = rows.iter().map(|&row| at(row).latency.get()).collect();
        let mean_ms = mean(&|row| Some(at(row).latency.get())).unwrap_or_default();
        latencies.sort_by(f64::total_cmp);
        Self {
            latency: summary(&latencies, mean_ms),
            energy: mean(&|row| at(row).energy.map(Joules::get)).map(Joules::saturating),
            accuracy: mean(&|row| at(row).accuracy.map(Share::get)).map(Share::saturating),
            parts: parts(),
            samples: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        }
    }

    /// What it is judged by.
    pub fn objectives(&self) -> Objectives {
        Objectives::new(self.latency.mean_ms, self.energy, self.accuracy)
    }
}

fn summary(sorted: &[f64], mean: f64) -> LatencySummary {
    let count = sorted.len();
    let at = |share: f64| sorted[((share * count as f64).ceil() as usize).clamp(1, count) - 1];
    let squares: f64 = sorted.iter().map(|latency| (latency - mean).powi(2)).sum();
    let deviation = if count > 1 { (squares / (count - 1) as f64).sqrt() } else { 0.0 };
    LatencySummary {
        mean_ms: Millis::saturating(mean),
        p50_ms: Millis::saturating(at(0.5)),
        p95_ms: Millis::saturating(at(0.95)),
        deviation_ms: Millis::saturating(deviation),
    }
}

impl RecordedFront {
    /// The non-dominated of some choices, in their order.
    pub fn non_dominated_of(recording: &Recording, choices: &[Choice], anchors: (usize, usize)) -> Self {
        let objectives: Vec<Objectives> = choices.iter().map(|choice| choice.values.objectives()).collect();
        let points = non_dominated(&objectives).into_iter().map(|place| choices[place]).collect();
        Self::new(recording, points, anchors)
    }

    /// The front of everything recorded: each configuration by the mean of its runs, with the spread of
    /// [`PooledSpread`].
    pub fn of_means(recording: &Recording, anchors: (usize, usize)) -> Self {
        let spread = PooledSpread::of(recording);
        let choice = |configuration: usize| {
            let values = Values::of_runs(recording, configuration);
            Choice { configuration, values: spread.applied(values, recording.side(configuration)) }
        };
        let choices: Vec<Choice> = (0..recording.configurations().len()).map(choice).collect();
        Self::non_dominated_of(recording, &choices, anchors)
    }

    /// From points in the order in which they were measured. `anchors` are the configurations of the baselines `cloud` and
    /// `edge`.
    pub fn new(recording: &Recording, points: Vec<Choice>, anchors: (usize, usize)) -> Self {
        let (all_cloud, all_edge) = anchors;
        let of_runs =
            |configuration| Choice { configuration, values: Values::of_runs(recording, configuration) };
        let front = Front {
            id: FrontId::fresh(),
            revision: 0,
            model: name("recorded"),
            digest: Digest::from_bytes([0; 32]),
            last_cut: recording.last_cut(),
            edge: node("edge"),
            emulates: None,
            cloud: node("cloud"),
            points: points.iter().map(|choice| measurement(recording, choice)).collect(),
            all_cloud: measurement(recording, &of_runs(all_cloud)),
            all_edge: measurement(recording, &of_runs(all_edge)),
            withheld: Vec::new(),
            hardware_changes: HardwareChanges::default(),
            tied: Vec::new(),
            suspects: Vec::new(),
            search: None,
            measured: u32::try_from(recording.configurations().len()).unwrap_or(u32::MAX),
            started_at: UnixMillis(0),
            ended_at: UnixMillis(0),
            software: concat!("loadgen ", env!("CARGO_PKG_VERSION")).to_owned(),
            content: None,
        };
        let places = 0..recording.configurations().len();
        let configurations = places.map(|place| configuration(recording, place)).collect();
        Self { prepared: PreparedFront::new(&front), front, points, configurations, all_cloud, all_edge }
    }

    /// The same as the optimizer publishes it.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// What the policies decide on.
    pub fn prepared(&self) -> &PreparedFront {
        &self.prepared
    }

    /// A place in [`Recording::configurations`] as the policies see it.
    pub fn configuration(&self, place: usize) -> Configuration {
        self.configurations[place]
    }

    /// The place in [`Recording::configurations`] that a decision means.
    pub fn at(&self, point: Point) -> usize {
        match point {
            // A recording has no ties.
            Point::OfFront(place) | Point::Tied(place) => self.points[place].configuration,
            Point::AllCloud => self.all_cloud,
            Point::AllEdge => self.all_edge,
        }
    }

    /// Decides a request by its latency limit alone, as the scheduler would. Gives the configuration's place in
    /// [`Recording::configurations`].
    ///
    /// # Errors
    /// A policy that the scheduler does not have.
    pub fn decide(&self, policy: PolicyName, limit: Millis) -> Result<usize, Refusal> {
        let decision = self.prepared.decide_by_front(policy, &Qos::within(limit), Cloud::Present)?;
        Ok(self.at(decision.point))
    }

    /// Its points, in the order in which they were measured.
    pub fn points(&self) -> &[Choice] {
        &self.points
    }
}

/// A recorded configuration as the scheduler's core sees it. Accelerators go by their place in the space's list: the first is the
/// processor. Policies compare configurations and read cut and clock; what an accelerator is they never ask.
fn configuration(recording: &Recording, place: usize) -> Configuration {
    let space = recording.space();
    let candidate = recording.configurations()[place].candidate;
    let accelerator = |knob: Knob| {
        let slot = candidate.place(knob).min(Accelerator::ALL.len() - 1);
        Accelerator::ALL[slot]
    };
    let cut: Cut = cut_of(space, candidate);
    Configuration {
        codec: match space.value(candidate, Knob::Codec) {
            Value::Codec(codec) => *codec,
            _ => schemas::Codec::default(),
        },
        edge_frequency_khz: clock(space.value(candidate, Knob::EdgeFrequency)),
        edge_accelerator: accelerator(Knob::EdgeAccelerator),
        edge_threads: match space.value(candidate, Knob::EdgeThreads) {
            Value::Threads(threads) => Some(*threads),
            _ => None,
        },
        cloud_accelerator: accelerator(Knob::CloudAccelerator),
        ..Configuration::at(cut)
    }
}

fn clock(value: &Value) -> Option<KiloHertz> {
    if let Value::Frequency(clock) = value { Some(*clock) } else { None }
}

fn measurement(recording: &Recording, choice: &Choice) -> Measurement {
    let Choice { configuration: place, values } = choice;
    let rows = &recording.configurations()[*place].rows;
    let entry = |place, joules| EnergyEntry { place, source: EnergySource::Measured, joules };
    // Without the stages the sum stays as it was recorded, to the last bit: ties are broken by it.
    let energy = match (values.parts, values.energy) {
        (Some(parts), Some(_)) => {
            vec![entry(Place::Edge, parts.edge_energy), entry(Place::Cloud, parts.cloud_energy)]
        }
        (None, Some(joules)) => vec![entry(Place::Edge, joules)],
        (_, None) => Vec::new(),
    };
    Measurement {
        configuration: configuration(recording, *place),
        cut_name: recording.cut(*place).to_string(),
        latency: values.latency,
        stages: values.parts.iter().flat_map(stages).collect(),
        energy,
        accuracy: values.accuracy.map(|share| Accuracy { share, pictures: 0 }),
        sent_bytes: recording.rows()[rows[0]].bytes.unwrap_or(ByteCount(0)),
        samples: values.samples,
        uncertainty: None,
        provenance: None,
    }
}

fn stages(parts: &Parts) -> [StageTime; 3] {
    let stage = |stage, place, time_ms| StageTime { stage, place, time_ms, source: TimeSource::Measured };
    [
        stage(Stage::Head, Place::Edge, parts.edge_time),
        stage(Stage::Transfer, Place::Wire, parts.wire_time),
        stage(Stage::Tail, Place::Cloud, parts.cloud_time),
    ]
}

#[expect(clippy::expect_used, reason = "the names are written here and are valid")]
fn name(text: &str) -> ModelName {
    ModelName::new(text).expect("a valid name")
}

#[expect(clippy::expect_used, reason = "the names are written here and are valid")]
fn node(text: &str) -> NodeId {
    NodeId::new(text).expect("a valid name")
}

//! What a report is made of: requests with their outcomes, and configurations as they were measured.

use std::collections::{BTreeMap, BTreeSet};

use schemas::{Configuration, Front, Joules, Measurement, Millis, PolicyName, Share, Stage};
use search::knob::{Knob, Value};

use crate::error::LoadgenError;
use crate::recording::{RecordedFront, Recording, Side, Values};

/// Everything that a report draws from. Whatever is empty is said to be missing; nothing is made up for it.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// What the page is called.
    pub title: String,
    /// What the results come from, in words: seeds, versions, machines, sources of energy.
    pub facts: Vec<(String, String)>,
    /// What was compared under equal conditions.
    pub cells: Vec<Cell>,
    /// Configurations as they were measured, by network.
    pub networks: Vec<Network>,
}

/// Requests of all policies under one condition: a network, a trace, a link.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// The condition, in words.
    pub name: String,
    /// Its network.
    pub model: String,
    /// Its trace.
    pub trace: String,
    /// How its times and joules came about where they were not measured as they are: `simulated`, then what, then the places.
    pub origins: BTreeMap<&'static str, BTreeMap<&'static str, BTreeSet<&'static str>>>,
    /// The requests, by policy.
    pub runs: Vec<PolicyRun>,
    /// One run as time passed.
    pub timeline: Option<Timeline>,
}

/// One run of one policy as time passed.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The policy.
    pub policy: PolicyName,
    /// The requests in the order of their times.
    pub requests: Vec<Request>,
    /// What the link could carry from when on: s since the run began, Mbit/s. Empty where it was left as it was.
    pub link: Vec<(f64, f64)>,
}

impl Cell {
    /// How times and joules came about, in a sentence with a blank after it; nothing where everything was measured as it is.
    pub fn origins_said(&self) -> String {
        let places = |places: &BTreeSet<&str>| places.iter().copied().collect::<Vec<_>>().join(", ");
        let of_origin = |(origin, whats): (&&str, &BTreeMap<&str, BTreeSet<&str>>)| {
            let whats: Vec<String> =
                whats.iter().map(|(what, at)| format!("{what} ({})", places(at))).collect();
            format!("{origin}: {}", whats.join(" and "))
        };
        let said: Vec<String> = self.origins.iter().map(of_origin).collect();
        if said.is_empty() { String::new() } else { format!("{}. ", said.join("; ")) }
    }
}

/// One policy's requests.
#[derive(Debug, Clone)]
pub struct PolicyRun {
    /// The policy.
    pub policy: PolicyName,
    /// Its requests.
    pub requests: Vec<Request>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// When it was to be sent, in s since the run began.
    pub at_s: f64,
    /// Its limit, ms.
    pub limit_ms: f64,
    /// From its arrival to its answer, ms; `None` when it got none.
    pub latency_ms: Option<f64>,
    /// Joules on the edge, on the wire and in the cloud; `None` where they are not known.
    pub joules: [Option<f64>; 3],
    /// The cut that ran.
    pub cut: Option<u16>,
    /// Where it ran.
    pub side: Option<Side>,
    /// The scheduler's decision, ms.
    pub plan_ms: Option<f64>,
    /// Setting the hardware, ms; `None` when it was set so already.
    pub change_ms: Option<f64>,
    /// The latency that no stage explains, ms: messages on their way.
    pub unexplained_ms: Option<f64>,
}

impl Request {
    /// All joules; `None` where none are known.
    pub fn energy_j(&self) -> Option<f64> {
        let known = self.joules.iter().flatten();
        known.copied().reduce(|sum, joules| sum + joules)
    }

    /// How far beyond its limit it was answered, ms; `None` for those within, and for those without an answer.
    pub fn violation_ms(&self) -> Option<f64> {
        self.latency_ms.map(|latency| latency - self.limit_ms).filter(|beyond| *beyond > 0.0)
    }
}

/// A network's measured configurations.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// The cut with everything on the edge.
    pub last_cut: u16,
    /// Each of them.
    pub measured: Vec<Measured>,
}

/// One configuration as it was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// In words.
    pub configuration: String,
    /// As decisions name it.
    pub decided: Option<Configuration>,
    /// The cut.
    pub cut: u16,
    /// The edge's clock, MHz; `None` where it was left alone.
    pub clock_mhz: Option<f64>,
    /// What ran the head.
    pub edge_accelerator: String,
    /// What ran the tail.
    pub cloud_accelerator: String,
    /// Mean latency, ms.
    pub latency_ms: f64,
    /// Joules of a request; `None` where they are not known.
    pub energy_j: Option<f64>,
    /// Mean ms by stage and place: `head, edge`.
    pub stages: Vec<(String, f64)>,
    /// Joules by place and source: `edge, measured`.
    pub joules: Vec<(String, f64)>,
    /// Share of right answers.
    pub accuracy: Option<f64>,
    /// Requests behind it.
    pub samples: u32,
    /// Whether it is a point of the front.
    pub on_front: bool,
    /// Requests that a policy chose it for, by policy.
    pub chosen: Vec<(PolicyName, u64)>,
}

impl Measured {
    /// A measurement of a live system.
    pub fn of_measurement(measurement: &Measurement, on_front: bool) -> Self {
        let configuration = measurement.configuration;
        let stages = measurement.stages.iter().filter(|stage| stage.stage != Stage::Plan);
        Self {
            configuration: configuration.to_string(),
            decided: Some(configuration),
            cut: configuration.cut.0,
            clock_mhz: configuration.edge_frequency_khz.map(|clock| clock.0 as f64 / 1e3),
            edge_accelerator: configuration.edge_accelerator.to_string(),
            cloud_accelerator: configuration.cloud_accelerator.to_string(),
            latency_ms: measurement.latency.mean_ms.get(),
            energy_j: measurement.joules().map(Joules::get),
            stages: stages.map(|stage| (words(&stage.stage, &stage.place), stage.time_ms.get())).collect(),
            joules: measurement
                .energy
                .iter()
                .map(|entry| (words(&entry.place, &entry.source), entry.joules.get()))
                .collect(),
            accuracy: measurement.accuracy.map(|accuracy| accuracy.share.get()),
            samples: measurement.samples,
            on_front,
            chosen: Vec::new(),
        }
    }

    /// A configuration of a recording, by the means of its runs.
    fn of_recording(recording: &Recording, place: usize) -> Self {
        let values = Values::of_runs(recording, place);
        let at = |knob: Knob| recording.space().value(recording.configurations()[place].candidate, knob);
        let parts = |names: [&str; 3], of: fn(&search::Parts) -> [f64; 3]| -> Vec<(String, f64)> {
            let values = values.parts.as_ref().map(of);
            values.map_or_else(Vec::new, |values| names.map(str::to_owned).into_iter().zip(values).collect())
        };
        let times =
            |parts: &search::Parts| [parts.edge_time, parts.wire_time, parts.cloud_time].map(Millis::get);
        // The wire's joules were not recorded apart; a part that is nowhere above zero is not drawn.
        let joules = |parts: &search::Parts| [parts.edge_energy.get(), 0.0, parts.cloud_energy.get()];
        Self {
            configuration: recording.describe(place),
            decided: None,
            cut: recording.cut(place).0,
            clock_mhz: match at(Knob::EdgeFrequency) {
                Value::Frequency(clock) => Some(clock.0 as f64 / 1e3),
                _ => None,
            },
            edge_accelerator: at(Knob::EdgeAccelerator).to_string(),
            cloud_accelerator: at(Knob::CloudAccelerator).to_string(),
            latency_ms: values.latency.mean_ms.get(),
            energy_j: values.energy.map(Joules::get),
            stages: parts(["edge", "wire", "cloud"], times),
            joules: parts(["edge, recorded", "wire", "cloud, recorded"], joules),
            accuracy: values.accuracy.map(Share::get),
            samples: values.samples,
            on_front: false,
            chosen: Vec::new(),
        }
    }
}

impl Network {
    /// Every configuration of a recording, by the means of its runs, with the front of those means.
    ///
    /// # Errors
    /// A baseline that was never run.
    pub fn of_recording(name: &str, recording: &Recording) -> Result<Self, LoadgenError> {
        let front = RecordedFront::of_means(recording, (recording.all_cloud()?, recording.all_edge()?));
        let of_front = |place: usize| front.points().iter().any(|point| point.configuration == place);
        let measured = |place: usize| Measured {
            decided: Some(front.configuration(place)),
            on_front: of_front(place),
            ..Measured::of_recording(recording, place)
        };
        Ok(Self {
            name: name.to_owned(),
            last_cut: recording.last_cut().0,
            measured: (0..recording.configurations().len()).map(measured).collect(),
        })
    }

    /// The configurations that a front tells of: its points, what ties with them, its anchors, and what was not believed.
    pub fn of_front(front: &Front) -> Self {
        let points = front.points.iter().map(|one| (one, true));
        let anchors = [&front.all_cloud, &front.all_edge];
        let others = front.tied.iter().chain(anchors).chain(&front.suspects).map(|one| (one, false));
        let mut measured: Vec<Measured> = Vec::new();
        for (one, on_front) in points.chain(others) {
            if !measured.iter().any(|known| known.decided == Some(one.configuration)) {
                measured.push(Measured::of_measurement(one, on_front));
            }
        }
        Self { name: front.model.to_string(), last_cut: front.last_cut.0, measured }
    }
}

/// Two names as the wire has them, in words.
fn words(first: &impl serde::Serialize, second: &impl serde::Serialize) -> String {
    let word = |name: Option<serde_json::Value>| {
        name.and_then(|name| name.as_str().map(|name| name.replace('_', " "))).unwrap_or_default()
    };
    format!("{}, {}", word(serde_json::to_value(first).ok()), word(serde_json::to_value(second).ok()))
}

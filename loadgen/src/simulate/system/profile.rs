//! What configurations take, stage by stage: the material that simulated requests are made of.

use std::path::Path;

use policy::{Decision, Point, PreparedFront};
use schemas::{ByteCount, Configuration, Cut, Front, Measurement, Place, Stage, joules_at};

use crate::error::LoadgenError;
use crate::json;
use crate::recording::{RecordedFront, Recording};
use crate::simulate::draw::split_mix;

/// The configurations of one network and runs of each, laid out so that a draw is a table look-up, with the front that is decided on.
#[derive(Debug, Clone)]
pub struct Profile {
    front: PreparedFront,
    /// The profiled configuration of each point of the front.
    of_point: Vec<usize>,
    all_cloud: usize,
    all_edge: usize,
    /// Where the front's tied configurations begin; a recording has none.
    first_tied: usize,
    configurations: Vec<Profiled>,
    samples: Vec<Sample>,
}

/// One configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profiled {
    pub configuration: Configuration,
    /// Where its samples begin and end.
    begin: usize,
    end: usize,
    /// Sent to the cloud.
    pub bytes: ByteCount,
    /// What the tail takes on the edge, at this clock and with this accelerator.
    pub home_ms: f64,
    /// What the edge draws while it runs everything.
    pub home_watts: f64,
}

/// One run, in ms and J.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sample {
    pub edge_ms: f64,
    pub wire_ms: f64,
    pub cloud_ms: f64,
    pub edge_j: f64,
    pub cloud_j: f64,
}

/// Samples that stand for a measured spread.
const QUANTILES: u16 = 101;

impl Profile {
    /// Of recorded runs: each request takes what one of them took. Decisions are made on the front of their means.
    ///
    /// # Errors
    /// Rows without the stages' columns, or a baseline that was never run.
    pub fn of_recording(recording: &Recording) -> Result<Self, LoadgenError> {
        let anchors = (recording.all_cloud()?, recording.all_edge()?);
        let front = RecordedFront::of_means(recording, anchors);
        let (mut configurations, mut samples) = (Vec::new(), Vec::new());
        for (place, recorded) in recording.configurations().iter().enumerate() {
            let begin = samples.len();
            for &row in &recorded.rows {
                let row = &recording.rows()[row];
                let parts = row.parts.ok_or_else(|| LoadgenError::InvalidRow {
                    path: recording.path().to_owned(),
                    line: row.line,
                    problem: "the times and joules of the stages are not all there, which this needs".into(),
                })?;
                samples.push(Sample {
                    edge_ms: parts.edge_time.get(),
                    wire_ms: parts.wire_time.get(),
                    cloud_ms: parts.cloud_time.get(),
                    edge_j: parts.edge_energy.get(),
                    cloud_j: parts.cloud_energy.get(),
                });
            }
            configurations.push(Profiled {
                configuration: front.configuration(place),
                begin,
                end: samples.len(),
                bytes: recording.rows()[recorded.rows[0]].bytes.unwrap_or_default(),
                home_ms: 0.0,
                home_watts: 0.0,
            });
        }
        Ok(Self {
            of_point: front.points().iter().map(|point| point.configuration).collect(),
            front: front.prepared().clone(),
            all_cloud: anchors.0,
            all_edge: anchors.1,
            first_tied: 0,
            configurations,
            samples,
        }
        .with_homes(recording.last_cut()))
    }

    /// Of a front in JSON: each request takes the measured means, spread as the measurement says.
    ///
    /// # Errors
    /// A file that cannot be read or holds no front.
    pub fn read_front(path: &Path) -> Result<Self, LoadgenError> {
        Self::front_of_file(path).map(|front| Self::of_front(&front))
    }

    /// A front in JSON, as `splinter front export` writes it.
    ///
    /// # Errors
    /// A file that cannot be read or holds no front.
    pub fn front_of_file(path: &Path) -> Result<Front, LoadgenError> {
        json::read(path)
    }

    /// Of a front.
    pub fn of_front(front: &Front) -> Self {
        let (mut configurations, mut samples) = (Vec::new(), Vec::new());
        let anchors = [&front.all_cloud, &front.all_edge];
        for measurement in front.points.iter().chain(anchors).chain(&front.tied) {
            let begin = samples.len();
            samples.extend(spread_samples(measurement));
            configurations.push(Profiled {
                configuration: measurement.configuration,
                begin,
                end: samples.len(),
                bytes: measurement.sent_bytes,
                home_ms: 0.0,
                home_watts: 0.0,
            });
        }
        let points = front.points.len();
        Self {
            front: PreparedFront::new(front),
            of_point: (0..points).collect(),
            all_cloud: points,
            all_edge: points + 1,
            first_tied: points + anchors.len(),
            configurations,
            samples,
        }
        .with_homes(front.last_cut)
    }

    /// The front that is decided on.
    pub(super) fn front(&self) -> &PreparedFront {
        &self.front
    }

    /// The configuration that a decision means.
    pub(super) fn decided(&self, decision: &Decision) -> usize {
        match decision.point {
            Point::OfFront(place) => self.of_point[place],
            Point::Tied(place) => self.first_tied + place,
            Point::AllCloud => self.all_cloud,
            Point::AllEdge => self.all_edge,
        }
    }

    pub(super) fn configuration(&self, place: usize) -> &Profiled {
        &self.configurations[place]
    }

    /// One of a configuration's runs.
    pub(super) fn sample(&self, place: usize, seed: u64, request: u64) -> Sample {
        let Profiled { begin, end, .. } = self.configurations[place];
        let random = split_mix(seed ^ split_mix(request));
        self.samples[begin + (((random >> 32) * (end - begin) as u64) >> 32) as usize]
    }

    fn mean_of(&self, place: usize, value: impl Fn(&Sample) -> f64) -> f64 {
        let Profiled { begin, end, .. } = self.configurations[place];
        self.samples[begin..end].iter().map(value).sum::<f64>() / (end - begin).max(1) as f64
    }

    /// Finds out what each configuration's tail takes at home: what the whole network takes on the edge at the same clock with the same
    /// accelerator, less the head. Where that was not measured, the whole network as the baseline `edge` ran it, scaled by the clocks.
    fn with_homes(mut self, last_cut: Cut) -> Self {
        let clock =
            |configuration: &Configuration| configuration.edge_frequency_khz.map(|clock| clock.0 as f64);
        for place in 0..self.configurations.len() {
            let own = self.configurations[place].configuration;
            let whole = self.configurations.iter().position(|other| {
                let other = other.configuration;
                other.cut == last_cut
                    && other.edge_frequency_khz == own.edge_frequency_khz
                    && other.edge_accelerator == own.edge_accelerator
            });
            let baseline = self.configurations[self.all_edge].configuration;
            let slower = match (clock(&baseline), clock(&own)) {
                (Some(baseline), Some(own)) if own > 0.0 => baseline / own,
                _ => 1.0,
            };
            let (at, slower) = whole.map_or((self.all_edge, slower), |whole| (whole, 1.0));
            let whole_ms = self.mean_of(at, |sample| sample.edge_ms) * slower;
            let head_ms =
                if own.cut == Cut::ALL_CLOUD { 0.0 } else { self.mean_of(place, |sample| sample.edge_ms) };
            let watts =
                self.mean_of(at, |sample| sample.edge_j) * 1e3 / self.mean_of(at, |sample| sample.edge_ms);
            let home = &mut self.configurations[place];
            home.home_ms = (whole_ms - head_ms).max(0.0);
            home.home_watts = if watts.is_finite() { watts } else { 0.0 };
        }
        self
    }
}

/// Runs that are spread as a measurement says: the same factor on every stage of a run, at equal steps of the normal distribution.
fn spread_samples(measurement: &Measurement) -> Vec<Sample> {
    let time = |place: Place| {
        let computing = |stage: Stage| !matches!(stage, Stage::Plan | Stage::Queue | Stage::HardwareChange);
        let stages = measurement.stages.iter().filter(|stage| stage.place == place && computing(stage.stage));
        stages.map(|stage| stage.time_ms.get()).sum::<f64>()
    };
    let joules = |place: Place| joules_at(&measurement.energy, place).map_or(0.0, schemas::Joules::get);
    let (mut edge_ms, wire_ms, cloud_ms) = (time(Place::Edge), time(Place::Wire), time(Place::Cloud));
    // What the stages do not explain happens on the edge.
    let mean = measurement.latency.mean_ms.get();
    edge_ms += (mean - edge_ms - wire_ms - cloud_ms).max(0.0);
    let relative = if mean > 0.0 { measurement.latency.deviation_ms.get() / mean } else { 0.0 };
    (0..QUANTILES)
        .map(|quantile| {
            let share = (f64::from(quantile) + 0.5) / f64::from(QUANTILES);
            let factor = (1.0 + relative * normal_quantile(share)).max(0.1);
            Sample {
                edge_ms: edge_ms * factor,
                wire_ms: wire_ms * factor,
                cloud_ms: cloud_ms * factor,
                edge_j: joules(Place::Edge) * factor,
                cloud_j: joules(Place::Cloud) * factor,
            }
        })
        .collect()
}

/// The normal distribution's quantile, by bisection of its distribution function.
fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < share {
            low = middle
        } else {
            high = middle
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (share, expected) in [(0.5, 0.0), (0.975, 1.959_964), (0.05, -1.644_854)] {
            assert!((normal_quantile(share) - expected).abs() < 1e-5);
        }
    }
}

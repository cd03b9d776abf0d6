//! Measurements and the front.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, FrontId, ModelName, NodeId};
use crate::units::{ByteCount, Joules, KiloHertz, Millis, Share, UnixMillis};
use crate::v1::codec::Codec;
use crate::v1::configuration::{Configuration, Cut};
use crate::v1::energy::{EnergyEntry, total_joules};
use crate::v1::hardware::DevicePower;
use crate::v1::stage::StageTime;

/// The distribution of a configuration's latencies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Arithmetic mean.
    pub mean_ms: Millis,
    /// Median.
    pub p50_ms: Millis,
    /// 95th percentile, by nearest rank.
    pub p95_ms: Millis,
    /// Sample standard deviation; zero for one sample.
    pub deviation_ms: Millis,
}

/// The share of right answers, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Right answers / pictures.
    pub share: Share,
    /// Labelled pictures it was measured on.
    pub pictures: u32,
}

/// How sure a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Uncertainty {
    /// Which quantile of the latencies the following is about: 0.95 is what 95 of 100 requests keep within.
    pub quantile: Share,
    /// The quantile, estimated as that of a log-normal distribution with the samples' mean and deviation: of few samples
    /// their own quantile is only the greatest of them.
    pub estimate_ms: Millis,
    /// Lower end of the estimate's 95 % confidence interval.
    pub low_ms: Millis,
    /// Upper end of it.
    pub high_ms: Millis,
    /// Sample standard deviation of a request's joules; `None` where they are not known.
    #[serde(default)]
    pub energy_deviation_j: Option<Joules>,
    /// Samples far from the others. They are kept and counted like all.
    #[serde(default)]
    pub outliers: u32,
}

/// A contradiction to physics in a measurement, still there when it was measured again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Suspicion {
    /// The head takes no longer than at a higher clock.
    HeadIgnoresClock,
    /// The edge spent less than it draws while it only waits.
    EnergyBelowIdle,
    /// The stages do not add up to the latency.
    StagesDoNotAddUp,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::HeadIgnoresClock => "the head takes no longer than at a higher clock",
            Self::EnergyBelowIdle => "less energy than the edge draws while it only waits",
            Self::StagesDoNotAddUp => "the stages do not add up to the latency",
        })
    }
}

/// How the edge machine was set while a configuration was measured, as its tuner read it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HardwareReadBack {
    /// The processor's clock.
    #[serde(default)]
    pub frequency_khz: Option<KiloHertz>,
    /// The cpufreq governor.
    #[serde(default)]
    pub governor: Option<String>,
    /// How many times longer computing takes than on the machine itself, where it plays another.
    #[serde(default)]
    pub slowdown: Option<f64>,
    /// What the device drew.
    #[serde(default)]
    pub power: Option<DevicePower>,
}

/// What a search expected of a configuration before it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// The latency, of the quantile that the front is made for.
    pub latency_ms: Millis,
    /// Lower end of the interval in which it was expected with 95 % confidence.
    pub low_ms: Millis,
    /// Upper end of it.
    pub high_ms: Millis,
    /// The joules of one request; `None` where none were known.
    #[serde(default)]
    pub energy_j: Option<Joules>,
}

/// Where a measurement comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// When the first sample was taken.
    pub first_at: UnixMillis,
    /// When the last one was.
    pub last_at: UnixMillis,
    /// The optimizer's software version; of imported measurements, the file.
    pub software: String,
    /// The edge machine that ran it.
    pub edge: NodeId,
    /// The cloud machine.
    pub cloud: NodeId,
    /// How the edge was set, read back; `None` without a tuner.
    #[serde(default)]
    pub hardware: Option<HardwareReadBack>,
    /// What was expected before; `None` where nothing was.
    #[serde(default)]
    pub expected: Option<Expectation>,
    /// Whether an earlier measurement contradicted physics and is not counted.
    #[serde(default)]
    pub measured_again: bool,
    /// What still contradicts physics: such a measurement is not believed.
    #[serde(default)]
    pub suspicions: Vec<Suspicion>,
}

/// One configuration as it was measured over the live pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The configuration.
    pub configuration: Configuration,
    /// The cut's name.
    pub cut_name: String,
    /// The edge executor's time from the request's arrival to its answer, hardware change excluded.
    pub latency: LatencySummary,
    /// Mean time of each stage.
    pub stages: Vec<StageTime>,
    /// Mean joules of one request; empty when nothing measures or models them.
    pub energy: Vec<EnergyEntry>,
    /// Accuracy, where the pictures had labels.
    #[serde(default)]
    pub accuracy: Option<Accuracy>,
    /// Bytes sent to the cloud.
    pub sent_bytes: ByteCount,
    /// Requests measured.
    pub samples: u32,
    /// How sure it is; the first fronts did not say.
    #[serde(default)]
    pub uncertainty: Option<Uncertainty>,
    /// Where it comes from; the first fronts did not say.
    #[serde(default)]
    pub provenance: Option<Provenance>,
}

impl Measurement {
    /// The latency that the configuration is judged by: the quantile's estimate, or the mean where there is none.
    pub fn judged_ms(&self) -> Millis {
        self.uncertainty.map_or(self.latency.mean_ms, |uncertainty| uncertainty.estimate_ms)
    }

    /// All joules of one request; `None` when unknown.
    pub fn joules(&self) -> Option<Joules> {
        total_joules(&self.energy)
    }
}

/// What the loss of a codec was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossBasis {
    /// Right answers of the exact frontier less those with the codec, on labelled pictures.
    Accuracy,
    /// Answers that differ from those of the exact frontier; the accuracy cannot fall by more.
    Agreement,
}

/// What a codec costs at a cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CodecLoss {
    /// The share of the answers that is lost; zero for a codec that happens to gain.
    pub share: Share,
    /// What was compared.
    pub basis: LossBasis,
    /// Pictures it was measured on.
    pub pictures: u32,
}

/// A codec that was measured at a cut and is not offered there, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WithheldCodec {
    /// The cut.
    pub cut: Cut,
    /// The codec.
    pub codec: Codec,
    /// What it costs; `None` when the answers could not be compared.
    #[serde(default)]
    pub loss: Option<CodecLoss>,
    /// The loss up to which it would have been offered.
    pub greatest_loss: Share,
}

impl fmt::Display for WithheldCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cut, codec, loss, greatest_loss } = self;
        let percent = |share: Share| share.get() * 100.0;
        let Some(CodecLoss { share, basis, pictures }) = loss else {
            return write!(f, "{codec} at cut {cut}: its answers could not be compared with those of f32");
        };
        let what = match basis {
            LossBasis::Accuracy => "accuracy lost",
            LossBasis::Agreement => "of the answers changed",
        };
        let (share, greatest) = (percent(*share), percent(*greatest_loss));
        write!(
            f,
            "{codec} at cut {cut}: {share:.1} % {what} on {pictures} pictures, at most {greatest:.1} % is set"
        )
    }
}

/// How a front was searched for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSummary {
    /// The strategy's name; `import` for a front that was measured elsewhere.
    pub strategy: String,
    /// Its seed.
    pub seed: u64,
    /// Legal configurations that it could choose from.
    pub legal: u64,
    /// The quantile of the latencies that configurations are judged by.
    pub quantile: Share,
}

/// What setting the edge machine otherwise took while a front was measured: medians; `None` where nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct HardwareChanges {
    /// Another clock of the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ms: Option<Millis>,
    /// Another accelerator, the clock staying as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator_ms: Option<Millis>,
}

impl HardwareChanges {
    /// Whether neither is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// The non-dominated configurations of one network on one edge/cloud pair, with their provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Front {
    /// This front.
    pub id: FrontId,
    /// The how-manieth of this network on these machines, from 1; 0 for fronts of before they were counted.
    #[serde(default)]
    pub revision: u64,
    /// The network.
    pub model: ModelName,
    /// SHA-256 of the ONNX file that was measured.
    pub digest: Digest,
    /// The network's last cut: everything on the edge.
    pub last_cut: Cut,
    /// The edge machine.
    pub edge: NodeId,
    /// The device the edge machine played.
    #[serde(default)]
    pub emulates: Option<String>,
    /// The cloud machine.
    pub cloud: NodeId,
    /// The non-dominated configurations, in the order they were measured.
    pub points: Vec<Measurement>,
    /// Configurations that are worse than a point, but only within the noise of the measurements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tied: Vec<Measurement>,
    /// Configurations that would be points if their measurements did not contradict physics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Measurement>,
    /// Baseline: everything in the cloud, edge at its highest clock. Measured, maybe dominated.
    pub all_cloud: Measurement,
    /// Baseline: everything on the edge at its highest clock. Measured, maybe dominated.
    pub all_edge: Measurement,
    /// The codecs that cost too much accuracy to be offered, cut by cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldCodec>,
    /// What changing the edge's hardware took; fronts did not always say.
    #[serde(default, skip_serializing_if = "HardwareChanges::is_unknown")]
    pub hardware_changes: HardwareChanges,
    /// How it was searched for; the first fronts did not say.
    #[serde(default)]
    pub search: Option<SearchSummary>,
    /// Configurations measured to find the front.
    pub measured: u32,
    /// When the measuring began.
    pub started_at: UnixMillis,
    /// When it ended.
    pub ended_at: UnixMillis,
    /// The optimizer's software version.
    pub software: String,
    /// SHA-256 of all of it but its id, its revision and this: what was measured, of what, where and when. Whoever reads a front
    /// checks it (crate `broker`); the first fronts have none. A field that is added later is left out of what is written where
    /// it has its default, so that the digest of an older front stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
}

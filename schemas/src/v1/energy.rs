//! Joules never travel without their place and source.

use serde::{Deserialize, Serialize};

use crate::units::{Joules, Millis, Share};
use crate::v1::stage::Stage;

/// Where energy was spent or work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The edge device.
    Edge,
    /// The link between edge and cloud.
    Wire,
    /// The cloud machine.
    Cloud,
}

impl Place {
    /// The place as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Wire => "wire",
            Self::Cloud => "cloud",
        }
    }
}

/// Where a number of joules comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergySource {
    /// Read from a meter for just this work.
    Measured,
    /// A share of what a meter read for more than this work.
    Attributed,
    /// Time × the power that a declared model of this machine gives.
    Modelled,
    /// Time × the published power of a device that this machine plays.
    Emulated,
}

impl EnergySource {
    /// The source as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Attributed => "attributed",
            Self::Modelled => "modelled",
            Self::Emulated => "emulated",
        }
    }
}

/// Joules at one place from one source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EnergyEntry {
    /// Where they were spent.
    pub place: Place,
    /// Where the number comes from.
    pub source: EnergySource,
    /// How many.
    pub joules: Joules,
}

/// The joules of one stage of a request at one place: what its work added, apart from what the device draws anyway.
///
/// `marginal_j` of all requests, plus idle power × time, is what a meter counts. The idle shares of requests that ran at
/// the same time overlap: they say what a request would be charged if it had the device for itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StageEnergy {
    /// The stage.
    pub stage: Stage,
    /// Where it ran.
    pub place: Place,
    /// Where the numbers come from.
    pub source: EnergySource,
    /// What the work added.
    pub marginal_j: Joules,
    /// What the device draws anyway in that time.
    pub idle_j: Joules,
    /// Half the width of the 95 % confidence interval of `marginal_j`; `None` where the source gives none (a declared or
    /// published power).
    #[serde(default)]
    pub uncertainty_j: Option<Joules>,
}

impl StageEnergy {
    /// Marginal and idle joules together, as [`EnergyEntry`] counts them.
    pub fn joules(&self) -> Joules {
        self.marginal_j + self.idle_j
    }
}

/// What an energy meter has counted. Two readings of one meter give the energy between them; a later reading with less
/// joules or less time is one of a meter that began anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeterReading {
    /// What is read, such as `rapl package-0 + dram`.
    pub name: String,
    /// Joules since it began.
    pub joules: Joules,
    /// Time since it began, until the last sample.
    pub span_ms: Millis,
    /// How far apart its samples are: an energy of less time than a few of these cannot be read off it.
    pub resolution_ms: Millis,
    /// The relative error that its driver or maker states, as half the width of a 95 % interval; zero where none is
    /// stated.
    pub relative_error: Share,
}

/// All joules of the entries, or `None` when there are none: an unknown energy is not zero.
pub fn total_joules(entries: &[EnergyEntry]) -> Option<Joules> {
    (!entries.is_empty()).then(|| entries.iter().map(|entry| entry.joules).sum())
}

/// The joules at one place, or `None` when nothing is known about it.
pub fn joules_at(entries: &[EnergyEntry], place: Place) -> Option<Joules> {
    let mut at_place = entries.iter().filter(|entry| entry.place == place).peekable();
    at_place.peek()?;
    Some(at_place.map(|entry| entry.joules).sum())
}

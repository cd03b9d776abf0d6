//! Where a request's time went.

use serde::{Deserialize, Serialize};

use crate::units::Millis;
use crate::v1::energy::Place;

/// One stage of a request's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The scheduler's decision, with the way there and back.
    Plan,
    /// Setting the hardware.
    HardwareChange,
    /// Waiting for a compute thread.
    Queue,
    /// Decoding the picture, resizing, normalising.
    Preprocess,
    /// The layers before the cut.
    Head,
    /// Writing the frontier for the wire.
    Encode,
    /// On the wire between edge and cloud, both ways.
    Transfer,
    /// Reading the frontier from the wire.
    Decode,
    /// The layers after the cut.
    Tail,
    /// Choosing the best classes and writing the answer.
    Reply,
}

impl Stage {
    /// The stage as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::HardwareChange => "hardware_change",
            Self::Queue => "queue",
            Self::Preprocess => "preprocess",
            Self::Head => "head",
            Self::Encode => "encode",
            Self::Transfer => "transfer",
            Self::Decode => "decode",
            Self::Tail => "tail",
            Self::Reply => "reply",
        }
    }
}

/// Whether a time was measured as it is, or includes time added to emulate a slower device or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// Wall-clock time of the real work.
    Measured,
    /// Wall-clock time, stretched to that of an emulated device or link.
    Emulated,
}

/// The time one stage took at one place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Where it ran.
    pub place: Place,
    /// How long it took.
    pub time_ms: Millis,
    /// Whether the time is real or stretched by emulation.
    pub source: TimeSource,
}

/// What setting the hardware took; `None` where it was left as it was.
pub fn hardware_change(stages: &[StageTime]) -> Option<Millis> {
    let changes = stages.iter().filter(|stage| stage.stage == Stage::HardwareChange);
    changes.map(|stage| stage.time_ms).reduce(|sum, time| sum + time)
}

//! Configurations: one value for every knob.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::KiloHertz;
use crate::v1::codec::Codec;

/// A place in a network's topological order. 0 = everything in the cloud, preprocessing too; the last
/// cut of a network = everything on the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cut(pub u16);

impl Cut {
    /// Everything in the cloud.
    pub const ALL_CLOUD: Self = Self(0);
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One value for every knob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// Where the network is cut.
    pub cut: Cut,
    /// How the frontier is written on the wire. Without a meaning at cut 0, where the input travels as it came, and at
    /// the last cut, where nothing does.
    #[serde(default)]
    pub codec: Codec,
    /// The clock of the edge's processor; `None` leaves it as it is (a device without that knob).
    #[serde(default)]
    pub edge_frequency_khz: Option<KiloHertz>,
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {}", self.cut)?;
        if self.codec != Codec::F32 {
            write!(f, " in {}", self.codec)?;
        }
        match self.edge_frequency_khz {
            Some(frequency) => write!(f, " at {frequency}"),
            None => Ok(()),
        }
    }
}

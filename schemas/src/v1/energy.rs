//! Joules never travel without their place and source.

use serde::{Deserialize, Serialize};

use crate::units::Joules;

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

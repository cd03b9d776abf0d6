//! What a machine offers, how it is set, and what the tuner is asked.

use serde::{Deserialize, Serialize};

use crate::ids::NodeId;
use crate::units::{KiloHertz, Millis, Watts};
use crate::v1::energy::EnergySource;

/// Something that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Knob {
    /// The processor's clock.
    CpuFrequency,
}

/// Whether a knob can be set here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnobSupport {
    /// It can.
    Supported,
    /// It cannot, with the reason and what would help.
    Unsupported(String),
}

/// One knob of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnobReport {
    /// The knob.
    pub knob: Knob,
    /// Whether it can be set.
    pub support: KnobSupport,
}

/// What a sensor measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SensorKind {
    /// A counter of energy in the processor (powercap).
    Rapl,
    /// A power sensor on the board (hwmon).
    HwmonPower,
    /// A temperature sensor (hwmon).
    HwmonTemperature,
    /// A battery's power.
    Battery,
}

/// One sensor of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensorReport {
    /// Its name, such as `package-0`.
    pub name: String,
    /// What it measures.
    pub kind: SensorKind,
    /// Its last reading in words with the unit, or why it cannot be read.
    pub reading: Result<String, String>,
}

/// The power a device draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DevicePower {
    /// While it computes.
    pub active_w: Watts,
    /// While it waits for an answer.
    pub waiting_w: Watts,
    /// Where the figures come from.
    pub source: EnergySource,
}

/// What a machine is and how it is set now, as read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HardwareReport {
    /// The machine.
    pub node: NodeId,
    /// The device it plays, such as `raspberry-pi-4`; `None` for a machine that is itself.
    #[serde(default)]
    pub emulates: Option<String>,
    /// Online processor cores.
    pub cores: u32,
    /// The clocks that can be set, ascending; empty when the clock cannot be set.
    pub frequencies_khz: Vec<KiloHertz>,
    /// The clock set now, read back.
    #[serde(default)]
    pub frequency_khz: Option<KiloHertz>,
    /// The cpufreq governor.
    #[serde(default)]
    pub governor: Option<String>,
    /// How many times longer computing takes on the emulated device as it is set now than here; `None`
    /// when nothing is emulated.
    #[serde(default)]
    pub slowdown: Option<f64>,
    /// What the device draws as it is set now; `None` when nothing measures, models or emulates it.
    #[serde(default)]
    pub power: Option<DevicePower>,
    /// Every knob, settable or not.
    pub knobs: Vec<KnobReport>,
    /// Every sensor found.
    pub sensors: Vec<SensorReport>,
}

/// `splinter.v1.tune.<node>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TuneRequest {
    /// Say what there is and how it is set.
    Report,
    /// Set the clock, read it back, and report.
    SetFrequency(KiloHertz),
}

/// The tuner's answer: the state after the request, read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuneReply {
    /// The machine as it is set now.
    pub hardware: HardwareReport,
    /// Whether something was written; nothing is when it is already so.
    pub changed: bool,
    /// How long setting and reading back took.
    pub took_ms: Millis,
}

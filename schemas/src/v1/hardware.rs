//! What a machine offers and how it is set.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::NodeId;
use crate::units::{KiloHertz, Share, Watts};
use crate::v1::energy::{EnergySource, MeterReading};
use crate::v1::tuning::{LeaseReport, Setting};

/// Something that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Knob {
    /// The processor's clock.
    CpuFrequency,
    /// How many cores are online.
    OnlineCores,
    /// The processor time of a control group.
    CpuQuota,
    /// The power of a USB device.
    UsbPower,
    /// The power that a graphics processor may draw.
    GpuPowerLimit,
    /// The clock that a graphics processor is locked to.
    GpuClock,
}

impl Knob {
    /// Its name, as in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CpuFrequency => "cpu_frequency",
            Self::OnlineCores => "online_cores",
            Self::CpuQuota => "cpu_quota",
            Self::UsbPower => "usb_power",
            Self::GpuPowerLimit => "gpu_power_limit",
            Self::GpuClock => "gpu_clock",
        }
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnobReport {
    /// The knob.
    pub knob: Knob,
    /// Whether it can be set.
    pub support: KnobSupport,
    /// How it is set now, as read back; empty when it cannot be read. One for each cpufreq policy, USB device or
    /// graphics processor where these differ.
    #[serde(default)]
    pub now: Vec<Setting>,
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
    /// A graphics processor's power or counter of energy.
    Gpu,
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
    /// While nothing is asked of it. `None` where no separate figure is known: then the power while it waits counts
    /// as idle.
    #[serde(default)]
    pub idle_w: Option<Watts>,
    /// Half the width of the 95 % confidence interval of `active_w`, where it is known.
    #[serde(default)]
    pub uncertainty_w: Option<Watts>,
}

impl DevicePower {
    /// The power that flows whether or not there is work: idle, or waiting where idle is not known.
    pub fn floor(&self) -> Watts {
        self.idle_w.unwrap_or(self.waiting_w)
    }
}

/// The battery that feeds a device; the fullest discharging one counts where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BatteryReport {
    /// How full it is.
    pub level: Share,
    /// Whether it is being charged, or full on mains power: joules cost it nothing then.
    pub charging: bool,
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
    /// What the best energy meter of this machine has counted; `None` without a meter, or while it cannot be read.
    #[serde(default)]
    pub meter: Option<MeterReading>,
    /// The battery; `None` without one, or while it cannot be read.
    #[serde(default)]
    pub battery: Option<BatteryReport>,
    /// Who holds which knob.
    #[serde(default)]
    pub leases: Vec<LeaseReport>,
}

//! What the tuner is asked, and who holds what it has set.

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::ids::InstanceId;
use crate::units::{KiloHertz, Millis, Watts};
use crate::v1::hardware::{HardwareReport, Knob};

/// How much processor time a group of processes may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CpuQuota {
    /// As much as there is.
    Unlimited,
    /// So many thousandths of a core, at least 10 (the kernel's shortest quota is 1 ms of a period of 100 ms).
    Millicores(NonZeroU32),
}

impl fmt::Display for CpuQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.pad("unlimited"),
            Self::Millicores(millicores) => write!(f, "{} cores", f64::from(millicores.get()) / 1e3),
        }
    }
}

/// One value of one knob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Setting {
    /// The clock of every core.
    CpuFrequency(KiloHertz),
    /// The clock of the cores of one cpufreq policy, such as one cluster of a big.LITTLE processor.
    PolicyFrequency {
        /// The policy's number, as in `policy4`.
        policy: u16,
        /// Its clock.
        clock_khz: KiloHertz,
    },
    /// So many cores online, the lowest-numbered ones.
    OnlineCores(NonZeroU16),
    /// The processor time of the control group that the tuner's settings name.
    CpuQuota(CpuQuota),
    /// The power of a USB device that the tuner's settings name, such as an accelerator.
    UsbPower {
        /// Where it is plugged in, as the kernel names it: `1-1.2`.
        device: String,
        /// On or off.
        on: bool,
    },
    /// The power a graphics processor may draw.
    GpuPowerLimit {
        /// Its index.
        gpu: u32,
        /// The limit.
        limit_w: Watts,
    },
    /// The clock a graphics processor is locked to.
    GpuClock {
        /// Its index.
        gpu: u32,
        /// The clock.
        clock_khz: KiloHertz,
    },
}

impl Setting {
    /// The knob it sets.
    pub const fn knob(&self) -> Knob {
        match self {
            Self::CpuFrequency(_) | Self::PolicyFrequency { .. } => Knob::CpuFrequency,
            Self::OnlineCores(_) => Knob::OnlineCores,
            Self::CpuQuota(_) => Knob::CpuQuota,
            Self::UsbPower { .. } => Knob::UsbPower,
            Self::GpuPowerLimit { .. } => Knob::GpuPowerLimit,
            Self::GpuClock { .. } => Knob::GpuClock,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CpuFrequency(clock) => write!(f, "cpu at {clock}"),
            Self::PolicyFrequency { policy, clock_khz } => write!(f, "cpu policy{policy} at {clock_khz}"),
            Self::OnlineCores(cores) => write!(f, "{cores} cores online"),
            Self::CpuQuota(quota) => write!(f, "cpu quota {quota}"),
            Self::UsbPower { device, on } => write!(f, "usb {device} {}", if *on { "on" } else { "off" }),
            Self::GpuPowerLimit { gpu, limit_w } => write!(f, "gpu {gpu} at most {limit_w}"),
            Self::GpuClock { gpu, clock_khz } => write!(f, "gpu {gpu} at {clock_khz}"),
        }
    }
}

/// What somebody wants set, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuneOrder {
    /// Who asks: the settings are its own until the lease ends.
    pub holder: InstanceId,
    /// How long the lease runs if it is not renewed (by another order of the same holder); at most an hour. Then the
    /// original state returns.
    pub lease_ms: Millis,
    /// What to set, in this order; all of it or, when one fails, nothing. Empty: only renew what the holder has.
    pub settings: Vec<Setting>,
    /// Only say what would be written.
    #[serde(default)]
    pub dry_run: bool,
}

/// `splinter.v1.tune.<node>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TuneRequest {
    /// Say what there is and how it is set.
    Report,
    /// Set the clock, read it back, and report. For people: leased to nobody in particular for the tuner's default
    /// time (30 s), renewed when it is asked again.
    SetFrequency(KiloHertz),
    /// Set knobs under a lease, read them back, and report.
    Apply(TuneOrder),
    /// The holder is done: the original state of what it holds returns at once.
    Release(InstanceId),
}

/// One file that was written, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingWrite {
    /// The file, or the name of what is set through a library.
    pub file: String,
    /// What it said before.
    pub from: String,
    /// What was or would be written.
    pub to: String,
}

/// Somebody holds a knob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaseReport {
    /// The knob.
    pub knob: Knob,
    /// Who holds it.
    pub holder: InstanceId,
    /// How long it still runs; zero when it has ended and the original state could not be brought back yet.
    pub remaining_ms: Millis,
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
    /// What was written, or with `dry_run` would be; empty when nothing needs to be.
    #[serde(default)]
    pub writes: Vec<SettingWrite>,
}

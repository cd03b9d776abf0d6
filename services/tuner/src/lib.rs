//! Reads and sets what the hardware offers, real or emulated, and reads its energy.
//!
//! # What it promises
//! - `splinter.v1.tune.<node>` is answered with the machine as it is after the request, read back, or a typed
//!   error. Settings are made one after another; nothing is written when it is already so.
//! - What the machine lacks is said: `unsupported` with the reason. An unreadable sensor is an error in the
//!   report, never less energy.
//! - Everything emulated is labelled: `emulates` in the report, `emulated` at its power.
//! - The hardware is part of the tuner's presence, read afresh each second.
//!
//! # Layout
//! - [`device`]: the machine itself, or the device it plays.
//! - [`cpufreq`]: the processor's clock.
//! - [`rapl`], `hwmon`, `battery`: sensors.
//! - [`emulation`]: devices to play.
//! - [`sysfs`]: small files under a root that tests choose.
//! - `service`: the shell.

mod battery;
pub mod cpufreq;
pub mod device;
pub mod emulation;
mod error;
mod hwmon;
pub mod rapl;
mod service;
mod settings;
pub mod sysfs;

pub use device::Device;
pub use error::TunerError;
pub use service::{Running, start};
pub use settings::{DeclaredPower, Settings};

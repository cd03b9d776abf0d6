//! Reads and sets what the hardware offers, real or emulated, and reads its energy.

mod battery;
pub mod cpufreq;
pub mod device;
pub mod emulation;
mod error;
mod hwmon;
pub mod rapl;
mod settings;
pub mod sysfs;

pub use device::Device;
pub use error::TunerError;
pub use settings::{DeclaredPower, Settings};

//! Reads and sets what the hardware offers, real or emulated, and reads its energy.
//!
//! # What it promises
//! - `splinter.v1.tune.<node>` is answered with the machine as it is after the request, read back, or a typed
//!   error. Settings are made one after another; nothing is written when it is already so.
//! - What the machine lacks is said: `unsupported` with the reason. An unreadable sensor is an error in the
//!   report, never less energy.
//! - Everything emulated is labelled: `emulates` in the report, `emulated` at its power.
//! - An order is carried out whole or not at all. What is set belongs to whoever holds the lease; when that ends, by
//!   itself or by a crash of holder or tuner, the original state returns.
//! - The hardware is part of the tuner's presence, read afresh each second.
//!
//! # Layout
//! - [`device`]: the machine itself, or the device it plays.
//! - [`knobs`]: what can be set: clock, cores, processor time, USB power; `gpu`: graphics processors.
//! - `orders`: orders carried out under leases ([`lease`]), written as one (`transaction`), the original state on disk
//!   (`originals`).
//! - [`meters`]: what counts joules.
//! - [`calibration`]: measuring this machine's power model.
//! - [`emulation`]: devices to play.
//! - [`sysfs`]: small files under a root that tests choose.
//! - `service`: the shell.

pub mod calibration;
pub mod device;
pub mod emulation;
mod error;
mod gpu;
pub mod knobs;
pub mod lease;
pub mod meters;
mod orders;
mod originals;
mod service;
mod settings;
pub mod sysfs;
mod transaction;

pub use device::Device;
pub use error::TunerError;
pub use service::{Running, start};
pub use settings::{DeclaredPower, Settings};

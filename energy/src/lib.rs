//! Pure accounting of joules, without clock, files or broker.
//!
//! # Layout
//! - [`integral`]: samples of power become energy.
//! - [`attribution`]: what a meter counts for the whole machine becomes the power of idling and of computing, each with
//!   its confidence interval.
//! - [`breakdown`]: stage times and a device's power become the energy of a receipt.
//! - [`model`]: the power model of a machine, fitted to measurements of idle and load at each clock.
//!
//! What a joule costs at each place is in [`schemas::EnergyPrices`].

pub mod attribution;
pub mod breakdown;
pub mod integral;
pub mod model;
mod regression;

pub use attribution::{Attribution, Split, Window};
pub use integral::PowerIntegral;
pub use model::{FitError, LoadSample, OperatingPoint, PowerModel};

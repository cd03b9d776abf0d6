//! Runs tails in the cloud.
//!
//! Serves `splinter.v1.exec.cloud.<model>[.<instance>]` with a bounded number of credits: a further request gets
//! NACK(overloaded). Networks run on one compute thread with a bounded queue.

mod service;
mod settings;
mod tail;

pub use service::{CloudError, Running, start};
pub use settings::{PowerSettings, Settings};

//! The tuner on recorded sysfs trees and, as a service, over a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calibration;
mod clock;
mod emulation;
mod knobs;
mod leases;
mod report;
mod sensors;
mod servers;
mod service;
mod trees;

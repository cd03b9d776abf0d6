//! Accounting on virtual meters whose truth is known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conservation;
mod integral;
mod model;
mod receipts;

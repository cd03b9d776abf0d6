//! Networks, cuts, bundles and pictures from the outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accuracy;
mod bad_networks;
mod bundles;
mod codecs;
mod cuts;
mod engines;
mod fixtures;
mod halves;
mod hostile;
mod networks;
mod operators;
mod shared;

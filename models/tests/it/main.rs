//! Networks, cuts, bundles and pictures from the outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accuracy;
mod bundles;
mod codecs;
mod cuts;
mod hostile;
mod shared;

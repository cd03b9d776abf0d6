//! The decisions from outside: the paper's rule and its record, floors, the choice of executors, the default policy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adaptive;
mod best;
mod floors;
mod fronts;
mod properties;
mod replay;
mod rule;
mod shadow;
mod site;

//! Strategies on whole pools: the published one, and others that nobody measured.

#![allow(clippy::unwrap_used)]

mod comparison;
mod synthetic;

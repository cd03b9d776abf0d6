//! Strategies on whole pools: the published one, and others that nobody measured.

mod comparison;
mod synthetic;

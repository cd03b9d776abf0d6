//! The offline phase.
pub mod pareto;
pub mod record;
pub mod space;
pub mod statistics;

//! Chooses, for every request, where to cut the network and how fast the edge runs.

pub mod plan;
pub mod policy;
pub mod site;

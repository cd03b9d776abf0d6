//! The figures, by what they are drawn from.

pub mod cuts;
pub mod decisions;
pub mod front;
pub mod knobs;
pub mod limits;
pub mod overheads;
pub mod requests;
pub mod timeline;

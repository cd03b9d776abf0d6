//! Traces, replay and evaluation: how Splinter is driven and judged.
//!
//! - [`trace`]: latency limits drawn as the paper draws them, the same from the same seed on every machine.
//! - [`pictures`]: labelled pictures from a folder or drawn.
//! - [`replay`]: sends a trace through a running system and records every outcome.
//! - [`evaluation`]: one row of figures from the records of one policy. Pure.

mod error;
pub mod evaluation;
pub mod pictures;
pub mod replay;
pub mod trace;

pub use error::LoadgenError;
pub use evaluation::{EnergyFigure, Evaluation, Shares};
pub use pictures::{Picture, PictureSet};
pub use replay::{Record, Replay};
pub use trace::Trace;

//! Traces, replay and evaluation: how Splinter is driven and judged.
//!
//! - [`trace`]: requests with their times and limits: drawn from a seed the same on every machine, read and written.
//! - [`link`]: how fast a link is at each time.
//! - [`pictures`]: labelled pictures from a folder or drawn.
//! - [`replay`]: sends a trace through a running system and records every outcome.
//! - [`campaign`]: policies × traces × networks × links, on a running system or in the simulator, compared in pairs.
//! - [`evaluation`]: one row of figures from the records of one policy. Pure.
//! - [`estimate`]: figures with their confidence intervals.
//! - [`recording`]: recorded runs in the form of the paper's data, read strictly.
//! - [`check`]: what is wrong with a pool.
//! - [`reproduce`]: the paper's evaluation on its own data, and Splinter's beside it.
//! - [`results`]: folders with everything that a replay or a campaign measured.
//! - [`report`]: what was measured as plots and tables: one page, Markdown, CSV.
//! - [`simulate`]: the scheduler's own core in virtual time.

pub mod campaign;
pub mod check;
mod error;
pub mod estimate;
pub mod evaluation;
mod json;
pub mod link;
pub mod pictures;
mod problem;
pub mod recording;
pub mod replay;
pub mod report;
pub mod reproduce;
pub mod results;
pub mod simulate;
mod table;
pub mod trace;

pub use error::LoadgenError;
pub use estimate::{Estimate, Feasible};
pub use evaluation::{EnergyFigure, Evaluation, Shares};
pub use link::LinkTrace;
pub use pictures::{Picture, PictureSet};
pub use problem::Problem;
pub use replay::{Record, Replay};
pub use trace::{Trace, TraceRequest};

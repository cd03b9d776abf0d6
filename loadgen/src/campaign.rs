//! Campaigns: policies × traces × networks × links, compared fairly.
//!
//! - [`mod@file`]: what is compared, as a person declares it.
//! - [`material`]: the traces, links and files that a campaign names, read and drawn.
//! - [`plan`]: in which order runs are made, so that drift hits all policies alike.
//! - [`live`], [`simulated`]: the runs, [`folder`]: where their results go.
//! - [`summary`]: figures and paired differences, with confidence intervals.
//!
//! `docs/evaluation.md` is the guide.

pub mod file;
pub mod folder;
pub mod live;
pub mod material;
pub mod plan;
pub mod simulated;
pub mod summary;

pub use file::Campaign;
pub use folder::{Destination, Progress};
pub use material::Material;
pub use plan::{Plan, PlannedRun};
pub use summary::Summary;

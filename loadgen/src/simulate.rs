//! The scheduler's own core in virtual time.
//!
//! - [`pool`]: the paper's way. A request's outcome is that of a recorded run of the chosen configuration, or their mean.
//! - [`system`]: discrete events. Edges with queues and hardware that takes time to change, links that vary, cloud executors
//!   with queues and batches, presence and failures.
//! - [`draw`]: how a run is drawn, with the paper's random numbers or others.
//! - [`figures`]: one row of a table, in the terms of the paper.

pub mod draw;
pub mod figures;
pub mod pool;
pub mod system;

pub use draw::Draw;
pub use figures::Figures;

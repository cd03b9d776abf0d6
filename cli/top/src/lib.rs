//! The live view of a running system, `splinter top`: what it hears (receipts, presences, fronts, what schedulers say) becomes
//! frames on a terminal. No clock, no broker: the command hands both in, so that a frame can be tested.
//!
//! ```text
//! live.hear(&receipt)   live.see(presences)   live.know(fronts)   live.report(report)
//! draw(frame, &live, now)
//! ```

mod draw;
mod live;

pub use draw::draw;
pub use live::Live;

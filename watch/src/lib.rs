//! What is heard of a running site, counted for whoever watches it: the gateway's page and `splinter top`. Pure, without a
//! clock of its own; bounded, however long it is watched.

mod counts;
mod reports;
mod window;

pub use counts::Counts;
pub use reports::Reports;
pub use window::{GREATEST_WINDOW, LastMinute, WINDOW_MS};

use schemas::UnixMillis;

/// Whether what happened then has lasted for longer than it may. A clock that was set back makes nothing old.
fn is_old(at: UnixMillis, now: UnixMillis, lasts_ms: u64) -> bool {
    now.0.saturating_sub(at.0) > lasts_ms
}

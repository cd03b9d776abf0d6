use schemas::{Outcome, Receipt};
use serde::Serialize;

/// Requests by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// With a result within the limit.
    pub within: u64,
    /// With a result after it.
    pub late: u64,
    /// With a typed error.
    pub failed: u64,
    /// Of all these, run otherwise than planned.
    pub fallbacks: u64,
}

impl Counts {
    /// One request that ended so.
    pub fn of(receipt: &Receipt) -> Self {
        Self {
            within: u64::from(receipt.outcome == Outcome::Within),
            late: u64::from(receipt.outcome == Outcome::Late),
            failed: u64::from(matches!(receipt.outcome, Outcome::Failed(_))),
            fallbacks: u64::from(receipt.fallback.is_some()),
        }
    }

    /// Counts these too.
    pub fn add(&mut self, other: Self) {
        self.within += other.within;
        self.late += other.late;
        self.failed += other.failed;
        self.fallbacks += other.fallbacks;
    }

    /// However they ended.
    pub fn all(&self) -> u64 {
        self.within + self.late + self.failed
    }

    /// The share within the limit, in per cent; `None` without a request.
    pub fn within_percent(&self) -> Option<f64> {
        (self.all() > 0).then(|| 100.0 * self.within as f64 / self.all() as f64)
    }
}

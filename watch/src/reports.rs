use std::collections::BTreeMap;

use schemas::{InstanceId, SchedulerReport, UnixMillis};

/// A scheduler that said nothing for so long is gone.
const LASTS_MS: u64 = 5_000;

/// Schedulers that are listened to.
const GREATEST: usize = 16;

/// What each scheduler takes to be true.
#[derive(Debug, Clone, Default)]
pub struct Reports(BTreeMap<InstanceId, SchedulerReport>);

impl Reports {
    /// Hears one; of a scheduler beyond the sixteenth it is passed over.
    pub fn hear(&mut self, report: SchedulerReport) {
        if self.0.len() < GREATEST || self.0.contains_key(&report.scheduler) {
            self.0.insert(report.scheduler.clone(), report);
        }
    }

    /// Lets time pass: who said nothing for five seconds is gone.
    pub fn pass(&mut self, now: UnixMillis) {
        self.0.retain(|_, report| !crate::is_old(report.at, now, LASTS_MS));
    }

    /// The last of each, by the scheduler's name.
    pub fn iter(&self) -> impl Iterator<Item = &SchedulerReport> {
        self.0.values()
    }
}

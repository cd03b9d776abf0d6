//! What the scheduler is told.

use std::num::NonZeroU32;

use chassis::ServiceSettings;
use policy::AdaptiveSettings;
use schemas::{PolicyName, ServiceKind};
use serde::Deserialize;

/// Table `[scheduler]` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The policy for requests that name none.
    pub policy: PolicyName,
    /// How policy `adaptive` decides.
    pub adaptive: AdaptiveSettings,
    /// Requests taken at once. A plan takes microseconds, so this is reached only when the machine stands still.
    pub capacity: NonZeroU32,
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Scheduler;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: PolicyName::Adaptive,
            adaptive: AdaptiveSettings::default(),
            capacity: NonZeroU32::MIN.saturating_add(255),
        }
    }
}

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use chassis::{ServiceSettings, SettingsError};
use schemas::{Accelerator, Bandwidth, LinkState, Millis, ModelName, ServiceKind};
use serde::Deserialize;

/// The links that can be emulated.
pub(crate) const BANDWIDTH_MBIT: RangeInclusive<f64> = 0.001..=1e6;
pub(crate) const RTT_MS: RangeInclusive<f64> = 0.0..=60_000.0;

/// Table `[edge_executor]` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A folder of bundle folders to serve besides those of the model store.
    pub models_dir: Option<PathBuf>,
    /// Serve only these networks; all when empty.
    pub models: Vec<ModelName>,
    /// What to run networks on besides the processor, where it is there and built in: `onnxruntime`, `wgpu`, `cuda`.
    pub accelerators: Vec<Accelerator>,
    /// Requests taken at once: one computes, the others travel or wait in the compute queue.
    pub capacity: NonZeroU32,
    /// Play a slower link to the cloud. Its time is labelled emulated.
    pub link: Option<LinkSettings>,
}

/// An emulated link between edge and cloud.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Megabits a second, each way; 0.001 to 1 000 000.
    pub bandwidth_mbit: f64,
    /// Round-trip time in milliseconds; 0 to 60 000.
    pub rtt_ms: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            models_dir: None,
            models: Vec::new(),
            accelerators: Vec::new(),
            capacity: NonZeroU32::MIN.saturating_add(7),
            link: None,
        }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::EdgeExecutor;

    fn check(&self) -> Result<(), SettingsError> {
        let Some(link) = self.link else { return Ok(()) };
        let check = SettingsError::check_range;
        check("edge_executor.link.bandwidth_mbit", link.bandwidth_mbit, BANDWIDTH_MBIT)?;
        check("edge_executor.link.rtt_ms", link.rtt_ms, RTT_MS)
    }
}

impl From<LinkSettings> for LinkState {
    /// The settings are checked before they are used.
    fn from(settings: LinkSettings) -> Self {
        Self {
            bandwidth_mbit: Bandwidth::saturating(settings.bandwidth_mbit),
            rtt_ms: Millis::saturating(settings.rtt_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_cannot_be_are_refused() {
        for (bandwidth_mbit, rtt_ms) in [(0.0, 1.0), (-5.0, 1.0), (f64::NAN, 1.0), (1.0, -1.0), (1.0, 1e9)] {
            let settings =
                Settings { link: Some(LinkSettings { bandwidth_mbit, rtt_ms }), ..Settings::default() };
            assert!(settings.check().is_err(), "{bandwidth_mbit} {rtt_ms}");
        }
    }
}

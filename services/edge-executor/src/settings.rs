use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chassis::{ServiceSettings, SettingsError};
use schemas::{Accelerator, ByteCount, ModelName, ServiceKind};
use serde::Deserialize;

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
        check("edge_executor.link.bandwidth_mbit", link.bandwidth_mbit, 0.001..=1e6)?;
        check("edge_executor.link.rtt_ms", link.rtt_ms, 0.0..=60_000.0)
    }
}

impl LinkSettings {
    /// How long the link holds back a message of this size, one way.
    pub(crate) fn one_way(self, size: ByteCount) -> Duration {
        let bits = size.0 as f64 * 8.0;
        Duration::from_secs_f64(self.rtt_ms / 2e3 + bits / (self.bandwidth_mbit * 1e6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_back_by_half_its_round_trip_and_its_bandwidth() {
        let link = LinkSettings { bandwidth_mbit: 8.0, rtt_ms: 10.0 };
        assert_eq!(link.one_way(ByteCount(0)), Duration::from_millis(5));
        assert_eq!(link.one_way(ByteCount(1_000_000)), Duration::from_millis(1_005));
    }

    #[test]
    fn links_that_cannot_be_are_refused() {
        for (bandwidth_mbit, rtt_ms) in [(0.0, 1.0), (-5.0, 1.0), (f64::NAN, 1.0), (1.0, -1.0), (1.0, 1e9)] {
            let settings =
                Settings { link: Some(LinkSettings { bandwidth_mbit, rtt_ms }), ..Settings::default() };
            assert!(settings.check().is_err(), "{bandwidth_mbit} {rtt_ms}");
        }
    }
}

use std::num::NonZeroU32;
use std::path::PathBuf;

use chassis::{ServiceSettings, SettingsError};
use schemas::{Accelerator, EnergySource, ModelName, ServiceKind, Watts};
use serde::Deserialize;

/// The server that a cloud executor may play: the paper's Grid'5000 node without its GPU drew 930 to 960 W
/// whatever its load (reference §3).
const GRID5000_NODE: &str = "grid5000-node";
const GRID5000_WATTS: f64 = 945.0;

/// Table `[cloud_executor]` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A folder of bundle folders to serve besides those of the model store.
    pub models_dir: Option<PathBuf>,
    /// Serve only these networks; all when empty.
    pub models: Vec<ModelName>,
    /// What to run networks on besides the processor, where it is there and built in: `onnxruntime`, `wgpu`, `cuda`.
    pub accelerators: Vec<Accelerator>,
    /// Requests taken at once: one computes, the others wait in the compute queue.
    pub capacity: NonZeroU32,
    /// Play a server's power: `grid5000-node`. Joules are labelled emulated.
    pub emulate: Option<String>,
    /// This machine's power while it computes. Joules are labelled modelled.
    pub power: Option<PowerSettings>,
}

/// A declared power.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerSettings {
    /// Watts while it computes.
    pub active_w: Watts,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            models_dir: None,
            models: Vec::new(),
            accelerators: Vec::new(),
            capacity: NonZeroU32::MIN.saturating_add(7),
            emulate: None,
            power: None,
        }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::CloudExecutor;

    fn check(&self) -> Result<(), SettingsError> {
        self.power().map(drop)
    }
}

impl Settings {
    /// The power that joules are computed with; `None` when none is declared: then there are no joules.
    pub(crate) fn power(&self) -> Result<Option<(Watts, EnergySource)>, SettingsError> {
        match (self.emulate.as_deref(), self.power) {
            (None, None) => Ok(None),
            (None, Some(power)) => Ok(Some((power.active_w, EnergySource::Modelled))),
            (Some(GRID5000_NODE), None) => {
                Ok(Some((Watts::saturating(GRID5000_WATTS), EnergySource::Emulated)))
            }
            (Some(device), None) => Err(SettingsError::Unusable {
                setting: "cloud_executor.emulate",
                problem: format!("there is no server {device:?}: use {GRID5000_NODE:?}"),
            }),
            (Some(_), Some(_)) => Err(SettingsError::Unusable {
                setting: "cloud_executor.power",
                problem: "an emulated server has a power of its own: leave out one of the two".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_emulated_modelled_or_unknown() {
        let settings = |emulate: Option<&str>, watts: Option<f64>| Settings {
            emulate: emulate.map(str::to_owned),
            power: watts.map(|watts| PowerSettings { active_w: Watts::new(watts).unwrap() }),
            ..Settings::default()
        };
        assert_eq!(settings(None, None).power().unwrap(), None);
        assert_eq!(settings(None, Some(90.0)).power().unwrap().unwrap().1, EnergySource::Modelled);
        assert_eq!(settings(Some(GRID5000_NODE), None).power().unwrap().unwrap().1, EnergySource::Emulated);
        assert!(settings(Some("cray-1"), None).power().unwrap_err().to_string().contains(GRID5000_NODE));
        assert!(settings(Some(GRID5000_NODE), Some(1.0)).power().is_err());
    }
}

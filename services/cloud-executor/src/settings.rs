use std::num::NonZeroU32;
use std::path::PathBuf;

use chassis::{ServiceSettings, SettingsError};
use schemas::{Accelerator, DevicePower, EnergySource, ModelName, ServiceKind, Watts};
use serde::Deserialize;

/// The server that a cloud executor may play: the paper's Grid'5000 node without its GPU drew 930 to 960 W
/// whatever its load (reference §3).
const GRID5000_NODE: &str = "grid5000-node";
const GRID5000_WATTS: f64 = 945.0;
const GRID5000_IDLE_WATTS: f64 = 930.0;

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
    /// Watts while it idles; without it everything it draws while it computes is charged as added by the request.
    #[serde(default)]
    pub idle_w: Option<Watts>,
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
    pub(crate) fn power(&self) -> Result<Option<DevicePower>, SettingsError> {
        match (self.emulate.as_deref(), self.power) {
            (None, None) => Ok(None),
            (None, Some(PowerSettings { active_w, idle_w })) => {
                if idle_w.is_some_and(|idle| idle > active_w) {
                    return Err(SettingsError::Unusable {
                        setting: "cloud_executor.power",
                        problem: "it idles with more than it computes with: swap idle_w and active_w".into(),
                    });
                }
                Ok(Some(device_power(active_w, idle_w.unwrap_or(Watts::ZERO), EnergySource::Modelled)))
            }
            (Some(GRID5000_NODE), None) => {
                let (active, idle) =
                    (Watts::saturating(GRID5000_WATTS), Watts::saturating(GRID5000_IDLE_WATTS));
                Ok(Some(device_power(active, idle, EnergySource::Emulated)))
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

fn device_power(active_w: Watts, idle_w: Watts, source: EnergySource) -> DevicePower {
    DevicePower { active_w, waiting_w: idle_w, source, idle_w: Some(idle_w), uncertainty_w: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_emulated_modelled_or_unknown() {
        let settings = |emulate: Option<&str>, watts: Option<f64>| Settings {
            emulate: emulate.map(str::to_owned),
            power: watts.map(|watts| PowerSettings {
                active_w: Watts::new(watts).unwrap(),
                idle_w: Watts::new(30.0).ok(),
            }),
            ..Settings::default()
        };
        assert_eq!(settings(None, None).power().unwrap(), None);
        assert_eq!(settings(None, Some(90.0)).power().unwrap().unwrap().source, EnergySource::Modelled);
        assert_eq!(
            settings(Some(GRID5000_NODE), None).power().unwrap().unwrap().source,
            EnergySource::Emulated
        );
        assert!(settings(Some("cray-1"), None).power().unwrap_err().to_string().contains(GRID5000_NODE));
        assert!(settings(Some(GRID5000_NODE), Some(1.0)).power().is_err());
        assert!(settings(None, Some(20.0)).power().unwrap_err().to_string().contains("swap"));
    }
}

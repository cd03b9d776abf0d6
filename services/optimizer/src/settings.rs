//! The optimizer's settings: table `[optimizer]` of `splinter.toml`.

use chassis::{ServiceSettings, SettingsError};
use schemas::{Millis, ServiceKind};
use serde::Deserialize;

/// What may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Every cut is measured at every clock when that is at most so many configurations; otherwise every cut at
    /// the highest clock and the two ends at every clock.
    pub budget: u32,
    /// How often a sample is asked for again when something else ran than was asked for.
    pub retries: u32,
    /// How long one execution may take. A VGG16 on an emulated Raspberry Pi at its lowest clock takes some 10 s.
    pub call_timeout_ms: Millis,
}

impl Default for Settings {
    fn default() -> Self {
        Self { budget: 400, retries: 2, call_timeout_ms: Millis::saturating(60_000.0) }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Optimizer;

    fn check(&self) -> Result<(), SettingsError> {
        let check = SettingsError::check_range;
        check("optimizer.budget", f64::from(self.budget), 1.0..=100_000.0)?;
        check("optimizer.retries", f64::from(self.retries), 0.0..=100.0)?;
        check("optimizer.call_timeout_ms", self.call_timeout_ms.get(), 1.0..=3_600_000.0)
    }
}

#[cfg(test)]
mod tests {
    use chassis::ServiceSettings;
    use schemas::Millis;

    use super::Settings;

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        Settings::default().check().unwrap();
        let broken = [
            ("budget", Settings { budget: 0, ..Settings::default() }),
            ("retries", Settings { retries: 101, ..Settings::default() }),
            ("call_timeout_ms", Settings { call_timeout_ms: Millis::ZERO, ..Settings::default() }),
        ];
        for (name, settings) in broken {
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(name) && message.contains("between"), "{message}");
        }
    }
}

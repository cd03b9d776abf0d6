//! What the scheduler is told.

use std::num::NonZeroU32;

use chassis::{ServiceSettings, SettingsError};
use policy::AdaptiveSettings;
use schemas::{EnergyPrices, PolicyChoice, PolicyName, ServiceKind};
use serde::Deserialize;

/// Table `[scheduler]` of the settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The policy for requests that name none, until `splinter policy set` chooses another for all schedulers.
    pub policy: PolicyName,
    /// A second policy that is asked for the same requests and changes nothing; how it compares is published. With
    /// the same reservation.
    pub shadow: Option<PolicyName>,
    /// How policy `adaptive` decides.
    pub adaptive: AdaptiveSettings,
    /// What a joule costs at each place: decisions take the least cost. Each counts once by default.
    pub prices: EnergyPrices,
    /// Requests taken at once. A plan takes microseconds, so this is reached only when the machine stands still.
    pub capacity: NonZeroU32,
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Scheduler;

    fn check(&self) -> Result<(), SettingsError> {
        let unusable = |setting, problem: String| SettingsError::Unusable { setting, problem };
        for (setting, policy) in [("scheduler.policy", Some(self.policy)), ("scheduler.shadow", self.shadow)]
        {
            if policy.is_some_and(|policy| !PolicyName::ALL.contains(&policy)) {
                let policies = PolicyName::ALL.map(PolicyName::as_str).join(", ");
                let problem = format!("only simulations have the oracle: use one of {policies}");
                return Err(unusable(setting, problem));
            }
        }
        self.prices.check().map_err(|error| unusable("scheduler.prices", error.to_string()))
    }
}

impl Settings {
    pub(crate) fn choice(&self) -> PolicyChoice {
        PolicyChoice { policy: self.policy, shadow: self.shadow }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: PolicyName::Adaptive,
            shadow: None,
            adaptive: AdaptiveSettings::default(),
            prices: EnergyPrices::default(),
            capacity: NonZeroU32::MIN.saturating_add(255),
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::ServiceSettings;
    use schemas::{EnergyPrices, PolicyName, Weight};

    use super::Settings;

    #[test]
    fn what_cannot_decide_is_refused_by_name() {
        Settings::default().check().unwrap();
        let free = EnergyPrices {
            edge: Weight::ZERO,
            wire: Weight::ZERO,
            cloud: Weight::ZERO,
            ..EnergyPrices::default()
        };
        for (name, settings) in [
            ("scheduler.policy", Settings { policy: PolicyName::Oracle, ..Settings::default() }),
            ("scheduler.shadow", Settings { shadow: Some(PolicyName::Oracle), ..Settings::default() }),
            ("scheduler.prices", Settings { prices: free, ..Settings::default() }),
        ] {
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}

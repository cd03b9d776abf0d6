//! The optimizer's settings: table `[optimizer]` of `splinter.toml`.

use chassis::{ServiceSettings, SettingsError};
use schemas::{Codec, Millis, ServiceKind, Share};
use serde::Deserialize;

/// What may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Every cut is measured with every codec at every clock when that is at most so many configurations; otherwise
    /// every cut with every codec at the highest clock and the two ends at every clock.
    pub budget: u32,
    /// The codecs to measure at every cut between the two ends, such as `["f32", "f16", "i8-channel+lz4"]`.
    pub codecs: Vec<Codec>,
    /// A codec that costs more of the answers than this share at a cut is not offered there. Fewer pictures than one
    /// over this share cannot tell such a loss from none.
    pub greatest_accuracy_loss: Share,
    /// How often a sample is asked for again when something else ran than was asked for.
    pub retries: u32,
    /// How long one execution may take. A VGG16 on an emulated Raspberry Pi at its lowest clock takes some 10 s.
    pub call_timeout_ms: Millis,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            budget: 400,
            codecs: vec![Codec::F32],
            greatest_accuracy_loss: Share::saturating(0.01),
            retries: 2,
            call_timeout_ms: Millis::saturating(60_000.0),
        }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Optimizer;

    fn check(&self) -> Result<(), SettingsError> {
        let check = SettingsError::check_range;
        check("optimizer.budget", f64::from(self.budget), 1.0..=100_000.0)?;
        if self.codecs.is_empty() {
            let problem = "it names no codec, use at least \"f32\"".to_owned();
            return Err(SettingsError::Unusable { setting: "optimizer.codecs", problem });
        }
        check("optimizer.retries", f64::from(self.retries), 0.0..=100.0)?;
        check("optimizer.call_timeout_ms", self.call_timeout_ms.get(), 1.0..=3_600_000.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chassis::{ServiceSettings, SettingsFile};
    use schemas::{Codec, Millis, Share};

    use super::Settings;

    #[test]
    fn codecs_are_set_by_name() {
        let load = |codecs: &str| {
            let variable = ("SPLINTER_OPTIMIZER__CODECS".to_owned(), codecs.to_owned());
            let loss = ("SPLINTER_OPTIMIZER__GREATEST_ACCURACY_LOSS".to_owned(), "0.05".to_owned());
            let file = SettingsFile::load(None, &BTreeMap::from([variable, loss])).unwrap();
            file.table::<Settings>("optimizer")
        };
        let settings = load(r#"["f32", "i8-channel+lz4"]"#).unwrap();
        assert_eq!(settings.codecs, [Codec::F32, "i8-channel+lz4".parse().unwrap()]);
        assert_eq!(settings.greatest_accuracy_loss, Share::new(0.05).unwrap());
        let error = load(r#"["f64"]"#).unwrap_err().to_string();
        assert!(error.contains("f64") && error.contains("i8-channel"), "{error}");
        assert_eq!(Settings::default().codecs, [Codec::F32], "the demo stays as quick as it is");
    }

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
        let message = Settings { codecs: vec![], ..Settings::default() }.check().unwrap_err().to_string();
        assert!(message.contains("optimizer.codecs") && message.contains("f32"), "{message}");
    }
}

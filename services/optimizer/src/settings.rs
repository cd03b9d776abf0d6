//! The optimizer's settings: table `[optimizer]` of `splinter.toml`.

use chassis::{Environment, ServiceSettings, SettingsError};
use std::path::PathBuf;

use schemas::{Codec, Millis, ServiceKind, Share};
use search::strategy::StrategyName;
use serde::Deserialize;

/// What may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How to choose what is measured, where a request does not say.
    pub strategy: StrategyName,
    /// The seed of the choice, where a request does not say.
    pub seed: u64,
    /// The most configurations that are measured, whatever share of the space a request allows.
    pub budget: u32,
    /// Configurations that are measured together on one pair of machines, in turns: of a larger number each can be
    /// chosen by less that is known.
    pub batch: u32,
    /// The quantile of the latencies that configurations are judged by.
    pub quantile: Share,
    /// A configuration is sampled until the quantile's 95 % confidence interval reaches at most this share of it to both
    /// sides, or it has had its most samples.
    pub interval: Share,
    /// The codecs to measure at every cut between the two ends, such as `["f32", "f16", "i8-channel+lz4"]`.
    pub codecs: Vec<Codec>,
    /// Labelled pictures that each set of answers is judged on, at most.
    pub accuracy_pictures: u32,
    /// A codec that costs more of the answers than this share at a cut is not offered there. Fewer pictures than one
    /// over this share cannot tell such a loss from none.
    pub greatest_accuracy_loss: Share,
    /// How often a sample is asked for again when something else ran than was asked for.
    pub retries: u32,
    /// How long one execution may take. A VGG16 on an emulated Raspberry Pi at its lowest clock takes some 10 s.
    pub call_timeout_ms: Millis,
    /// How long a machine that was lost in the middle of measuring is waited for, or another of its kind.
    pub patience_ms: Millis,
    /// A configuration has drifted when the receipts of live requests differ from the front by at least this share of its
    /// latency or energy, and by more than chance explains.
    pub drift: Share,
    /// After so long without a live request, what has drifted is measured again without being asked for; 0 waits to be asked.
    /// The pictures are those of the last request for the network, which is kept in `state_dir` for that.
    pub refresh_idle_ms: Millis,
    /// The folder for the logs of campaigns, from which one that was broken off goes on; by default
    /// `$XDG_STATE_HOME/splinter/campaigns`, or that under `~/.local/state`.
    pub state_dir: Option<PathBuf>,
}

impl Settings {
    /// The folder for the logs of campaigns; `None` where no setting and no home says one.
    pub(crate) fn state_folder(&self, environment: &impl Environment) -> Option<PathBuf> {
        let variables = environment.variables();
        let variable = |name| variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        self.state_dir.clone().or_else(|| {
            let state = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
            Some(state?.join("splinter/campaigns"))
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: StrategyName::default(),
            seed: 1,
            budget: 400,
            batch: 4,
            quantile: Share::saturating(0.95),
            interval: Share::saturating(0.1),
            codecs: vec![Codec::F32],
            accuracy_pictures: 100,
            greatest_accuracy_loss: Share::saturating(0.01),
            retries: 2,
            call_timeout_ms: Millis::saturating(60_000.0),
            patience_ms: Millis::saturating(30_000.0),
            drift: Share::saturating(0.1),
            refresh_idle_ms: Millis::ZERO,
            state_dir: None,
        }
    }
}

impl ServiceSettings for Settings {
    const SERVICE: ServiceKind = ServiceKind::Optimizer;

    fn check(&self) -> Result<(), SettingsError> {
        let check = SettingsError::check_range;
        check("optimizer.budget", f64::from(self.budget), 2.0..=100_000.0)?;
        check("optimizer.batch", f64::from(self.batch), 1.0..=1_000.0)?;
        check("optimizer.quantile", self.quantile.get(), 0.5..=0.999)?;
        check("optimizer.interval", self.interval.get(), 0.001..=1.0)?;
        if self.codecs.is_empty() {
            let problem = "it names no codec, use at least \"f32\"".to_owned();
            return Err(SettingsError::Unusable { setting: "optimizer.codecs", problem });
        }
        check("optimizer.retries", f64::from(self.retries), 0.0..=100.0)?;
        check("optimizer.call_timeout_ms", self.call_timeout_ms.get(), 1.0..=3_600_000.0)?;
        check("optimizer.drift", self.drift.get(), 0.001..=1.0)?;
        check("optimizer.refresh_idle_ms", self.refresh_idle_ms.get(), 0.0..=86_400_000.0)?;
        check("optimizer.patience_ms", self.patience_ms.get(), 0.0..=3_600_000.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

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
    fn logs_are_kept_where_it_is_set_or_at_home() {
        let environment = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let home = environment(&[("HOME", "/home/me")]);
        let state = environment(&[("HOME", "/home/me"), ("XDG_STATE_HOME", "/state")]);
        let default = Settings::default();
        assert_eq!(
            default.state_folder(&home),
            Some(PathBuf::from("/home/me/.local/state/splinter/campaigns"))
        );
        assert_eq!(default.state_folder(&state), Some(PathBuf::from("/state/splinter/campaigns")));
        assert_eq!(default.state_folder(&environment(&[])), None);
        let set = Settings { state_dir: Some("/here".into()), ..Settings::default() };
        assert_eq!(set.state_folder(&state), Some(PathBuf::from("/here")));
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        Settings::default().check().unwrap();
        let broken = [
            ("budget", Settings { budget: 1, ..Settings::default() }),
            ("batch", Settings { batch: 0, ..Settings::default() }),
            ("quantile", Settings { quantile: Share::ZERO, ..Settings::default() }),
            ("interval", Settings { interval: Share::ZERO, ..Settings::default() }),
            ("retries", Settings { retries: 101, ..Settings::default() }),
            ("drift", Settings { drift: Share::ZERO, ..Settings::default() }),
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

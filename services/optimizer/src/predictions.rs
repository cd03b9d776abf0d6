//! What was expected of configurations before they were measured, against what they turned out to be. Pure.

use schemas::{Configuration, Expectation, Joules, Measurement, Millis};
use serde::Serialize;

/// One configuration, predicted and then measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Verified {
    /// The configuration.
    pub configuration: Configuration,
    /// What was expected.
    pub expected: Expectation,
    /// The latency that it is judged by.
    pub latency_ms: Millis,
    /// Its joules; `None` where nobody knows them.
    pub energy_j: Option<Joules>,
}

/// How far predictions were off, as shares of what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Errors {
    /// Predictions.
    pub count: usize,
    /// The median error with its sign: above zero where too much was predicted.
    pub bias: f64,
    /// The median error without its sign.
    pub median: f64,
    /// Nine of ten are no further off.
    pub ninth_decile: f64,
    /// The greatest.
    pub greatest: f64,
}

/// Predictions and how good they were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predictions {
    /// In the order of measuring; what nothing was expected of (the baselines) is left out.
    pub verified: Vec<Verified>,
    /// Of the latencies; `None` without any.
    pub latency: Option<Errors>,
    /// Measured latencies within the interval in which they were expected with 95 % confidence.
    pub within: usize,
    /// Of the joules; `None` without any.
    pub energy: Option<Errors>,
}

impl Verified {
    /// Of a measurement of which something was expected.
    pub fn of(measurement: &Measurement) -> Option<Self> {
        let expected = measurement.provenance.as_ref()?.expected?;
        let (latency_ms, energy_j) = (measurement.judged_ms(), measurement.joules());
        Some(Self { configuration: measurement.configuration, expected, latency_ms, energy_j })
    }

    /// By what share of the measured latency too much was predicted.
    pub fn latency_error(&self) -> Option<f64> {
        error(self.expected.latency_ms.get(), self.latency_ms.get())
    }

    /// By what share of the measured joules too much was predicted; `None` where one of the two is not known.
    pub fn energy_error(&self) -> Option<f64> {
        error(self.expected.energy_j?.get(), self.energy_j?.get())
    }

    /// Whether the latency lies where it was expected with 95 % confidence.
    pub fn is_within(&self) -> bool {
        (self.expected.low_ms..=self.expected.high_ms).contains(&self.latency_ms)
    }
}

impl Predictions {
    /// Of a campaign's measurements.
    pub fn of(measurements: &[Measurement]) -> Self {
        let verified: Vec<Verified> = measurements.iter().filter_map(Verified::of).collect();
        Self {
            latency: Errors::of(verified.iter().filter_map(Verified::latency_error).collect()),
            within: verified.iter().filter(|one| one.is_within()).count(),
            energy: Errors::of(verified.iter().filter_map(Verified::energy_error).collect()),
            verified,
        }
    }
}

impl Errors {
    /// The distribution of some errors; `None` of none.
    fn of(mut signed: Vec<f64>) -> Option<Self> {
        signed.sort_by(f64::total_cmp);
        let mut sizes: Vec<f64> = signed.iter().map(|error| error.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let at = |sorted: &[f64], share: f64| {
            // By nearest rank.
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Self {
            count: sizes.len(),
            bias: at(&signed, 0.5)?,
            median: at(&sizes, 0.5)?,
            ninth_decile: at(&sizes, 0.9)?,
            greatest: at(&sizes, 1.0)?,
        })
    }
}

fn error(predicted: f64, measured: f64) -> Option<f64> {
    (measured > 0.0).then(|| predicted / measured - 1.0)
}

#[cfg(test)]
mod tests {
    use schemas::{Configuration, Cut, Expectation, Joules, Measurement, Millis, Place};

    use super::{Errors, Predictions};
    use crate::front::tests::{measurement, provenance};

    /// Measured, predicted with an interval of ± 10 ms, measured joules, predicted joules.
    fn verified(cut: u16, ms: f64, predicted: f64, joules: f64, expected_j: Option<f64>) -> Measurement {
        let millis = |ms: f64| Millis::new(ms).unwrap();
        let mut one = measurement(cut, ms, &[(Place::Edge, joules)], None);
        one.provenance = provenance(0, vec![]);
        one.provenance.as_mut().unwrap().expected = Some(Expectation {
            latency_ms: millis(predicted),
            low_ms: millis(predicted - 10.0),
            high_ms: millis(predicted + 10.0),
            energy_j: expected_j.map(|joules| Joules::new(joules).unwrap()),
        });
        one
    }

    #[test]
    fn errors_are_shares_of_what_was_measured() {
        let baseline = measurement(0, 100.0, &[], None);
        let measurements = [
            baseline,
            verified(1, 100.0, 105.0, 2.0, Some(1.0)),
            verified(2, 100.0, 90.0, 2.0, Some(2.5)),
            verified(3, 100.0, 150.0, 2.0, None),
        ];
        let found = Predictions::of(&measurements);
        assert_eq!(found.verified.len(), 3, "nothing was expected of the baseline");
        assert_eq!(found.verified[0].configuration, Configuration::at(Cut(1)));
        assert_eq!(found.within, 2);
        let rounded = |errors: Option<Errors>| {
            let Errors { count, bias, median, ninth_decile, greatest } = errors.unwrap();
            (count, [bias, median, ninth_decile, greatest].map(|error| (error * 1e3).round() as i64))
        };
        assert_eq!(rounded(found.latency), (3, [50, 100, 500, 500]));
        assert_eq!(rounded(found.energy), (2, [-500, 250, 500, 500]));
    }

    #[test]
    fn nothing_predicted_has_no_errors() {
        let found = Predictions::of(&[measurement(0, 1.0, &[], None)]);
        assert_eq!((found.latency, found.energy, found.within, found.verified.len()), (None, None, 0, 0));
    }
}

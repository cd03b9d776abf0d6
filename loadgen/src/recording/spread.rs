//! How far runs of one configuration lie apart, for configurations that were run too seldom to know.

use schemas::{LatencySummary, Millis};

use super::{Recording, Side, Values};

/// The relative deviation of latencies, by side, pooled over all configurations that were run more than once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PooledSpread {
    by_side: [f64; 3],
}

/// The pooled deviation counts as much as this many runs of one's own.
const PRIOR_RUNS: f64 = 4.0;
/// Runs from which on a quantile is read off instead of assumed.
const ENOUGH_FOR_QUANTILES: u32 = 40;
/// The 0.95 quantile of the normal distribution.
const Z_95: f64 = 1.645;

impl PooledSpread {
    /// Of a recording. A side without repeats takes the spread of all; without any repeat it is zero.
    pub fn of(recording: &Recording) -> Self {
        let (mut squares, mut freedom) = ([0.0; 3], [0.0; 3]);
        for (place, recorded) in recording.configurations().iter().enumerate() {
            let latencies = || recorded.rows.iter().map(|&row| recording.rows()[row].latency.get());
            let count = recorded.rows.len() as f64;
            let mean = latencies().sum::<f64>() / count;
            if recorded.rows.len() > 1 && mean > 0.0 {
                let side = recording.side(place) as usize;
                squares[side] += latencies().map(|latency| (latency / mean - 1.0).powi(2)).sum::<f64>();
                freedom[side] += count - 1.0;
            }
        }
        let deviation =
            |squares: f64, freedom: f64| if freedom > 0.0 { (squares / freedom).sqrt() } else { 0.0 };
        let overall = deviation(squares.iter().sum(), freedom.iter().sum());
        let by_side = std::array::from_fn(|side| {
            if freedom[side] > 0.0 { deviation(squares[side], freedom[side]) } else { overall }
        });
        Self { by_side }
    }

    /// The relative deviation at a side.
    pub fn relative(&self, side: Side) -> f64 {
        self.by_side[side as usize]
    }

    /// The values of a configuration with a spread that its own runs and all others' speak for.
    pub fn applied(&self, values: Values, side: Side) -> Values {
        let mean = values.latency.mean_ms.get();
        let pooled = (self.relative(side) * mean).powi(2);
        let own = values.latency.deviation_ms.get().powi(2);
        let freedom = f64::from(values.samples.saturating_sub(1));
        let deviation = ((freedom * own + PRIOR_RUNS * pooled) / (freedom + PRIOR_RUNS)).sqrt();
        let p95_ms = if values.samples >= ENOUGH_FOR_QUANTILES {
            values.latency.p95_ms
        } else {
            Millis::saturating(mean + Z_95 * deviation)
        };
        let latency =
            LatencySummary { p95_ms, deviation_ms: Millis::saturating(deviation), ..values.latency };
        Values { latency, ..values }
    }
}

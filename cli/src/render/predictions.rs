//! What was expected of configurations, beside what they turned out to be.

use optimizer::predictions::{Errors, Predictions, Verified};
use schemas::Measurement;

use super::{UNKNOWN, milliseconds, table};

/// One configuration a row, in the order of measuring, and how far the predictions were off.
pub fn predictions(measurements: &[Measurement]) -> String {
    let found = Predictions::of(measurements);
    let headers = [
        "configuration",
        "predicted ms",
        "95 % interval",
        "measured ms",
        "off",
        "predicted J",
        "measured J",
        "off",
    ];
    let mut rows = table(&headers, 1);
    for one in &found.verified {
        rows.add_row(row(one));
    }
    let count = found.verified.len();
    let line =
        |name: &str, errors: Option<Errors>| errors.map_or(String::new(), |errors| spread(name, errors));
    format!(
        "Predicted before it was measured, in the order of measuring ({count} of {} configurations; of the first ones nothing was \
         known)\n{rows}{}{}\nMeasured latencies within the predicted 95 % interval: {} of {count}",
        measurements.len(),
        line("latency", found.latency),
        line("energy", found.energy),
        found.within,
    )
}

fn row(one: &Verified) -> [String; 8] {
    let joules = |joules: Option<schemas::Joules>| {
        joules.map_or(UNKNOWN.into(), |joules| format!("{:.3}", joules.get()))
    };
    let off = |error: Option<f64>| error.map_or(UNKNOWN.into(), percent);
    [
        one.configuration.to_string(),
        milliseconds(one.expected.latency_ms),
        format!("{:.1} to {:.1}", one.expected.low_ms.get(), one.expected.high_ms.get()),
        milliseconds(one.latency_ms),
        off(one.latency_error()),
        joules(one.expected.energy_j),
        joules(one.energy_j),
        off(one.energy_error()),
    ]
}

fn spread(name: &str, errors: Errors) -> String {
    let Errors { count, bias, median, ninth_decile, greatest } = errors;
    format!(
        "\nError of the {name}, {count} predictions: median {:.1} % (with its sign {}), 90th percentile {:.1} %, greatest {:.1} %",
        median * 100.0,
        percent(bias),
        ninth_decile * 100.0,
        greatest * 100.0
    )
}

fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

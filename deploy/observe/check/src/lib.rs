//! What the dashboard and the alert rules ask Prometheus for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The folder of the dashboard and the rules.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One query of the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The panel's title.
    pub panel: String,
    /// What it asks for, in PromQL; `$__rate_interval` is Grafana's.
    pub expression: String,
}

#[derive(Deserialize)]
struct Dashboard {
    panels: Vec<Panel>,
}

#[derive(Deserialize)]
struct Panel {
    title: String,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    expr: String,
}

/// Every query of a dashboard, in its order.
pub fn queries(dashboard: &str) -> serde_json::Result<Vec<Query>> {
    let dashboard: Dashboard = serde_json::from_str(dashboard)?;
    let of_panel = |panel: Panel| {
        let Panel { title, targets } = panel;
        targets.into_iter().map(move |target| Query { panel: title.clone(), expression: target.expr })
    };
    Ok(dashboard.panels.into_iter().flat_map(of_panel).collect())
}

/// Every metric that a text names, by the beginnings of our names.
pub fn metrics_named(text: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_word(c));
    words.filter(|word| word.starts_with("splinter_") || word.starts_with("process_")).collect()
}

/// The metric that a series is of: a histogram's parts are the histogram's.
pub fn metric_of(series: &str, is_metric: impl Fn(&str) -> bool) -> Option<&str> {
    let parts = ["_bucket", "_sum", "_count"].map(|part| series.strip_suffix(part));
    std::iter::once(Some(series)).chain(parts).flatten().find(|name| is_metric(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_in_queries() {
        let text = "sum by (le) (rate(splinter_a_b_seconds_bucket{x=\"y\"}[5m])) / process_cpu";
        assert_eq!(Vec::from_iter(metrics_named(text)), ["process_cpu", "splinter_a_b_seconds_bucket"]);
        let known = |name: &str| name == "splinter_a_b_seconds";
        assert_eq!(metric_of("splinter_a_b_seconds_bucket", known), Some("splinter_a_b_seconds"));
        assert_eq!(metric_of("splinter_a_b_seconds_bucket_sum", known), None);
    }
}

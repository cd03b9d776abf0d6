//! The columns of the paper's tables.

use serde::Serialize;

use crate::simulate::Figures;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Median latency, ms.
    LatencyMedian,
    /// Mean latency, ms.
    LatencyMean,
    /// Median energy, J.
    EnergyMedian,
    /// Mean energy, J.
    EnergyMean,
    /// Less mean energy than the cloud baseline, %.
    EnergyReduction,
    /// Requests within their limit, %.
    Met,
    /// Requests beyond their limit.
    Violations,
    /// By how much, median over those, ms.
    ExceedMedian,
    /// Mean accuracy.
    Accuracy,
    /// Requests all in the cloud, %.
    Cloud,
    /// Requests cut, %.
    Split,
    /// Requests all on the edge, %.
    Edge,
}

impl Metric {
    /// Every one, in the order of the tables.
    pub const ALL: [Self; 12] = [
        Self::LatencyMedian,
        Self::LatencyMean,
        Self::EnergyMedian,
        Self::EnergyMean,
        Self::EnergyReduction,
        Self::Met,
        Self::Violations,
        Self::ExceedMedian,
        Self::Accuracy,
        Self::Cloud,
        Self::Split,
        Self::Edge,
    ];

    /// Its name in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::LatencyMedian => "latency_median",
            Self::LatencyMean => "latency_mean",
            Self::EnergyMedian => "energy_median",
            Self::EnergyMean => "energy_mean",
            Self::EnergyReduction => "energy_mean_reduction_vs_cloud_pct",
            Self::Met => "qos_met_pct",
            Self::Violations => "violations",
            Self::ExceedMedian => "exceed_median",
            Self::Accuracy => "accuracy_mean",
            Self::Cloud => "share_cloud_pct",
            Self::Split => "share_split_pct",
            Self::Edge => "share_edge_pct",
        }
    }

    /// Its name over a column.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::LatencyMedian => "lat. med. ms",
            Self::LatencyMean => "mean ms",
            Self::EnergyMedian => "energy med. J",
            Self::EnergyMean => "mean J",
            Self::EnergyReduction => "less than cloud %",
            Self::Met => "met %",
            Self::Violations => "missed",
            Self::ExceedMedian => "by med. ms",
            Self::Accuracy => "accuracy",
            Self::Cloud => "cloud %",
            Self::Split => "split %",
            Self::Edge => "edge %",
        }
    }

    /// Digits after the point in the paper's tables.
    pub const fn digits(self) -> usize {
        match self {
            Self::Violations => 0,
            Self::Accuracy => 4,
            _ => 2,
        }
    }

    /// Its value; `None` where it is not known. `baseline` is the strategy `cloud` of the same table.
    pub fn of(self, figures: &Figures, baseline: Option<&Figures>) -> Option<f64> {
        let [cloud, split, edge] = figures.sides_percent();
        Some(match self {
            Self::LatencyMedian => figures.latency_median,
            Self::LatencyMean => figures.latency_mean,
            Self::EnergyMedian => figures.energy_median,
            Self::EnergyMean => figures.energy_mean,
            Self::EnergyReduction => figures.reduction_percent(baseline?),
            Self::Met => figures.met_percent,
            Self::Violations => figures.violations as f64,
            Self::ExceedMedian => figures.exceed_median,
            Self::Accuracy => figures.accuracy?,
            Self::Cloud => cloud,
            Self::Split => split,
            Self::Edge => edge,
        })
    }
}

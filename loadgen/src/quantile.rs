//! Quantiles of few values; distributions of many go into histograms.

/// The smallest value such that at least `quantile` of all are not greater; `None` when there are none.
pub fn nearest_rank<T: Copy>(sorted: &[T], quantile: f64) -> Option<T> {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

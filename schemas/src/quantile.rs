//! The quantiles of messages and reports: by nearest rank, a value that did occur.

/// The least value such that at least a share of all values are not greater; `None` when there are none, or the share is above
/// one. `sorted` is ascending.
pub fn nearest_rank<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::nearest_rank;

    #[test]
    fn a_quantile_is_a_value_that_occurred() {
        let ten: Vec<u32> = (1..=10).collect();
        let of_ten = [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.95, 10), (1.0, 10)];
        for (share, value) in of_ten {
            assert_eq!(nearest_rank(&ten, share), Some(value), "{share}");
        }
        assert_eq!(nearest_rank(&[7], 0.5), Some(7));
        assert_eq!(nearest_rank(&ten, 1.01), None);
        assert_eq!(nearest_rank::<u32>(&[], 0.5), None);
    }
}

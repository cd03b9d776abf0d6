//! How long to wait for the cloud. Pure code.

use std::time::Duration;

use schemas::Millis;

/// Kept besides the time of the tail at home: a queue of one, scheduling, the answer's way back.
const MARGIN: Duration = Duration::from_millis(25);

/// How long the cloud may take when `remaining` is left and finishing at home takes `home`. Zero means: at once at home.
pub(crate) fn for_cloud(remaining: Duration, home: Millis) -> Duration {
    remaining.saturating_sub(home.to_duration()).saturating_sub(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_kept_to_finish_at_home() {
        let cases = [(1_000, 100.0, 875), (200, 100.0, 75), (120, 100.0, 0), (0, 5.0, 0)];
        for (remaining, home, expected) in cases {
            let home = Millis::new(home).unwrap();
            assert_eq!(for_cloud(Duration::from_millis(remaining), home), Duration::from_millis(expected));
        }
    }
}

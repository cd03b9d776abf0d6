//! When a search has found enough. Pure.

/// Stop when the best candidate is expected to add less than this share to the front's hypervolume, and so were the last
/// ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StopRule {
    /// The share of the hypervolume.
    pub share: f64,
    /// Measurements in a row that promised less, before a further one that does ends the search.
    pub in_a_row: u32,
}

impl Default for StopRule {
    fn default() -> Self {
        Self { share: 1e-3, in_a_row: 3 }
    }
}

/// How far a search has come on the way to its [`StopRule`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    rule: StopRule,
    poor_in_a_row: u32,
}

impl Patience {
    /// At the beginning.
    pub const fn new(rule: StopRule) -> Self {
        Self { rule, poor_in_a_row: 0 }
    }

    /// The next candidate promises this share: whether it is not worth its price. Otherwise it counts as measured.
    pub fn is_exhausted_by(&mut self, share: f64) -> bool {
        if share >= self.rule.share {
            self.poor_in_a_row = 0;
            return false;
        }
        if self.poor_in_a_row >= self.rule.in_a_row {
            return true;
        }
        self.poor_in_a_row += 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Patience, StopRule};

    #[test]
    fn it_ends_after_poor_promises_in_a_row() {
        let rule = StopRule { share: 0.01, in_a_row: 2 };
        let cases: [(&[f64], usize); 5] = [
            (&[0.5, 0.001, 0.001, 0.001, 0.5], 3),
            (&[0.001, 0.001, 0.02, 0.001, 0.001, 0.001], 5),
            (&[0.0, 0.0, 0.0], 2),
            (&[0.01, 0.01, 0.01], 3),
            (&[], 0),
        ];
        for (promises, expected) in cases {
            let mut patience = Patience::new(rule);
            let measured = promises.iter().take_while(|&&share| !patience.is_exhausted_by(share)).count();
            assert_eq!(measured, expected, "{promises:?}");
        }
    }
}

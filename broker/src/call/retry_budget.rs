//! How many extra executions retries may cause: at most a tenth, so that trouble does not feed itself. Pure code.

/// Retries a connection may make before it has earned any: a lone command must be able to try another target.
const FLOOR: f64 = 10.0;

/// What each first attempt earns.
const EARNED: f64 = 0.1;

/// Retries that may be saved up: a burst after a long calm stays small.
const GREATEST: f64 = 100.0;

/// A token bucket: first attempts earn, retries spend.
#[derive(Debug)]
pub struct RetryBudget {
    tokens: f64,
}

impl RetryBudget {
    pub fn new() -> Self {
        Self { tokens: FLOOR }
    }

    /// A first attempt was made.
    pub fn earn(&mut self) {
        self.tokens = (self.tokens + EARNED).min(GREATEST);
    }

    /// Whether one more retry may be made; it is then spent.
    pub fn spend(&mut self) -> bool {
        let may = self.tokens >= 1.0;
        if may {
            self.tokens -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn retries_stay_within_a_tenth_and_the_floor(attempts in prop::collection::vec(any::<bool>(), 0..2_000)) {
            let (mut budget, mut firsts, mut retries) = (RetryBudget::new(), 0u32, 0u32);
            for is_retry in attempts {
                if is_retry {
                    retries += u32::from(budget.spend());
                } else {
                    budget.earn();
                    firsts += 1;
                }
            }
            prop_assert!(f64::from(retries) <= FLOOR + f64::from(firsts) * EARNED + 1e-6);
        }
    }
}

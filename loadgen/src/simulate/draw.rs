//! Which recorded run a request gets.

use rand_mt::Mt;

/// How one of a configuration's runs is drawn.
#[derive(Debug, Clone)]
pub enum Draw {
    /// None is: every request gets the mean of all runs.
    Mean,
    /// As the paper's simulation does with `pandas.DataFrame.sample(n=1)` after `numpy.random.seed`: a Fisher–Yates shuffle of all
    /// runs with MT19937, of which the first is taken.
    Numpy(Box<Numpy>),
    /// SplitMix64 of seed + 8 · request + policy, modulo the number of runs: the portable recipe of the reference data.
    Portable {
        /// The seed.
        seed: u64,
    },
    /// SplitMix64 of seed and request alone: policies that choose the same for a request get the same run, so differences
    /// between policies are not drowned by the draw.
    Paired {
        /// The seed.
        seed: u64,
    },
}

/// NumPy's legacy generator, and room for a shuffle.
#[derive(Debug, Clone)]
pub struct Numpy {
    generator: Mt,
    /// What each place is swapped with, the last place first.
    swaps: Vec<u32>,
}

impl Draw {
    /// The paper's generator after `numpy.random.seed(seed)`.
    pub fn numpy(seed: u32) -> Self {
        Self::Numpy(Box::new(Numpy { generator: Mt::new(seed), swaps: Vec::new() }))
    }

    /// Which of `count` runs the request gets; `None` for the mean. `policy` is the policy's place in the order in which
    /// requests are handled; a count of zero is taken as one.
    pub fn run(&mut self, request: usize, policy: usize, count: usize) -> Option<usize> {
        let count = count.max(1);
        match self {
            Self::Mean => None,
            Self::Numpy(numpy) => Some(numpy.choice(count)),
            Self::Portable { seed } => {
                let key = seed.wrapping_add(8 * request as u64).wrapping_add(policy as u64);
                Some((split_mix(key) % count as u64) as usize)
            }
            Self::Paired { seed } => {
                let random = split_mix(split_mix(*seed) ^ request as u64);
                // The upper half times the count: no modulo, and no bias that 2³² requests would show.
                Some((((random >> 32) * count as u64) >> 32) as usize)
            }
        }
    }
}

impl Numpy {
    /// `choice(count, 1, replace=False)`: the first of 0..count after a shuffle. One run draws nothing.
    ///
    /// Which one comes first is found by going back through the swaps; nothing needs to be shuffled for that.
    fn choice(&mut self, count: usize) -> usize {
        self.swaps.clear();
        for place in (1..count as u32).rev() {
            let other = self.bounded(place);
            self.swaps.push(other);
        }
        let mut first = 0;
        for (place, &other) in (1..).zip(self.swaps.iter().rev()) {
            if first == other {
                first = place;
            } else if first == place {
                first = other;
            }
        }
        first as usize
    }

    /// A number of 0 to `greatest`: bits under a mask, drawn again until they are not greater.
    fn bounded(&mut self, greatest: u32) -> u32 {
        let mask = u32::MAX >> greatest.leading_zeros();
        loop {
            let drawn = self.generator.next_u32() & mask;
            if drawn <= greatest {
                return drawn;
            }
        }
    }
}

/// SplitMix64's output for a state.
pub(crate) const fn split_mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_s_draws_to_the_last_bit() {
        // Made with NumPy itself: `reference_vgg16.json`, `legacy_choice_seed123456789`.
        let mut draw = Draw::numpy(123_456_789);
        let drawn = [51, 123, 10, 55, 12].map(|count| draw.run(0, 0, count));
        assert_eq!(drawn, [41, 21, 9, 11, 1].map(Some));
    }

    #[test]
    fn a_single_run_draws_nothing() {
        let mut draw = Draw::numpy(123_456_789);
        assert_eq!(draw.run(0, 0, 1), Some(0));
        assert_eq!(draw.run(1, 0, 51), Some(41));
    }

    #[test]
    fn split_mix_is_the_published_one() {
        let cases = [
            (0, 16_294_208_416_658_607_535),
            (1, 10_451_216_379_200_822_465),
            (123_456_789, 2_466_975_172_287_755_897),
            (123_456_793, 16_797_188_236_551_183_255),
        ];
        for (state, expected) in cases {
            assert_eq!(split_mix(state), expected);
        }
    }

    #[test]
    fn every_draw_is_one_of_the_runs() {
        for mut draw in [Draw::numpy(1), Draw::Portable { seed: 1 }, Draw::Paired { seed: 1 }] {
            for request in 0..1000 {
                let count = 1 + request % 7;
                assert!(draw.run(request, request % 5, count).is_some_and(|run| run < count));
            }
        }
        assert_eq!(Draw::Mean.run(0, 0, 3), None);
    }
}

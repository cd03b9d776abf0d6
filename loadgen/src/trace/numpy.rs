//! The random numbers of numpy's `default_rng(seed).weibull(1, n)`, to the last bit.
//!
//! The paper's workloads are drawn with them (reference §7). numpy's generator is PCG64 (`rand_pcg` has the same),
//! seeded through its `SeedSequence`; a Weibull variable of shape 1 is its standard exponential, a ziggurat of 256 layers.

mod ziggurat;

use rand::Rng;
use rand_pcg::Pcg64;

use ziggurat::LAYERS;

/// Where the ziggurat's tail begins.
const TAIL: f64 = 7.697_117_470_131_05;

/// numpy's `default_rng`.
#[derive(Debug)]
pub(crate) struct NumpyRandom(Pcg64);

impl NumpyRandom {
    /// `default_rng(seed)`.
    pub(crate) fn new(seed: u64) -> Self {
        let [state_high, state_low, stream_high, stream_low] = SeedSequence::new(seed).words();
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        Self(Pcg64::new(wide(state_high, state_low), wide(stream_high, stream_low)))
    }

    /// `weibull(1)`.
    pub(crate) fn standard_exponential(&mut self) -> f64 {
        loop {
            let bits = self.0.next_u64() >> 3;
            let layer = (bits & 0xff) as usize;
            let position = bits >> 8;
            let (inside, width, height) = layer_at(layer);
            let x = position as f64 * width;
            if position < inside {
                return x;
            }
            if layer == 0 {
                return TAIL - libm::log1p(-self.uniform());
            }
            let (_, _, above) = layer_at(layer - 1);
            if (above - height) * self.uniform() + height < libm::exp(-x) {
                return x;
            }
        }
    }

    /// `random()`: 53 bits in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}

/// A layer's positions that lie under the curve for certain, its width by position, and the curve's height.
fn layer_at(layer: usize) -> (u64, f64, f64) {
    let (inside, width, height) = LAYERS[layer];
    (inside, f64::from_bits(width), f64::from_bits(height))
}

/// numpy's `SeedSequence`: spreads a seed over a pool of four words by hashing and mixing.
struct SeedSequence {
    pool: [u32; 4],
}

impl SeedSequence {
    fn new(seed: u64) -> Self {
        let mut hash = Hash { constant: 0x43b0_d7e5, factor: 0x931e_8875 };
        // A seed below 2^32 is one word of entropy, another one two; the rest of the pool begins with zeros.
        let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(|word| hash.next(word));
        for from in 0..pool.len() {
            for to in 0..pool.len() {
                if from != to {
                    pool[to] = mixed(pool[to], hash.next(pool[from]));
                }
            }
        }
        Self { pool }
    }

    /// `generate_state(4, uint64)`.
    fn words(&self) -> [u64; 4] {
        let mut hash = Hash { constant: 0x8b51_f9dd, factor: 0x58f3_8ded };
        let mut word = |position: usize| u64::from(hash.next(self.pool[position % self.pool.len()]));
        [0, 2, 4, 6].map(|position| word(position) | word(position + 1) << 32)
    }
}

struct Hash {
    constant: u32,
    factor: u32,
}

impl Hash {
    fn next(&mut self, value: u32) -> u32 {
        let value = value ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.factor);
        let value = value.wrapping_mul(self.constant);
        value ^ value >> 16
    }
}

fn mixed(x: u32, y: u32) -> u32 {
    let value = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
    value ^ value >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_numpy() {
        // numpy 2.4.6: default_rng(seed).bit_generator.random_raw(2), then default_rng(seed).standard_exponential(3)
        let cases = [
            (
                0,
                [11749869230777074271, 4976686463289251617],
                [0.6799319039689096, 1.0195971014658647, 0.019806662589055352],
            ),
            (
                123456789,
                [511209809126027580, 16725663875132018381],
                [0.018753309552351147, 3.0393937123078425, 1.0548406531885186],
            ),
            (
                1099511627781,
                [87427594128977387, 6872972437549564694],
                [0.012444109499585755, 0.49098949476691645, 1.7757215979343248],
            ),
        ];
        for (seed, raw, exponential) in cases {
            let mut random = NumpyRandom::new(seed);
            assert_eq!([random.0.next_u64(), random.0.next_u64()], raw, "seed {seed}");
            let mut random = NumpyRandom::new(seed);
            assert_eq!([(); 3].map(|()| random.standard_exponential()), exponential, "seed {seed}");
        }
    }

    #[test]
    fn a_hundred_thousand_numbers_go_through_every_branch_as_in_numpy() {
        let mut random = NumpyRandom::new(7);
        let mut sum = 0.0;
        let mut greatest = 0.0_f64;
        for _ in 0..100_000 {
            let x = random.standard_exponential();
            sum += x;
            greatest = greatest.max(x);
        }
        // Left to right, as sum() of a Python list; the greatest lies in the tail.
        assert_eq!((sum, greatest), (99936.33881076411, 9.897681935725956));
    }
}

//! Which points resemble each other.

/// Where a value of a function is taken: one number for each dimension; of a category, its number.
pub type Point = Vec<f64>;

/// How a dimension is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Dimension {
    /// By distance, on an axis that spans about 0 to 1: the function is once differentiable along it (Matérn 3/2).
    Smooth {
        /// Beyond this distance, values tell little about each other.
        length: f64,
    },
    /// Alike or not.
    Category {
        /// What values of different categories have in common, 0 to 1.
        resemblance: f64,
    },
    /// Categories in an order, such as an accelerator's modes: neighbours may be all but the same or quite different.
    Ladder {
        /// How far each category is from the next; values `d` apart have `exp(−d)` in common.
        gaps: Vec<f64>,
    },
}

impl Dimension {
    fn covariance(&self, a: f64, b: f64) -> f64 {
        match self {
            Self::Smooth { length } => {
                let distance = 3_f64.sqrt() * (a - b).abs() / *length;
                (1.0 + distance) * (-distance).exp()
            }
            Self::Category { resemblance } => {
                if a == b {
                    1.0
                } else {
                    *resemblance
                }
            }
            Self::Ladder { gaps } => {
                let (from, to) = (a.min(b) as usize, a.max(b) as usize);
                (-gaps[from..to].iter().sum::<f64>()).exp()
            }
        }
    }
}

/// An additive kernel: a level, effects of each dimension alone, of pairs, and of all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// One for each number of a point.
    pub dimensions: Vec<Dimension>,
    /// Variance of the level that all points share.
    pub level: f64,
    /// Variance of what one dimension does alone.
    pub alone: f64,
    /// Variance of what two dimensions do together.
    pub pairs: f64,
    /// Variance of what all do together.
    pub together: f64,
    /// Standard deviation of a measurement's noise.
    pub noise: f64,
}

impl Kernel {
    /// What two points have in common.
    pub fn covariance(&self, one: &Point, other: &Point) -> f64 {
        let (mut sum, mut squares, mut product) = (0.0, 0.0, 1.0);
        for (dimension, (a, b)) in self.dimensions.iter().zip(one.iter().zip(other)) {
            let covariance = dimension.covariance(*a, *b);
            sum += covariance;
            squares += covariance * covariance;
            product *= covariance;
        }
        // The sum over all pairs, by Newton's identity; both sums are shared out, so that the variances are of the whole.
        let count = self.dimensions.len() as f64;
        let pairs = if count > 1.0 { (sum * sum - squares) / (count * (count - 1.0)) } else { product };
        self.level + self.alone * sum / count.max(1.0) + self.pairs * pairs + self.together * product
    }

    pub(super) fn noise_variance(&self) -> f64 {
        self.noise * self.noise
    }
}

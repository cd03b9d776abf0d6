//! A line through weighted points, with forgetting, and how sure its two numbers are.

/// Three degrees of freedom: with fewer, the intervals say nothing.
const LEAST_POINTS: f64 = 5.0;

/// Running sums of a weighted linear regression of `y` on `x`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Regression {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    /// Points, old ones counted less, and the sum of the squares of what each counts.
    points: f64,
    squares: f64,
}

/// `y = intercept + slope · x`, with the half widths of the 95 % confidence intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub intercept: f64,
    pub slope: f64,
    pub intercept_half_width: f64,
    pub slope_half_width: f64,
    /// At most: that of the line's height where the points are, at their mean.
    pub mean_half_width: f64,
    /// Root mean square of what the line leaves unexplained.
    pub residual: f64,
}

impl Regression {
    /// Lets everything before count `keep` times as much (0 to 1).
    pub(crate) fn forget(&mut self, keep: f64) {
        for sum in [
            &mut self.weight,
            &mut self.x,
            &mut self.y,
            &mut self.xx,
            &mut self.xy,
            &mut self.yy,
            &mut self.points,
        ] {
            *sum *= keep;
        }
        self.squares *= keep * keep;
    }

    pub(crate) fn push(&mut self, x: f64, y: f64, weight: f64) {
        self.weight += weight;
        self.x += weight * x;
        self.y += weight * y;
        self.xx += weight * x * x;
        self.xy += weight * x * y;
        self.yy += weight * y * y;
        self.points += 1.0;
        self.squares += 1.0;
    }

    /// How many equally counted points would tell as much.
    pub(crate) fn effective_points(&self) -> f64 {
        if self.squares > 0.0 { self.points * self.points / self.squares } else { 0.0 }
    }

    /// Spread of `x`: its weighted standard deviation.
    pub(crate) fn spread(&self) -> f64 {
        if self.weight <= 0.0 {
            return 0.0;
        }
        let mean = self.x / self.weight;
        (self.xx / self.weight - mean * mean).max(0.0).sqrt()
    }

    /// The line; `None` with fewer than five points, or when all `x` are (nearly) the same.
    pub(crate) fn line(&self) -> Option<Line> {
        let points = self.effective_points();
        if points < LEAST_POINTS || self.spread() < 1e-6 {
            return None;
        }
        let (mean_x, mean_y) = (self.x / self.weight, self.y / self.weight);
        let sxx = self.xx / self.weight - mean_x * mean_x;
        let sxy = self.xy / self.weight - mean_x * mean_y;
        let syy = (self.yy / self.weight - mean_y * mean_y).max(0.0);
        let slope = sxy / sxx;
        let unexplained = (syy - slope * sxy).max(0.0);
        let freedom = points - 2.0;
        let variance = unexplained * points / freedom;
        let factor = student(freedom);
        let slope_deviation = (variance / (points * sxx)).sqrt();
        let mean_deviation = (variance / points).sqrt();
        let intercept_deviation = (variance / points + (slope_deviation * mean_x).powi(2)).sqrt();
        Some(Line {
            intercept: mean_y - slope * mean_x,
            slope,
            intercept_half_width: factor * intercept_deviation,
            slope_half_width: factor * slope_deviation,
            mean_half_width: factor * mean_deviation,
            residual: unexplained.sqrt(),
        })
    }
}

/// The 97.5 % point of Student's distribution, by its expansion around the normal one (Abramowitz and Stegun 26.7.5, to
/// the third order). Within 3 % of the tables from 3 degrees of freedom on.
fn student(freedom: f64) -> f64 {
    let z: f64 = 1.959_964;
    let v = freedom.max(1.0);
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    let first = (z3 + z) / (4.0 * v);
    let second = (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * v * v);
    let third = (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * v * v * v);
    z + first + second + third
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_points_are_those_of_the_tables() {
        for (freedom, table) in [(3.0, 3.182), (5.0, 2.571), (10.0, 2.228), (30.0, 2.042), (1e6, 1.960)] {
            let point = student(freedom);
            assert!((point - table).abs() / table < 0.03, "{freedom}: {point}, the table says {table}");
        }
    }

    /// The example of the heights and masses of women (Wikipedia, "Simple linear regression", from the World Almanac
    /// of 1975): slope 61.272, intercept −39.062, their intervals (57.4, 65.1) and (−45.4, −32.7).
    #[test]
    fn a_published_example_comes_out_as_published() {
        let heights =
            [1.47, 1.50, 1.52, 1.55, 1.57, 1.60, 1.63, 1.65, 1.68, 1.70, 1.73, 1.75, 1.78, 1.80, 1.83];
        let masses = [
            52.21, 53.12, 54.48, 55.84, 57.20, 58.57, 59.93, 61.29, 63.11, 64.47, 66.28, 68.10, 69.92, 72.19,
            74.46,
        ];
        let mut regression = Regression::default();
        for (height, mass) in heights.into_iter().zip(masses) {
            regression.push(height, mass, 1.0);
        }
        let line = regression.line().unwrap();
        let close = |value: f64, published: f64, within: f64| {
            assert!((value - published).abs() < within, "{value} is not {published}: {line:?}");
        };
        close(line.slope, 61.272, 0.001);
        close(line.intercept, -39.062, 0.001);
        close(line.slope - line.slope_half_width, 57.4, 0.1);
        close(line.slope + line.slope_half_width, 65.1, 0.1);
        close(line.intercept - line.intercept_half_width, -45.4, 0.1);
        close(line.intercept + line.intercept_half_width, -32.7, 0.1);
    }

    #[test]
    fn without_spread_there_is_no_line() {
        let mut regression = Regression::default();
        for _ in 0..10 {
            regression.push(0.5, 3.0, 1.0);
        }
        assert_eq!(regression.line(), None);
    }
}

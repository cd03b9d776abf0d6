//! A kernel's parameters, from what was observed.

use super::{Dimension, Kernel, Observed, Point, Process};

/// Factors by which a parameter is tried to be changed, in turn: first far, then near.
const FACTORS: [[f64; 2]; 3] = [[0.25, 4.0], [0.5, 2.0], [0.8, 1.25]];

/// The kernel near `start` under which the observations are most probable, each parameter
/// weighed by a log-normal prior around `start`'s.
///
/// One parameter is changed at a time (coordinate search), so the answer is the same for the same input, and it costs
/// a bounded number of factorisations: 2 × parameters for each row of `FACTORS`, of the observed points alone.
pub fn learn(points: &[Point], observed: &[Observed], start: &Kernel, level: f64) -> Kernel {
    let places: Vec<Point> = observed.iter().map(|seen| points[seen.place].clone()).collect();
    let density = |kernel: &Kernel| {
        let mut process = Process::new(&places, kernel.clone(), level);
        for (place, seen) in observed.iter().enumerate() {
            process.observe(&places, Observed { place, ..*seen });
        }
        process.log_likelihood() + log_prior(kernel, start)
    };
    let mut best = start.clone();
    let mut best_density = density(&best);
    for factors in FACTORS {
        for parameter in 0..parameters(start) {
            for factor in factors {
                let mut tried = best.clone();
                change(&mut tried, parameter, |value| value * factor);
                let tried_density = density(&tried);
                if tried_density > best_density {
                    (best, best_density) = (tried, tried_density);
                }
            }
        }
    }
    best
}

/// Alone, pairs, together and noise, then those of the dimensions. The level is not learned: one value tells nothing of it.
fn parameters(kernel: &Kernel) -> usize {
    let of = |dimension: &Dimension| match dimension {
        Dimension::Smooth { .. } | Dimension::Category { .. } => 1,
        Dimension::Ladder { gaps } => gaps.len(),
    };
    4 + kernel.dimensions.iter().map(of).sum::<usize>()
}

/// Replaces a parameter, as a positive number, by a function of it, and answers what it was.
fn change(kernel: &mut Kernel, parameter: usize, by: impl Fn(f64) -> f64) -> f64 {
    let plain = match parameter {
        0 => &mut kernel.alone,
        1 => &mut kernel.pairs,
        2 => &mut kernel.together,
        3 => &mut kernel.noise,
        _ => return change_dimension(&mut kernel.dimensions, parameter - 4, by),
    };
    let before = *plain;
    *plain = by(before);
    before
}

fn change_dimension(dimensions: &mut [Dimension], mut parameter: usize, by: impl Fn(f64) -> f64) -> f64 {
    for dimension in dimensions {
        let own = match dimension {
            Dimension::Smooth { length } => std::slice::from_mut(length),
            Dimension::Ladder { gaps } => gaps.as_mut_slice(),
            // The odds are changed, so that it stays between 0 and 1.
            Dimension::Category { resemblance } if parameter == 0 => {
                let before = *resemblance / (1.0 - *resemblance);
                let odds = by(before);
                *resemblance = odds / (1.0 + odds);
                return before;
            }
            Dimension::Category { .. } => {
                parameter -= 1;
                continue;
            }
        };
        if let Some(value) = own.get_mut(parameter) {
            let before = *value;
            *value = by(before);
            return before;
        }
        parameter -= own.len();
    }
    1.0
}

/// A factor of four from the start is one standard deviation.
fn log_prior(kernel: &Kernel, start: &Kernel) -> f64 {
    let (mut kernel, mut start) = (kernel.clone(), start.clone());
    let keep = |value: f64| value;
    let deviations = (0..parameters(&start)).map(|parameter| {
        (change(&mut kernel, parameter, keep) / change(&mut start, parameter, keep)).ln() / 4_f64.ln()
    });
    -0.5 * deviations.map(|deviation| deviation * deviation).sum::<f64>()
}

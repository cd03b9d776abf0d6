//! Sine, cosine and angle from additions and multiplications alone: the C library's differ in the last bit from
//! machine to machine, and a picture must not.

/// A full turn in radians.
pub(super) const TURN: f32 = std::f32::consts::TAU;

const QUARTER: f32 = std::f32::consts::FRAC_PI_2;

/// Sine and cosine of an angle of at most a few turns, to about 1e-5.
pub(super) fn sin_cos(angle: f32) -> (f32, f32) {
    let quarters = (angle / QUARTER).round();
    let rest = angle - quarters * QUARTER;
    let square = rest * rest;
    let sine = rest * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)));
    let cosine = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)));
    match (quarters as i32).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// The angle of (x, y) as part of a turn, from 0 to 1, to about 1e-3.
pub(super) fn part_of_turn(x: f32, y: f32) -> f32 {
    let (wide, high) = (x.abs(), y.abs());
    let larger = wide.max(high);
    if larger <= 0.0 {
        return 0.0;
    }
    let slope = wide.min(high) / larger;
    let eighth = slope * (0.158_79 - 0.034_07 * slope * slope * (1.0 - 0.01 * slope));
    let quarter = if high > wide { 0.25 - eighth } else { eighth };
    let half = if x < 0.0 { 0.5 - quarter } else { quarter };
    if y < 0.0 { 1.0 - half } else { half }
}

#[cfg(test)]
mod tests {
    use super::{TURN, part_of_turn, sin_cos};

    #[test]
    fn angles_there_and_back() {
        for step in 0..360 {
            let part = step as f32 / 360.0;
            let (sine, cosine) = sin_cos(part * TURN);
            assert!((sine - (part * TURN).sin()).abs() < 2e-5, "{part}");
            assert!((cosine - (part * TURN).cos()).abs() < 2e-5, "{part}");
            let back = part_of_turn(cosine, sine);
            let error = (back - part).abs();
            assert!(error.min(1.0 - error) < 5e-3, "{part} {back}");
        }
    }
}

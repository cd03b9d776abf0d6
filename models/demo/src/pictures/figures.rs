//! The ten figures: which points of the plane belong to one.

use super::arithmetic::{TURN, part_of_turn, sin_cos};
use super::random::Random;

/// A figure about the origin, within a radius of one.
#[derive(Debug, Clone)]
pub(super) enum Figure {
    Circle,
    Square,
    Polygon(Vec<(f32, f32)>),
    Cross { half_width: f32 },
    Ring { hole: f32 },
    Stripes { patch: Patch, frequency: f32, phase: f32 },
    Checkerboard { patch: Patch, frequency: f32, phase: (f32, f32) },
    Dots { patch: Patch, frequency: f32, radius: f32 },
    Spiral { turns: f32, clockwise: bool },
}

/// What a texture is cut out of, so that the outline does not tell the class.
#[derive(Debug, Clone, Copy)]
pub(super) enum Patch {
    Round,
    Square,
}

/// Where a point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Not on the figure.
    Outside,
    /// On the figure.
    Figure,
    /// Between the figure's marks, inside its patch.
    Ground,
}

impl Patch {
    fn random(random: &mut Random) -> Self {
        if random.chance(0.5) { Self::Round } else { Self::Square }
    }

    fn holds(self, x: f32, y: f32) -> bool {
        match self {
            Self::Round => x * x + y * y < 0.92,
            Self::Square => x.abs().max(y.abs()) < 0.8,
        }
    }
}

impl Figure {
    /// A figure of `class`, the index into `CLASS_NAMES`.
    pub(super) fn random(class: u32, random: &mut Random) -> Self {
        match class {
            0 => Self::Circle,
            1 => Self::Square,
            2 => Self::Polygon(corners(3, None)),
            3 => Self::Polygon(corners(5, Some(random.between(0.38, 0.52)))),
            4 => Self::Cross { half_width: random.between(0.18, 0.32) },
            5 => Self::Ring { hole: random.between(0.45, 0.72) },
            6 => Self::Stripes {
                patch: Patch::random(random),
                frequency: random.between(1.5, 2.6),
                phase: random.unit(),
            },
            7 => Self::Checkerboard {
                patch: Patch::random(random),
                frequency: random.between(0.9, 1.5),
                phase: (random.unit(), random.unit()),
            },
            8 => Self::Dots {
                patch: Patch::random(random),
                frequency: random.between(1.5, 2.1),
                radius: random.between(0.26, 0.36),
            },
            _ => Self::Spiral { turns: random.between(1.6, 2.6), clockwise: random.chance(0.5) },
        }
    }

    pub(super) fn place(&self, x: f32, y: f32) -> Place {
        let square = x * x + y * y;
        match self {
            Self::Circle => solid(square < 0.81),
            Self::Square => solid(x.abs().max(y.abs()) < 0.75),
            Self::Polygon(corners) => solid(square < 1.0 && within(corners, x, y)),
            Self::Cross { half_width } => {
                let (small, large) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
                solid(small < *half_width && large < 0.92)
            }
            Self::Ring { hole } => solid(square < 0.9 && square > hole * hole),
            Self::Stripes { patch, frequency, phase } => {
                marked(patch.holds(x, y), part(x * frequency + phase) < 0.5)
            }
            Self::Checkerboard { patch, frequency, phase } => {
                let (column, row) =
                    (part(x * frequency + phase.0) < 0.5, part(y * frequency + phase.1) < 0.5);
                marked(patch.holds(x, y), column == row)
            }
            Self::Dots { patch, frequency, radius } => {
                let (across, down) = (part(x * frequency) - 0.5, part(y * frequency) - 0.5);
                marked(patch.holds(x, y), across * across + down * down < radius * radius)
            }
            Self::Spiral { turns, clockwise } => {
                let angle = part_of_turn(x, if *clockwise { -y } else { y });
                marked(square < 0.92, part(square.sqrt() * turns - angle) < 0.5)
            }
        }
    }
}

fn solid(inside: bool) -> Place {
    if inside { Place::Figure } else { Place::Outside }
}

fn marked(inside: bool, mark: bool) -> Place {
    match (inside, mark) {
        (false, _) => Place::Outside,
        (true, true) => Place::Figure,
        (true, false) => Place::Ground,
    }
}

fn part(value: f32) -> f32 {
    value - value.floor()
}

/// The corners of a regular polygon, or of a star with that many points whose inner corners have radius `inner`.
fn corners(points: u32, inner: Option<f32>) -> Vec<(f32, f32)> {
    let count = if inner.is_some() { 2 * points } else { points };
    let corner = |number: u32| {
        let radius = if number % 2 == 1 { inner.unwrap_or(1.0) } else { 1.0 };
        let (sine, cosine) = sin_cos(TURN * number as f32 / count as f32);
        (radius * cosine, radius * sine)
    };
    (0..count).map(corner).collect()
}

/// Whether a ray from the point crosses the outline an odd number of times.
fn within(corners: &[(f32, f32)], x: f32, y: f32) -> bool {
    let mut inside = false;
    let mut before = match corners.last() {
        Some(last) => *last,
        None => return false,
    };
    for corner in corners {
        let crosses = (corner.1 > y) != (before.1 > y);
        if crosses && x < (before.0 - corner.0) * (y - corner.1) / (before.1 - corner.1) + corner.0 {
            inside = !inside;
        }
        before = *corner;
    }
    inside
}

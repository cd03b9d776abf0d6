//! Labelled pictures drawn from a seed: one of ten figures somewhere in clutter.
//!
//! A picture depends on nothing but its seed and index: not on the machine, the C library or a crate's version.

mod arithmetic;
mod figures;
mod png;
mod random;

use figures::{Figure, Place};
use random::Random;

use crate::CLASS_NAMES;

/// Width and height of every drawn picture, in pixels.
pub const SIDE: u32 = 64;

/// Points looked at in each direction within a pixel, so that edges are smooth.
const SAMPLES: u32 = 2;

/// A picture and what is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnPicture {
    /// Red, green and blue of each pixel, row by row from the top left.
    pub rgb: Vec<u8>,
    /// Pixels in a row: [`SIDE`].
    pub width: u32,
    /// Rows: [`SIDE`].
    pub height: u32,
    /// Index into [`CLASS_NAMES`] of the figure on it.
    pub class: u32,
}

impl DrawnPicture {
    /// The picture as an uncompressed PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        png::encode(&self.rgb, self.width, self.height)
    }
}

/// Draws picture `index` of the endless series `seed`. Every class is equally likely.
pub fn draw(seed: u64, index: u64) -> DrawnPicture {
    let mut random = Random::of(seed, index);
    let class = random.below(CLASS_NAMES.len() as u32);
    let scene = Scene::random(class, &mut random);
    let noise = random.between(0.01, 0.08);
    let mut rgb = Vec::with_capacity((3 * SIDE * SIDE) as usize);
    for row in 0..SIDE {
        for column in 0..SIDE {
            for value in scene.pixel(column, row) {
                let noisy = value + noise * random.normal();
                rgb.push((noisy * 255.0 + 0.5).clamp(0.0, 255.0) as u8);
            }
        }
    }
    DrawnPicture { rgb, width: SIDE, height: SIDE, class }
}

/// Everything on a picture but the noise. Positions are in pixels.
struct Scene {
    /// Colours of the picture's corners.
    corners: [[f32; 3]; 4],
    /// Behind the figure.
    clutter: Vec<Blot>,
    figure: Figure,
    middle: (f32, f32),
    /// From pixels to the figure's own coordinates.
    axes: [(f32, f32); 2],
    colour: [f32; 3],
    /// Between the marks of a texture; `None` shows what is behind.
    ground: Option<[f32; 3]>,
    /// In front of the figure.
    cover: Vec<Blot>,
}

/// A bar or an ellipse of one colour.
struct Blot {
    middle: (f32, f32),
    direction: (f32, f32),
    half: (f32, f32),
    round: bool,
    colour: [f32; 3],
}

impl Scene {
    fn random(class: u32, random: &mut Random) -> Self {
        let base = random.colour();
        let corners = std::array::from_fn(|_| mix(base, random.colour(), 0.25));
        let clutter = (0..random.below(6)).map(|_| Blot::clutter(random)).collect();
        let figure = Figure::random(class, random);
        let radius = random.between(15.0, 27.0);
        let free = SIDE as f32 / 2.0 - 0.85 * radius;
        let middle = (32.0 + random.between(-free, free), 32.0 + random.between(-free, free));
        let (sine, cosine) = random.direction();
        let stretch = random.between(0.85, 1.18);
        let (wide, high) = (radius * stretch, radius / stretch);
        let axes = [(cosine / wide, sine / wide), (-sine / high, cosine / high)];
        let colour = contrasting(base, random);
        let ground = random.chance(0.4).then(|| contrasting(colour, random));
        let covers = u32::from(random.chance(0.5));
        let cover = (0..covers).map(|_| Blot::cover(middle, radius, random)).collect();
        Self { corners, clutter, figure, middle, axes, colour, ground, cover }
    }

    fn pixel(&self, column: u32, row: u32) -> [f32; 3] {
        let mut sum = [0.0; 3];
        for sample in 0..SAMPLES * SAMPLES {
            let x = column as f32 + ((sample % SAMPLES) as f32 + 0.5) / SAMPLES as f32;
            let y = row as f32 + ((sample / SAMPLES) as f32 + 0.5) / SAMPLES as f32;
            let point = self.point(x, y);
            for (total, value) in sum.iter_mut().zip(point) {
                *total += value / (SAMPLES * SAMPLES) as f32;
            }
        }
        sum
    }

    fn point(&self, x: f32, y: f32) -> [f32; 3] {
        if let Some(blot) = self.cover.iter().find(|blot| blot.holds(x, y)) {
            return blot.colour;
        }
        let (right, down) = (x - self.middle.0, y - self.middle.1);
        let [across, along] = self.axes.map(|axis| right * axis.0 + down * axis.1);
        match (self.figure.place(across, along), self.ground) {
            (Place::Figure, _) => self.colour,
            (Place::Ground, Some(ground)) => ground,
            _ => self.behind(x, y),
        }
    }

    fn behind(&self, x: f32, y: f32) -> [f32; 3] {
        if let Some(blot) = self.clutter.iter().find(|blot| blot.holds(x, y)) {
            return blot.colour;
        }
        let (right, down) = (x / SIDE as f32, y / SIDE as f32);
        let top = mix(self.corners[0], self.corners[1], right);
        let bottom = mix(self.corners[2], self.corners[3], right);
        mix(top, bottom, down)
    }
}

impl Blot {
    fn clutter(random: &mut Random) -> Self {
        let middle = (random.between(0.0, 64.0), random.between(0.0, 64.0));
        let half = (random.between(1.5, 8.0), random.between(0.6, 2.5));
        Self {
            middle,
            direction: random.direction(),
            half,
            round: random.chance(0.5),
            colour: random.colour(),
        }
    }

    /// Something that hides a part of the figure, but not its middle.
    fn cover(middle: (f32, f32), radius: f32, random: &mut Random) -> Self {
        let (sine, cosine) = random.direction();
        let away = radius * random.between(0.45, 1.0);
        let half = (radius * random.between(0.2, 0.7), radius * random.between(0.06, 0.25));
        Self {
            middle: (middle.0 + away * cosine, middle.1 + away * sine),
            direction: random.direction(),
            half,
            round: random.chance(0.5),
            colour: random.colour(),
        }
    }

    fn holds(&self, x: f32, y: f32) -> bool {
        let (right, down) = (x - self.middle.0, y - self.middle.1);
        let across = (right * self.direction.1 + down * self.direction.0) / self.half.0;
        let along = (down * self.direction.1 - right * self.direction.0) / self.half.1;
        if self.round { across * across + along * along < 1.0 } else { across.abs().max(along.abs()) < 1.0 }
    }
}

/// A random colour that can be told from `other`, sometimes only just.
fn contrasting(other: [f32; 3], random: &mut Random) -> [f32; 3] {
    let wanted = random.between(0.5, 0.9);
    let mut best = (0.0, random.colour());
    // Far enough is found within a few tries; the best of eight will do when it is not.
    for _ in 0..8 {
        let colour = random.colour();
        let distance: f32 = colour.iter().zip(other).map(|(one, two)| (one - two) * (one - two)).sum();
        if distance > best.0 {
            best = (distance, colour);
        }
        if distance > wanted * wanted {
            break;
        }
    }
    best.1
}

fn mix(one: [f32; 3], two: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|channel| one[channel] + (two[channel] - one[channel]) * share)
}

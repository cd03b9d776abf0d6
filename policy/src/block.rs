//! A front's configurations four by four, as the processor's vector units take them: what a decision reads of each,
//! prepared once a front. One pass over 100 configurations is 25 of these.

use schemas::{Accelerator, Cut, Share};
use wide::f64x4;

use crate::candidate::Candidate;
use crate::learning::Factor;

/// Configurations side by side.
pub(crate) const LANES: usize = 4;

/// What forecasts and floors read of four configurations; times in ms, energies in joules. What belongs to the cloud
/// is zero where nothing runs there. Lanes that are left over at the end have a cut that no request allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub cut: f64x4,
    /// The share, or -1 where it is not known.
    pub accuracy: f64x4,
    /// In kHz; zero leaves it as it is.
    pub clock: f64x4,
    /// By its [`accelerator_number`]; zero without a head.
    pub accelerator: f64x4,
    /// One where something runs in the cloud.
    pub uses_cloud: f64x4,
    pub edge_ms: f64x4,
    pub wire_ms: f64x4,
    pub cloud_ms: f64x4,
    pub other_ms: f64x4,
    pub bytes: f64x4,
    /// The measured spread's square.
    pub variance: f64x4,
    /// The edge's energy a millisecond of computing or waiting.
    pub edge_j_a_ms: f64x4,
    /// The edge's energy where it is not known what it was spent on.
    pub edge_j: f64x4,
    pub wire_j: f64x4,
    pub cloud_j: f64x4,
    /// Zero, or infinite where the energy is not known.
    pub unknown_cost: f64x4,
}

impl Block {
    /// Sets the candidates side by side, in their order.
    pub(crate) fn all_of(candidates: &[Candidate]) -> Box<[Self]> {
        candidates.chunks(LANES).map(Self::of).collect()
    }

    fn of(candidates: &[Candidate]) -> Self {
        let column = |left_over: f64, value: fn(&Candidate) -> f64| {
            let mut lanes = [left_over; LANES];
            for (lane, candidate) in lanes.iter_mut().zip(candidates) {
                *lane = value(candidate);
            }
            f64x4::new(lanes)
        };
        Self {
            cut: column(-1.0, |candidate| f64::from(candidate.configuration.cut.0)),
            accuracy: column(-1.0, |candidate| candidate.accuracy.map_or(-1.0, Share::get)),
            clock: column(0.0, |candidate| {
                candidate.configuration.edge_frequency_khz.map_or(0.0, |clock| clock.0 as f64)
            }),
            accelerator: column(0.0, accelerator),
            uses_cloud: column(0.0, |candidate| in_the_cloud(candidate, 1.0)),
            edge_ms: column(0.0, |candidate| candidate.parts.edge_ms),
            wire_ms: column(0.0, |candidate| in_the_cloud(candidate, candidate.parts.wire_ms)),
            cloud_ms: column(0.0, |candidate| in_the_cloud(candidate, candidate.parts.cloud_ms)),
            other_ms: column(0.0, |candidate| candidate.parts.other_ms),
            bytes: column(0.0, |candidate| in_the_cloud(candidate, candidate.parts.bytes)),
            variance: column(0.0, |candidate| candidate.parts.deviation_ms * candidate.parts.deviation_ms),
            edge_j_a_ms: column(0.0, |candidate| {
                let ms = candidate.parts.measured_ms();
                if ms > 0.0 { candidate.parts.edge_j / ms } else { 0.0 }
            }),
            edge_j: column(0.0, |candidate| {
                if candidate.parts.measured_ms() > 0.0 { 0.0 } else { candidate.parts.edge_j }
            }),
            wire_j: column(0.0, |candidate| candidate.parts.wire_j),
            cloud_j: column(0.0, |candidate| candidate.parts.cloud_j),
            unknown_cost: column(
                0.0,
                |candidate| {
                    if candidate.energy_j.is_some() { 0.0 } else { f64::INFINITY }
                },
            ),
        }
    }

    /// As it was when the front was measured: computing on the edge, and waiting for the answer.
    #[inline]
    pub(crate) fn measured_ms(&self) -> f64x4 {
        self.edge_ms + self.wire_ms + self.cloud_ms
    }
}

fn in_the_cloud(candidate: &Candidate, value: f64) -> f64 {
    if candidate.parts.uses_cloud { value } else { 0.0 }
}

/// What runs the head, as a number above zero; zero without a head, where it has no meaning.
fn accelerator(candidate: &Candidate) -> f64 {
    let configuration = &candidate.configuration;
    if configuration.cut == Cut::ALL_CLOUD { 0.0 } else { accelerator_number(configuration.edge_accelerator) }
}

/// A number above zero for each accelerator.
pub(crate) fn accelerator_number(accelerator: Accelerator) -> f64 {
    1.0 + f64::from(accelerator as u8)
}

/// What receipts corrected of each configuration of a front.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Corrections {
    factors: Box<[Factor]>,
    /// The same, side by side.
    blocks: Box<[Correction]>,
}

/// The corrections of a block: by how much more than one, and when that was confirmed last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Correction {
    excess: f64x4,
    seen_at_ms: f64x4,
}

impl Correction {
    pub(crate) const NONE: Self = Self { excess: f64x4::ZERO, seen_at_ms: f64x4::ZERO };

    /// The factors now, as [`Factor::at`] has them.
    #[inline]
    pub(crate) fn at(&self, now_ms: f64, half_life_ms: f64) -> f64x4 {
        let age = (f64x4::splat(now_ms) - self.seen_at_ms).fast_max(f64x4::ZERO);
        f64x4::ONE + self.excess * half_life_ms / (age + half_life_ms)
    }
}

impl Corrections {
    pub(crate) fn none(candidates: usize) -> Self {
        Self {
            factors: vec![Factor::ONE; candidates].into(),
            blocks: vec![Correction::NONE; candidates.div_ceil(LANES)].into(),
        }
    }

    pub(crate) fn blocks(&self) -> &[Correction] {
        &self.blocks
    }

    /// The corrections of the block that a candidate is in.
    pub(crate) fn around(&self, position: usize) -> &Correction {
        &self.blocks[position / LANES]
    }

    /// Follows one candidate's receipt.
    pub(crate) fn observe(&mut self, position: usize, actual: f64, expected: f64, now_ms: f64) {
        let factor = &mut self.factors[position];
        factor.observe(actual, expected, now_ms);
        let (block, lane) = (&mut self.blocks[position / LANES], position % LANES);
        set(&mut block.excess, lane, factor.excess());
        set(&mut block.seen_at_ms, lane, factor.seen_at_ms());
    }
}

fn set(lanes: &mut f64x4, lane: usize, value: f64) {
    let mut values = lanes.to_array();
    values[lane] = value;
    *lanes = f64x4::new(values);
}

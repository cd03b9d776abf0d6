//! What a request's floors and an absent cloud take away from a front.

use schemas::{Cut, Qos, Share};
use wide::f64x4;

use crate::block::Block;
use crate::candidate::Candidate;
use crate::decision::{Cloud, Refusal};

/// What a request's floors and an absent cloud take away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constraints {
    pub accuracy_floor: Option<Share>,
    pub least_cut: Cut,
    pub cloud: Cloud,
}

impl Constraints {
    pub(crate) fn of(qos: &Qos, cloud: Cloud, last_cut: Cut) -> Result<Self, Refusal> {
        let least_cut = qos.least_cut.unwrap_or(Cut::ALL_CLOUD);
        if least_cut > last_cut {
            return Err(Refusal::LeastCutBeyondLast { least_cut, last_cut });
        }
        let least_cut = match cloud {
            Cloud::Present => least_cut,
            Cloud::Absent => last_cut,
        };
        Ok(Self { accuracy_floor: qos.accuracy_floor, least_cut, cloud })
    }

    pub(crate) fn any(&self) -> bool {
        self.accuracy_floor.is_some() || self.least_cut > Cut::ALL_CLOUD
    }

    pub(crate) fn allow(&self, point: &Candidate) -> bool {
        point.configuration.cut >= self.least_cut
            && self.accuracy_floor.is_none_or(|floor| point.accuracy.is_some_and(|share| share >= floor))
    }

    /// Which of a block [`Constraints::allow`].
    #[inline]
    pub(crate) fn allowed(&self, block: &Block) -> f64x4 {
        let least_cut = f64x4::splat(f64::from(self.least_cut.0));
        let floor = f64x4::splat(self.accuracy_floor.map_or(-1.0, Share::get));
        block.cut.simd_ge(least_cut) & block.accuracy.simd_ge(floor)
    }

    pub(crate) fn check<'a>(&self, point: &'a Candidate) -> Result<&'a Candidate, Refusal> {
        if self.allow(point) { Ok(point) } else { Err(self.unmet(std::slice::from_ref(point))) }
    }

    /// Why none of these points is allowed.
    pub(crate) fn unmet(&self, points: &[Candidate]) -> Refusal {
        // Everything on the edge keeps every least cut, and is always among the points: without an accuracy
        // floor nothing is ever refused, so zero is never shown.
        let floor = self.accuracy_floor.unwrap_or(Share::ZERO);
        let best = points
            .iter()
            .filter(|point| point.configuration.cut >= self.least_cut)
            .filter_map(|point| point.accuracy)
            .reduce(|best, share| if share > best { share } else { best });
        Refusal::AccuracyFloorUnmet { floor, best, cloud: self.cloud }
    }
}

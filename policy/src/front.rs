//! A front, sorted and taken apart once, so that a decision is one pass over its points.
//!
//! # The order
//! Points are sorted by energy ascending, then accuracy descending; the sort is stable, so ties keep the order of the
//! front. A point whose energy is unknown sorts after all whose energy is known, and unknown ones among themselves by
//! latency: on a front without any energy the rules take the fastest. An unknown accuracy sorts after every known one,
//! and meets no accuracy floor.

use schemas::{
    Configuration, Cut, Digest, Front, FrontId, HardwareChanges, Millis, NodeId, PolicyName, Qos, UnixMillis,
};

use crate::adaptive;
use crate::block::Block;
use crate::candidate::Candidate;
use crate::decision::{Decision, Point, Refusal};
use crate::link::LinkFit;
use crate::state::State;

/// A front sorted once, so that a decision is one pass over its points.
#[derive(Debug, Clone)]
pub struct PreparedFront {
    id: FrontId,
    edge: NodeId,
    cloud: NodeId,
    digest: Digest,
    ended_at: UnixMillis,
    last_cut: Cut,
    /// The front's points in the paper's order.
    pub(crate) ranked: Box<[Candidate]>,
    /// The same and the anchors that are not among them, for constrained decisions.
    pub(crate) ranked_with_anchors: Box<[Candidate]>,
    /// Those and the configurations that tie with points: under another link than the front's one of them may be best.
    pub(crate) candidates: Box<[Candidate]>,
    /// The candidates as forecasts read them.
    pub(crate) blocks: Box<[Block]>,
    pub(crate) all_cloud: Candidate,
    pub(crate) all_edge: Candidate,
    /// The link as it was when the front was measured.
    pub(crate) link: LinkFit,
    /// What changing the hardware took then.
    pub(crate) hardware_changes: HardwareChanges,
}

impl PreparedFront {
    /// Sorts a front for decisions. A front without points decides among its anchors.
    pub fn new(front: &Front) -> Self {
        let all_cloud = Candidate::new(Point::AllCloud, &front.all_cloud, front.last_cut);
        let all_edge = Candidate::new(Point::AllEdge, &front.all_edge, front.last_cut);
        let mut ranked: Vec<Candidate> = front
            .points
            .iter()
            .enumerate()
            .map(|(index, measurement)| Candidate::new(Point::OfFront(index), measurement, front.last_cut))
            .collect();
        let mut with_anchors = ranked.clone();
        for anchor in [all_edge, all_cloud] {
            if !with_anchors.iter().any(|candidate| candidate.configuration == anchor.configuration) {
                with_anchors.push(anchor);
            }
        }
        let tied = front.tied.iter().enumerate();
        let tied = tied.map(|(index, tied)| Candidate::new(Point::Tied(index), tied, front.last_cut));
        let mut candidates: Vec<Candidate> = with_anchors.iter().copied().chain(tied).collect();
        candidates.sort_by(Candidate::in_order);
        ranked.sort_by(Candidate::in_order);
        with_anchors.sort_by(Candidate::in_order);
        if ranked.is_empty() {
            ranked.clone_from(&with_anchors);
        }
        let link = LinkFit::of(candidates.iter().map(|candidate| &candidate.parts));
        Self {
            id: front.id,
            edge: front.edge.clone(),
            cloud: front.cloud.clone(),
            digest: front.digest.clone(),
            ended_at: front.ended_at,
            last_cut: front.last_cut,
            ranked: ranked.into_boxed_slice(),
            ranked_with_anchors: with_anchors.into_boxed_slice(),
            blocks: Block::all_of(&candidates),
            candidates: candidates.into_boxed_slice(),
            all_cloud,
            all_edge,
            link,
            hardware_changes: front.hardware_changes,
        }
    }

    /// The front this was made from.
    pub fn id(&self) -> FrontId {
        self.id
    }

    /// The edge machine it was measured on.
    pub fn edge(&self) -> &NodeId {
        &self.edge
    }

    /// The cloud machine it was measured on.
    pub fn cloud(&self) -> &NodeId {
        &self.cloud
    }

    /// SHA-256 of the ONNX file it was measured with.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// When its measuring ended: of two fronts of the same machines the later one counts.
    pub fn ended_at(&self) -> UnixMillis {
        self.ended_at
    }

    /// Everything on the edge.
    pub fn last_cut(&self) -> Cut {
        self.last_cut
    }

    /// Decides one request by what is known now. Takes no clock and no lock and does not allocate.
    ///
    /// The same front, policy, request, state and time always give the same decision. A floor is kept or the request
    /// refused; a soft latency limit that nothing keeps is answered with the fastest.
    pub fn decide(
        &self,
        policy: PolicyName,
        qos: &Qos,
        state: &State,
        now: Millis,
    ) -> Result<Decision, Refusal> {
        if policy == PolicyName::Adaptive {
            return adaptive::decide(self, qos, state, now);
        }
        let decision = self.decide_by_front(policy, qos, state.cloud())?;
        let needs_cloud = decision.configuration.cut < self.last_cut;
        Ok(Decision { cloud: state.best_cloud(now).filter(|_| needs_cloud), ..decision })
    }

    /// The mean time in the cloud of the configurations that use it; zero where stages are not known.
    pub(crate) fn mean_tail_ms(&self) -> f64 {
        let tails = || self.candidates.iter().filter(|candidate| candidate.parts.uses_cloud);
        let sum: f64 = tails().map(|candidate| candidate.parts.cloud_ms).sum();
        sum / tails().count().max(1) as f64
    }

    /// By how many joules the candidates of adaptive decisions differ at most, and their longest head in ms.
    pub(crate) fn ranges(&self) -> (f64, f64) {
        let energies =
            || self.candidates.iter().filter_map(|candidate| candidate.energy_j).map(schemas::Joules::get);
        let least = energies().fold(f64::INFINITY, f64::min);
        let greatest = energies().fold(f64::NEG_INFINITY, f64::max);
        let heads = self.candidates.iter().map(|candidate| candidate.parts.edge_ms);
        (greatest - least, heads.fold(0.0, f64::max))
    }

    /// The position of a configuration among the candidates of adaptive decisions.
    pub(crate) fn position(&self, configuration: &Configuration) -> Option<usize> {
        self.candidates.iter().position(|candidate| candidate.configuration == *configuration)
    }
}

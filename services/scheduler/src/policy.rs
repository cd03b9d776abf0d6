//! The policies: pure code that picks a point of a front. No clock, no I/O, and no allocation in a decision.
//!
//! # The paper's rule, `dynasplit`
//! Points are sorted by energy ascending, then accuracy descending; the sort is stable, so ties keep the order
//! of the front. The first point whose latency is at most the limit (inclusive) is chosen. When there is none,
//! the fastest: the comparison is strict, so of equally fast points the first in that order.
//!
//! # The baselines
//! `cloud` and `edge` always take the front's measured anchors, `latency` the fastest point and `energy` the
//! first in the order above.
//!
//! # What the rule compares
//! - The latency is the mean of the measurement, as in the paper (there, the average over 1000 pictures). It
//!   knows nothing of the spread: half of the requests may take longer.
//! - The energy is the sum over places. A point whose energy is unknown sorts after all whose energy is known,
//!   and unknown ones among themselves by latency: on a front without any energy the rule takes the fastest.
//! - An unknown accuracy sorts after every known one, and meets no accuracy floor.
//!
//! # Constraints
//! Floors (least accuracy, least cut) and an absent cloud take points away. The front's points are
//! non-dominated among *all* configurations; among those left an anchor may be the better one, so a constrained
//! decision also considers the two anchors. An unconstrained one never does: it is exactly the paper's.

use std::cmp::Ordering;

use schemas::{
    Configuration, Cut, Digest, Front, FrontId, Joules, Measurement, Millis, NodeId, PlanReason, PolicyName,
    Qos, Share, UnixMillis,
};

/// Which measurement of a front was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The one at this index of [`Front::points`].
    OfFront(usize),
    /// [`Front::all_cloud`].
    AllCloud,
    /// [`Front::all_edge`].
    AllEdge,
}

/// A policy's choice, with what the front promises for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// Which measurement it is.
    pub point: Point,
    /// What to run.
    pub configuration: Configuration,
    /// Its mean latency as measured.
    pub latency_ms: Millis,
    /// Its joules as measured; `None` where unknown.
    pub energy_j: Option<Joules>,
    /// Why.
    pub reason: PlanReason,
}

/// Whether a cloud executor is there to run tails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// At least one is.
    Present,
    /// None is: everything runs on the edge.
    Absent,
}

/// Why no configuration may be chosen for a request.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The privacy floor is beyond the network.
    #[error("the least cut {least_cut} asked for is beyond the network's last cut {last_cut}")]
    LeastCutBeyondLast {
        /// The floor asked for.
        least_cut: Cut,
        /// Everything on the edge.
        last_cut: Cut,
    },
    /// The policy always does what the floor forbids.
    #[error(
        "policy cloud always sends the picture to the cloud, which the least cut {least_cut} asked for forbids: ask for another policy"
    )]
    CloudForbidden {
        /// The floor asked for.
        least_cut: Cut,
    },
    /// A policy this version of the scheduler does not have.
    #[error("policy {0} is not one this scheduler has")]
    PolicyNotHere(PolicyName),
    /// No configuration that is left is known to be accurate enough.
    #[error("no configuration that may run now is known to reach the accuracy of {floor} asked for{}", best_known(*best))]
    AccuracyFloorUnmet {
        /// The floor asked for.
        floor: Share,
        /// The best accuracy measured of those that may run; `None` when none was measured.
        best: Option<Share>,
        /// Whether a cloud executor was there; with it back, another configuration may reach the floor.
        cloud: Cloud,
    },
}

fn best_known(best: Option<Share>) -> String {
    match best {
        Some(best) => format!(": the best measured is {best}"),
        None => ": no accuracy was measured".to_owned(),
    }
}

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
    ranked: Box<[Candidate]>,
    /// The same and the anchors that are not among them, for constrained decisions.
    ranked_with_anchors: Box<[Candidate]>,
    all_cloud: Candidate,
    all_edge: Candidate,
}

impl PreparedFront {
    /// Sorts a front for decisions. A front without points decides among its anchors.
    pub fn new(front: &Front) -> Self {
        let all_cloud = Candidate::new(Point::AllCloud, &front.all_cloud);
        let all_edge = Candidate::new(Point::AllEdge, &front.all_edge);
        let mut ranked: Vec<Candidate> = front
            .points
            .iter()
            .enumerate()
            .map(|(index, measurement)| Candidate::new(Point::OfFront(index), measurement))
            .collect();
        let mut with_anchors = ranked.clone();
        for anchor in [all_edge, all_cloud] {
            if !with_anchors.iter().any(|candidate| candidate.configuration == anchor.configuration) {
                with_anchors.push(anchor);
            }
        }
        ranked.sort_by(Candidate::in_order);
        with_anchors.sort_by(Candidate::in_order);
        if ranked.is_empty() {
            ranked.clone_from(&with_anchors);
        }
        Self {
            id: front.id,
            edge: front.edge.clone(),
            cloud: front.cloud.clone(),
            digest: front.digest.clone(),
            ended_at: front.ended_at,
            last_cut: front.last_cut,
            ranked: ranked.into_boxed_slice(),
            ranked_with_anchors: with_anchors.into_boxed_slice(),
            all_cloud,
            all_edge,
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

    /// Decides one request. Takes no clock and no lock and does not allocate.
    ///
    /// The same front, policy, request and cloud always give the same decision. A floor is kept or the request
    /// refused; a latency limit that nothing keeps is answered with the fastest.
    pub fn decide(&self, policy: PolicyName, qos: &Qos, cloud: Cloud) -> Result<Decision, Refusal> {
        let constraints = Constraints::of(qos, cloud, self.last_cut)?;
        let (candidate, reason) = match policy {
            PolicyName::Dynasplit => self.choose(&constraints, |points| dynasplit(points, qos.latency_ms))?,
            PolicyName::Latency => (self.choose(&constraints, |points| fastest(points))?, PlanReason::Fixed),
            PolicyName::Energy => (self.choose(&constraints, |points| points.next())?, PlanReason::Fixed),
            PolicyName::Edge => (constraints.check(&self.all_edge)?, PlanReason::Fixed),
            PolicyName::Cloud => (self.cloud_baseline(&constraints)?, PlanReason::Fixed),
            other => return Err(Refusal::PolicyNotHere(other)),
        };
        // The edge baseline would have chosen the same with the cloud there.
        let forced = cloud == Cloud::Absent && policy != PolicyName::Edge;
        Ok(candidate.decision(if forced { PlanReason::CloudAbsent } else { reason }))
    }

    fn cloud_baseline(&self, constraints: &Constraints) -> Result<&Candidate, Refusal> {
        match constraints.cloud {
            Cloud::Absent => constraints.check(&self.all_edge),
            Cloud::Present if constraints.least_cut > Cut::ALL_CLOUD => {
                Err(Refusal::CloudForbidden { least_cut: constraints.least_cut })
            }
            Cloud::Present => constraints.check(&self.all_cloud),
        }
    }

    /// Lets a rule choose among the points that the constraints leave, in the paper's order.
    fn choose<'a, Chosen>(
        &'a self,
        constraints: &Constraints,
        rule: impl Fn(&mut dyn Iterator<Item = &'a Candidate>) -> Option<Chosen>,
    ) -> Result<Chosen, Refusal> {
        let points = if constraints.any() { &self.ranked_with_anchors } else { &self.ranked };
        rule(&mut points.iter().filter(|point| constraints.allow(point)))
            .ok_or_else(|| constraints.unmet(points))
    }
}

/// The paper's rule over points in the paper's order.
fn dynasplit<'a>(
    points: &mut dyn Iterator<Item = &'a Candidate>,
    limit: Millis,
) -> Option<(&'a Candidate, PlanReason)> {
    let mut fastest: Option<&Candidate> = None;
    for point in points {
        if point.latency_ms <= limit {
            return Some((point, PlanReason::LeastEnergyWithinLimit));
        }
        if fastest.is_none_or(|fastest| point.latency_ms < fastest.latency_ms) {
            fastest = Some(point);
        }
    }
    fastest.map(|point| (point, PlanReason::FastestBecauseNoneWithinLimit))
}

/// The fastest point, of equally fast ones the first.
fn fastest<'a>(points: &mut dyn Iterator<Item = &'a Candidate>) -> Option<&'a Candidate> {
    points.reduce(|fastest, point| if point.latency_ms < fastest.latency_ms { point } else { fastest })
}

/// What a request's floors and an absent cloud take away.
#[derive(Debug, Clone, Copy)]
struct Constraints {
    accuracy_floor: Option<Share>,
    least_cut: Cut,
    cloud: Cloud,
}

impl Constraints {
    fn of(qos: &Qos, cloud: Cloud, last_cut: Cut) -> Result<Self, Refusal> {
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

    fn any(&self) -> bool {
        self.accuracy_floor.is_some() || self.least_cut > Cut::ALL_CLOUD
    }

    fn allow(&self, point: &Candidate) -> bool {
        point.configuration.cut >= self.least_cut
            && self.accuracy_floor.is_none_or(|floor| point.accuracy.is_some_and(|share| share >= floor))
    }

    fn check<'a>(&self, point: &'a Candidate) -> Result<&'a Candidate, Refusal> {
        if self.allow(point) { Ok(point) } else { Err(self.unmet(std::slice::from_ref(point))) }
    }

    /// Why none of these points is allowed.
    fn unmet(&self, points: &[Candidate]) -> Refusal {
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

/// What a decision looks at, and nothing more: 100 of these fit into a processor's first cache.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    point: Point,
    configuration: Configuration,
    latency_ms: Millis,
    energy_j: Option<Joules>,
    accuracy: Option<Share>,
}

impl Candidate {
    fn new(point: Point, measurement: &Measurement) -> Self {
        Self {
            point,
            configuration: measurement.configuration,
            latency_ms: measurement.latency.mean_ms,
            energy_j: measurement.joules(),
            accuracy: measurement.accuracy.map(|accuracy| accuracy.share),
        }
    }

    fn decision(&self, reason: PlanReason) -> Decision {
        Decision {
            point: self.point,
            configuration: self.configuration,
            latency_ms: self.latency_ms,
            energy_j: self.energy_j,
            reason,
        }
    }

    /// The paper's order, extended to unknown values as the module's text says.
    fn in_order(&self, other: &Self) -> Ordering {
        let by_energy = match (self.energy_j, other.energy_j) {
            (Some(own), Some(others)) => own.get().total_cmp(&others.get()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.latency_ms.get().total_cmp(&other.latency_ms.get()),
        };
        // An unknown accuracy counts as less than none right.
        let accuracy = |point: &Self| point.accuracy.map_or(-1.0, Share::get);
        by_energy.then_with(|| accuracy(other).total_cmp(&accuracy(self)))
    }
}

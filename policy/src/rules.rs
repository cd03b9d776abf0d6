//! The paper's rule, the baselines and the oracle: rules that look at nothing but the front.
//!
//! # The paper's rule, `dynasplit`
//! In the front's order, the first point whose latency is at most the limit (inclusive) is chosen. When there is none,
//! the fastest: the comparison is strict, so of equally fast points the first in that order. The latency is the mean of
//! the measurement, as in the paper (there, the average over 1000 pictures). It knows nothing of the spread: half of
//! the requests may take longer.
//!
//! # The baselines
//! `cloud` and `edge` always take the front's measured anchors, `latency` the fastest point and `energy` the first in
//! the order.
//!
//! # Constraints
//! Floors (least accuracy, least cut) and an absent cloud take points away. The front's points are non-dominated among
//! *all* configurations; among those left an anchor may be the better one, so a constrained decision also considers
//! the two anchors. An unconstrained one never does: it is exactly the paper's.

use schemas::{Configuration, Cut, Joules, Millis, PlanReason, PolicyName, Qos};

use crate::candidate::Candidate;
use crate::constraints::Constraints;
use crate::decision::{Cloud, Decision, Point, Refusal};
use crate::front::PreparedFront;

/// What a configuration really costs one request; only a simulation knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// How long it takes.
    pub latency_ms: Millis,
    /// What it costs; `None` where it is not known.
    pub energy_j: Option<Joules>,
}

impl PreparedFront {
    /// Decides one request by the front alone: the paper's rule or a baseline. Does not allocate.
    ///
    /// The same front, policy, request and cloud always give the same decision. A floor is kept or the request
    /// refused; a latency limit that nothing keeps is answered with the fastest.
    pub fn decide_by_front(&self, policy: PolicyName, qos: &Qos, cloud: Cloud) -> Result<Decision, Refusal> {
        let constraints = Constraints::of(qos, cloud, self.last_cut())?;
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

    /// Decides with foresight: of all configurations of the front that the floors leave, the least true energy within the
    /// limit, otherwise the truly fastest. What no policy can beat; [`Decision`] holds the truth. `truth` is asked once
    /// for each.
    pub fn oracle(
        &self,
        qos: &Qos,
        cloud: Cloud,
        mut truth: impl FnMut(Point, &Configuration) -> Truth,
    ) -> Result<Decision, Refusal> {
        let constraints = Constraints::of(qos, cloud, self.last_cut())?;
        let energy = |truth: &Truth| truth.energy_j.map_or(f64::INFINITY, Joules::get);
        let mut best: Option<(&Candidate, Truth)> = None;
        for point in self.candidates.iter().filter(|point| constraints.allow(point)) {
            let found = truth(point.point, &point.configuration);
            let better = best.is_none_or(|(_, best)| {
                match (found.latency_ms <= qos.latency_ms, best.latency_ms <= qos.latency_ms) {
                    (true, true) => energy(&found) < energy(&best),
                    (false, false) => found.latency_ms < best.latency_ms,
                    (within, _) => within,
                }
            });
            if better {
                best = Some((point, found));
            }
        }
        let (point, truth) = best.ok_or_else(|| constraints.unmet(&self.candidates))?;
        let reason = if truth.latency_ms <= qos.latency_ms {
            PlanReason::LeastEnergyWithinLimit
        } else {
            PlanReason::FastestBecauseNoneWithinLimit
        };
        let Truth { latency_ms, energy_j } = truth;
        Ok(Decision { latency_ms, energy_j, ..point.decision(reason) })
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

//! One plan for the wire: who runs the request, and with which configuration.

use std::sync::Arc;

use schemas::{
    Configuration, Fault, FaultKind, Feasible, InstanceId, ModelName, Plan, PlanReason, PlanRequest,
    PolicyName, Presence, Qos, ServedModel,
};

use crate::decision::{Cloud, Decision, Refusal};
use crate::front::PreparedFront;
use crate::site::{self, Nobody};
use crate::state::State;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPlan {
    /// Nobody is there to run it.
    #[error(transparent)]
    Nobody(#[from] Nobody),
    /// What is asked for cannot be kept.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl NoPlan {
    /// The same as it travels.
    pub fn to_fault(&self) -> Fault {
        let kind = match self {
            Self::Nobody(Nobody::UnknownModel { .. }) => FaultKind::UnknownModel,
            Self::Nobody(Nobody::NoEdgeExecutor { .. }) => FaultKind::Unavailable,
            Self::Refused(Refusal::AccuracyFloorUnmet { cloud: Cloud::Absent, .. }) => FaultKind::Unavailable,
            Self::Refused(Refusal::AccuracyFloorUnmet { .. } | Refusal::PolicyNotHere(_)) => {
                FaultKind::Unsupported
            }
            Self::Refused(Refusal::Infeasible { .. }) => FaultKind::Infeasible,
            Self::Refused(_) => FaultKind::BadRequest,
        };
        let fault = Fault::new(kind, self.to_string());
        match self {
            Self::Refused(Refusal::Infeasible { latency, energy, retry_after, .. }) => Fault {
                retry_after_ms: *retry_after,
                feasible: Some(Feasible { latency_ms: *latency, energy_j: *energy }),
                ..fault
            },
            _ => fault,
        }
    }
}

/// Where a request can run: the edge executor, the network as it serves it, and their front.
///
/// Fronts of another edge machine or of another ONNX file under the same name are not used: what they promise
/// was measured on something else.
#[derive(Debug, Clone, Copy)]
pub struct Venue<'a> {
    /// The edge executor.
    pub edge: &'a Presence,
    /// The network.
    pub served: &'a ServedModel,
    /// The front; without one everything runs on the edge.
    pub front: Option<&'a Arc<PreparedFront>>,
}

impl<'a> Venue<'a> {
    /// Finds it from one view of the world: presences, and the fronts of the network.
    pub fn find(
        model: &ModelName,
        presences: &'a [Presence],
        fronts: &'a [Arc<PreparedFront>],
    ) -> Result<Self, Nobody> {
        let (edge, served) = site::edge_for(presences, model)?;
        Ok(Self { edge, served, front: site::front_for(fronts, presences, &edge.node, served) })
    }

    /// The plan that carries a decision out; `state` is of this venue's edge machine and front.
    pub fn plan(
        &self,
        decision: &Decision,
        policy: PolicyName,
        front: &PreparedFront,
        state: &State,
    ) -> Plan {
        let cloud = decision.cloud.and_then(|cloud| state.clouds().get(cloud));
        self.carry_out(decision, policy, front, cloud.map(|cloud| cloud.instance.clone()))
    }

    /// Everything on the edge, as it is set now: for a network without a front.
    pub fn plan_without_front(&self, qos: &Qos, policy: PolicyName) -> Result<Plan, NoPlan> {
        let last_cut = self.served.last_cut;
        if let Some(least_cut) = qos.least_cut.filter(|least_cut| *least_cut > last_cut) {
            return Err(Refusal::LeastCutBeyondLast { least_cut, last_cut }.into());
        }
        if let Some(floor) = qos.accuracy_floor {
            return Err(Refusal::AccuracyFloorUnmet { floor, best: None, cloud: Cloud::Present }.into());
        }
        Ok(Plan {
            configuration: Configuration::at(last_cut),
            edge: self.edge.instance.clone(),
            cloud: None,
            predicted_latency_ms: None,
            predicted_energy_j: None,
            policy,
            reason: PlanReason::NoFront,
            front: None,
        })
    }

    fn carry_out(
        &self,
        decision: &Decision,
        policy: PolicyName,
        front: &PreparedFront,
        cloud: Option<InstanceId>,
    ) -> Plan {
        Plan {
            configuration: decision.configuration,
            edge: self.edge.instance.clone(),
            cloud: cloud.filter(|_| decision.configuration.cut < front.last_cut()),
            predicted_latency_ms: Some(decision.latency_ms),
            predicted_energy_j: decision.energy_j,
            policy,
            reason: decision.reason,
            front: Some(front.id()),
        }
    }
}

/// Plans one request by presences and fronts alone, for whoever follows no receipts: by the policy that the request
/// names where that is a baseline, otherwise by the paper's rule. Without a front, and without a cloud executor,
/// everything runs on the edge.
pub fn plan_by_front(
    request: &PlanRequest,
    presences: &[Presence],
    fronts: &[Arc<PreparedFront>],
) -> Result<Plan, NoPlan> {
    let policy = match request.policy {
        None | Some(PolicyName::Adaptive) => PolicyName::Dynasplit,
        Some(policy) => policy,
    };
    let venue = Venue::find(&request.model, presences, fronts)?;
    let Some(front) = venue.front else { return venue.plan_without_front(&request.qos, policy) };
    let cloud = site::cloud_for(presences, venue.served, Some(front));
    let cloud_state = if cloud.is_some() { Cloud::Present } else { Cloud::Absent };
    let decision = front.decide_by_front(policy, &request.qos, cloud_state)?;
    Ok(venue.carry_out(&decision, policy, front, cloud.map(|presence| presence.instance.clone())))
}

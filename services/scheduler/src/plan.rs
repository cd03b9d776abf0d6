//! One plan: who runs the request, and with which configuration. Pure code over what is known now.

use std::sync::Arc;

use schemas::{
    Configuration, Cut, Fault, FaultKind, Plan, PlanReason, PlanRequest, PolicyName, Presence, Qos,
    ServedModel,
};

use crate::policy::{Cloud, PreparedFront, Refusal};
use crate::site::{self, Nobody};

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
            Self::Refused(_) => FaultKind::BadRequest,
        };
        Fault::new(kind, self.to_string())
    }
}

/// Plans one request from one view of the world: presences and the fronts of the request's network.
///
/// Fronts of another edge machine or of another ONNX file under the same name are not used: what they promise
/// was measured on something else. Without a front, and without a cloud executor, everything runs on the edge.
pub fn plan(
    request: &PlanRequest,
    own_policy: PolicyName,
    presences: &[Presence],
    fronts: &[Arc<PreparedFront>],
) -> Result<Plan, NoPlan> {
    let policy = request.policy.unwrap_or(own_policy);
    let (edge, served) = site::edge_for(presences, &request.model)?;
    let Some(front) = site::front_for(fronts, presences, &edge.node, served) else {
        return Ok(without_front(&request.qos, policy, edge, served)?);
    };
    let cloud = site::cloud_for(presences, served, Some(front));
    let cloud_state = if cloud.is_some() { Cloud::Present } else { Cloud::Absent };
    let decision = front.decide(policy, &request.qos, cloud_state)?;
    let needs_cloud = decision.configuration.cut < front.last_cut();
    Ok(Plan {
        configuration: decision.configuration,
        edge: edge.instance.clone(),
        cloud: cloud.filter(|_| needs_cloud).map(|presence| presence.instance.clone()),
        predicted_latency_ms: Some(decision.latency_ms),
        predicted_energy_j: decision.energy_j,
        policy,
        reason: decision.reason,
        front: Some(front.id()),
    })
}

/// Everything on the edge, as it is set now.
fn without_front(
    qos: &Qos,
    policy: PolicyName,
    edge: &Presence,
    served: &ServedModel,
) -> Result<Plan, Refusal> {
    let last_cut = served.last_cut;
    if let Some(least_cut) = qos.least_cut.filter(|least_cut| *least_cut > last_cut) {
        return Err(Refusal::LeastCutBeyondLast { least_cut, last_cut });
    }
    if let Some(floor) = qos.accuracy_floor {
        return Err(Refusal::AccuracyFloorUnmet { floor, best: None, cloud: Cloud::Present });
    }
    Ok(Plan {
        configuration: on_the_edge(last_cut),
        edge: edge.instance.clone(),
        cloud: None,
        predicted_latency_ms: None,
        predicted_energy_j: None,
        policy,
        reason: PlanReason::NoFront,
        front: None,
    })
}

fn on_the_edge(last_cut: Cut) -> Configuration {
    Configuration::at(last_cut)
}

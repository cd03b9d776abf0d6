//! On which machines a network is measured. Pure.

use schemas::{
    Fault, FaultKind, InstanceId, KiloHertz, ModelDescription, ModelName, NodeId, Presence, ServiceKind,
    ServiceState,
};

/// The edge and cloud executor that are measured, and what the edge's tuner offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The edge executor.
    pub edge: InstanceId,
    /// The machine it runs on.
    pub edge_node: NodeId,
    /// The cloud executor.
    pub cloud: InstanceId,
    /// The machine it runs on.
    pub cloud_node: NodeId,
    /// The clocks that can be set on the edge; empty without a tuner or where it can set none.
    pub frequencies: Vec<KiloHertz>,
    /// The device that the edge plays.
    pub emulates: Option<String>,
}

/// Chooses the machines: of the executors that take work and serve just this file, the first by instance.
pub fn choose(presences: &[Presence], description: &ModelDescription) -> Result<Site, Fault> {
    let edge = executor(presences, ServiceKind::EdgeExecutor, description)?;
    let cloud = executor(presences, ServiceKind::CloudExecutor, description)?;
    let tuner = presences.iter().find(|presence| {
        presence.service == ServiceKind::Tuner
            && presence.node == edge.node
            && presence.state == ServiceState::Ready
    });
    let hardware = tuner.and_then(|tuner| tuner.hardware.as_ref());
    Ok(Site {
        edge: edge.instance.clone(),
        edge_node: edge.node.clone(),
        cloud: cloud.instance.clone(),
        cloud_node: cloud.node.clone(),
        frequencies: hardware.map(|hardware| hardware.frequencies_khz.clone()).unwrap_or_default(),
        emulates: hardware.and_then(|hardware| hardware.emulates.clone()),
    })
}

/// Whether any instance is there that can describe the network; otherwise the fault that names what is.
pub fn serves(presences: &[Presence], model: &ModelName) -> Result<(), Fault> {
    let executors = presences.iter().filter(|presence| {
        matches!(presence.service, ServiceKind::EdgeExecutor | ServiceKind::CloudExecutor)
    });
    let mut known: Vec<&str> =
        executors.flat_map(|executor| &executor.models).map(|served| served.name.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&model.as_str()) {
        return Ok(());
    }
    if known.is_empty() {
        return Err(Fault::new(
            FaultKind::Unavailable,
            "no executor is present now: start an edge and a cloud executor",
        ));
    }
    // A site serves a handful of networks; a fault stays short whatever it serves.
    known.truncate(20);
    Err(Fault::new(
        FaultKind::UnknownModel,
        format!("no model {model} is served here: use {}", known.join(", ")),
    ))
}

fn executor<'p>(
    presences: &'p [Presence],
    kind: ServiceKind,
    description: &ModelDescription,
) -> Result<&'p Presence, Fault> {
    let serves = |presence: &Presence| {
        let same_file = |served: &schemas::ServedModel| {
            served.name == description.name && served.digest == description.digest
        };
        presence.models.iter().any(same_file)
    };
    let ready = presences.iter().filter(|presence| {
        presence.service == kind && presence.state == ServiceState::Ready && serves(presence)
    });
    ready.min_by(|a, b| a.instance.cmp(&b.instance)).ok_or_else(|| {
        let message = format!(
            "no {kind} that serves {} (SHA-256 {:.12}…) is present now: start one with the same bundle",
            description.name,
            description.digest.as_str()
        );
        Fault::new(FaultKind::Unavailable, message)
    })
}

#[cfg(test)]
mod tests;

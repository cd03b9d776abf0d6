//! On which machines a network is measured. Pure.

use schemas::{
    Accelerator, Fault, FaultKind, HardwareReport, InstanceId, KiloHertz, ModelDescription, ModelName,
    NodeId, Presence, ServiceKind, ServiceState,
};

/// An edge and a cloud executor that are measured together, and what the edge's tuner offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The edge executor.
    pub edge: InstanceId,
    /// The machine it runs on.
    pub edge_node: NodeId,
    /// The cloud executor.
    pub cloud: InstanceId,
    /// The machine it runs on.
    pub cloud_node: NodeId,
    /// The edge's tuner; `None` without one.
    pub tuner: Option<InstanceId>,
    /// What the tuner last said of the edge.
    pub hardware: Option<HardwareReport>,
    /// What can run the network on the edge.
    pub edge_accelerators: Vec<Accelerator>,
    /// What can run it in the cloud.
    pub cloud_accelerators: Vec<Accelerator>,
}

impl Pair {
    /// The clocks that can be set on the edge, ascending; empty without a tuner or where it can set none.
    pub fn frequencies(&self) -> Vec<KiloHertz> {
        let mut clocks =
            self.hardware.as_ref().map(|hardware| hardware.frequencies_khz.clone()).unwrap_or_default();
        clocks.sort_unstable();
        clocks.dedup();
        clocks
    }

    /// The device that the edge plays.
    pub fn emulates(&self) -> Option<&str> {
        self.hardware.as_ref().and_then(|hardware| hardware.emulates.as_deref())
    }

    /// Cores of the edge; one where nobody says how many.
    pub fn cores(&self) -> u16 {
        let cores = self.hardware.as_ref().map_or(1, |hardware| hardware.cores);
        u16::try_from(cores).unwrap_or(u16::MAX)
    }

    /// Whether another pair's machines are of the same kind, as far as they say: what is measured on one then holds
    /// for the other.
    pub fn is_like(&self, other: &Self) -> bool {
        self.frequencies() == other.frequencies()
            && self.emulates() == other.emulates()
            && self.cores() == other.cores()
            && self.edge_accelerators == other.edge_accelerators
            && self.cloud_accelerators == other.cloud_accelerators
    }

    fn shares_a_machine_with(&self, other: &Self) -> bool {
        let own = [&self.edge_node, &self.cloud_node];
        own.contains(&&other.edge_node) || own.contains(&&other.cloud_node)
    }
}

/// Where a network is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Pairs of machines of one kind, none of which is in two of them: they measure side by side. At least one.
    pub pairs: Vec<Pair>,
    /// Edge machines of another kind, which have a front of their own.
    pub other_edges: Vec<NodeId>,
}

/// Which machines are wanted; `None` leaves it open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'w> {
    /// The edge machine.
    pub edge: Option<&'w NodeId>,
    /// The cloud machine.
    pub cloud: Option<&'w NodeId>,
}

/// Chooses the machines: of the executors that take work and serve just this file, the first by machine and instance,
/// and beside them every pair of other machines of the same kind. Where an edge machine is wanted by name, that one alone.
pub fn choose(
    presences: &[Presence],
    description: &ModelDescription,
    wanted: Wanted<'_>,
) -> Result<Site, Fault> {
    let edges = executors(presences, ServiceKind::EdgeExecutor, description, wanted.edge)?;
    let clouds = executors(presences, ServiceKind::CloudExecutor, description, wanted.cloud)?;
    let mut pairs: Vec<Pair> = Vec::new();
    let mut other_edges = Vec::new();
    for edge in edges {
        let possible = clouds.iter().map(|cloud| pair(presences, edge, cloud, description));
        let Some(first) = pairs.first() else {
            pairs.extend(possible.into_iter().next());
            continue;
        };
        let fits =
            |one: &Pair| one.is_like(first) && !pairs.iter().any(|taken| taken.shares_a_machine_with(one));
        let mut possible: Vec<Pair> = possible.collect();
        let is_of_another_kind = !possible.iter().any(|one| one.is_like(first));
        if is_of_another_kind && edge.node != first.edge_node {
            other_edges.push(edge.node.clone());
        }
        if let Some(place) = possible.iter().position(fits) {
            let fitting = possible.swap_remove(place);
            pairs.push(fitting);
        }
    }
    other_edges.dedup();
    Ok(Site { pairs, other_edges })
}

/// A pair of the same machines as a lost one, or else of machines of the same kind that no other pair uses.
pub fn replacement(
    presences: &[Presence],
    description: &ModelDescription,
    lost: &Pair,
    in_use: &[Pair],
) -> Option<Pair> {
    let all = Wanted::default();
    let edges = executors(presences, ServiceKind::EdgeExecutor, description, all.edge).ok()?;
    let clouds = executors(presences, ServiceKind::CloudExecutor, description, all.cloud).ok()?;
    let every =
        edges.iter().flat_map(|edge| clouds.iter().map(|cloud| pair(presences, edge, cloud, description)));
    let usable = |one: &Pair| {
        // Without its tuner an edge is another machine: nobody sets its clock.
        one.is_like(lost) && !in_use.iter().any(|used| used.shares_a_machine_with(one))
    };
    let is_elsewhere = |one: &Pair| (one.edge_node != lost.edge_node, one.cloud_node != lost.cloud_node);
    every.filter(usable).min_by_key(is_elsewhere)
}

fn pair(presences: &[Presence], edge: &Presence, cloud: &Presence, description: &ModelDescription) -> Pair {
    let tuner = presences.iter().find(|presence| {
        presence.service == ServiceKind::Tuner
            && presence.node == edge.node
            && presence.state == ServiceState::Ready
    });
    let accelerators = |executor: &Presence| {
        let served = executor.models.iter().find(|served| served.name == description.name);
        served.map(|served| served.accelerators.clone()).unwrap_or_default()
    };
    Pair {
        edge: edge.instance.clone(),
        edge_node: edge.node.clone(),
        cloud: cloud.instance.clone(),
        cloud_node: cloud.node.clone(),
        tuner: tuner.map(|tuner| tuner.instance.clone()),
        hardware: tuner.and_then(|tuner| tuner.hardware.clone()),
        edge_accelerators: accelerators(edge),
        cloud_accelerators: accelerators(cloud),
    }
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

/// The executors of one kind that take work and serve just this file, on the machine that is wanted; at least one.
fn executors<'p>(
    presences: &'p [Presence],
    kind: ServiceKind,
    description: &ModelDescription,
    node: Option<&NodeId>,
) -> Result<Vec<&'p Presence>, Fault> {
    let serves = |presence: &Presence| {
        let same_file = |served: &schemas::ServedModel| {
            served.name == description.name && served.digest == description.digest
        };
        presence.models.iter().any(same_file)
    };
    let ready = presences.iter().filter(|presence| {
        presence.service == kind && presence.state == ServiceState::Ready && serves(presence)
    });
    let mut found: Vec<&Presence> =
        ready.filter(|presence| node.is_none_or(|node| presence.node == *node)).collect();
    found.sort_by_key(|presence| (&presence.node, &presence.instance));
    if found.is_empty() {
        let on = node.map(|node| format!(" on {node}")).unwrap_or_default();
        let message = format!(
            "no {kind}{on} that serves {} (SHA-256 {:.12}…) is present now: start one with the same bundle",
            description.name,
            description.digest.as_str()
        );
        return Err(Fault::new(FaultKind::Unavailable, message));
    }
    Ok(found)
}

#[cfg(test)]
pub(crate) mod tests;

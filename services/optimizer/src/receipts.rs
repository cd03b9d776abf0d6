//! What the receipts of live requests said lately, front by front. Pure.

use std::collections::{HashMap, VecDeque};

use schemas::{Configuration, Front, FrontId, InstanceId, NodeId, Presence, Receipt};

use crate::drift::Cost;

/// Receipts of one configuration that are kept: the machines are to be judged by what they do now.
const LATEST: usize = 64;

/// Fronts whose receipts are kept, the last ones to be heard of: a site serves a handful of networks.
const FRONTS: usize = 64;

/// Configurations of one front whose receipts are kept: a front has tens of points.
const CONFIGURATIONS: usize = 1_000;

/// The costs of live requests.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    of_fronts: HashMap<(FrontId, NodeId), OfFront>,
    /// The last one to be heard of is at the back.
    heard: VecDeque<(FrontId, NodeId)>,
}

type OfFront = HashMap<Configuration, VecDeque<Seen>>;

#[derive(Debug)]
struct Seen {
    /// The cloud machine; `None` where nothing ran in the cloud.
    cloud: Option<NodeId>,
    cost: Cost,
}

impl Receipts {
    /// Takes in a receipt. One that tells nothing of a front, or of machines that nobody knows, is passed over.
    pub(crate) fn note(&mut self, receipt: &Receipt, presences: &[Presence]) {
        let node = |instance: &InstanceId| {
            presences.iter().find(|one| one.instance == *instance).map(|one| one.node.clone())
        };
        let Some((configuration, cost)) = Cost::of_receipt(receipt) else { return };
        let cloud = match &receipt.cloud {
            None => None,
            Some(instance) => match node(instance) {
                None => return,
                known => known,
            },
        };
        let Some(key) = receipt.front.zip(receipt.edge.as_ref().and_then(node)) else { return };
        self.heard_of(&key);
        let of_front = self.of_fronts.entry(key).or_default();
        if of_front.len() >= CONFIGURATIONS && !of_front.contains_key(&configuration) {
            return;
        }
        let latest = of_front.entry(configuration).or_default();
        if latest.len() == LATEST {
            latest.pop_front();
        }
        latest.push_back(Seen { cloud, cost });
    }

    fn heard_of(&mut self, key: &(FrontId, NodeId)) {
        if self.heard.back() == Some(key) {
            return;
        }
        self.heard.retain(|known| known != key);
        self.heard.push_back(key.clone());
        if self.heard.len() > FRONTS
            && let Some(oldest) = self.heard.pop_front()
        {
            self.of_fronts.remove(&oldest);
        }
    }

    /// What requests on a front's own machines took with a configuration.
    pub(crate) fn of(&self, front: &Front, configuration: &Configuration) -> Vec<&Cost> {
        let of_front = self.of_fronts.get(&(front.id, front.edge.clone()));
        let seen = of_front.and_then(|of_front| of_front.get(configuration));
        let is_here = |seen: &&Seen| seen.cloud.as_ref().is_none_or(|cloud| *cloud == front.cloud);
        seen.into_iter().flatten().filter(is_here).map(|seen| &seen.cost).collect()
    }

    /// How many there are of a front, and of how many configurations.
    pub(crate) fn count(&self, front: &Front) -> (usize, usize) {
        let of_front = self.of_fronts.get(&(front.id, front.edge.clone()));
        of_front.map_or((0, 0), |of_front| (of_front.values().map(VecDeque::len).sum(), of_front.len()))
    }
}

#[cfg(test)]
pub(crate) mod tests;

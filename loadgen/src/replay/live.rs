//! What is seen of a running system before anything is sent to it.

use std::sync::Arc;

use broker::{Bus, Fronts};
use schemas::{Front, ModelName, NodeId, Presence, ServedModel, ServiceKind};

use super::account::Knowledge;
use crate::error::LoadgenError;

/// Who is there and which fronts are published, over NATS. Fronts are followed as long as it lives.
#[derive(Debug)]
pub struct Site {
    services: Vec<Presence>,
    fronts: Arc<Fronts>,
}

impl Site {
    /// Looks once at who is there, and follows the fronts from now on.
    ///
    /// # Errors
    /// The broker does not tell.
    pub async fn look(bus: &Bus) -> Result<Self, LoadgenError> {
        let presences = bus.watch_presences().await?;
        let services = presences.snapshot().as_ref().clone();
        Ok(Self { services, fronts: Arc::new(bus.watch_fronts().await?) })
    }

    /// Everybody who is there.
    pub fn services(&self) -> &[Presence] {
        &self.services
    }

    /// The published fronts.
    pub fn fronts(&self) -> Arc<Fronts> {
        self.fronts.clone()
    }

    /// A network as an edge executor serves it.
    ///
    /// # Errors
    /// None serves it; the error names those that are served.
    pub fn served(&self, model: &ModelName) -> Result<&ServedModel, LoadgenError> {
        let served = || self.edges().flat_map(|edge| &edge.models);
        served().find(|served| served.name == *model).ok_or_else(|| {
            let mut names: Vec<String> = served().map(|served| served.name.to_string()).collect();
            names.sort();
            names.dedup();
            LoadgenError::NotServed { model: model.clone(), served: names.join(", ") }
        })
    }

    /// The machine whose link can be changed: the named one, or the only one with an edge executor.
    ///
    /// # Errors
    /// There is no such machine, or there are several to choose from.
    pub fn edge(&self, named: Option<&NodeId>) -> Result<NodeId, LoadgenError> {
        let mut nodes: Vec<&NodeId> = self.edges().map(|edge| &edge.node).collect();
        nodes.sort();
        nodes.dedup();
        match (named, nodes.as_slice()) {
            (Some(named), nodes) if nodes.contains(&named) => Ok(named.clone()),
            (None, [only]) => Ok((*only).clone()),
            (_, nodes) => {
                let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                Err(LoadgenError::WhichEdge { edges: nodes.join(", ") })
            }
        }
    }

    /// The fronts of some networks, and what is known by them.
    pub fn knowledge(&self, models: &[ModelName]) -> (Vec<Front>, Knowledge) {
        let (mut known, mut fronts) = (Knowledge::default(), Vec::new());
        for model in models {
            if let Ok(served) = self.served(model) {
                known.last_cuts.insert(model.clone(), served.last_cut);
            }
            for front in self.fronts.for_model(model) {
                fronts.push(front.as_ref().clone());
                known.add(front);
            }
        }
        (fronts, known)
    }

    fn edges(&self) -> impl Iterator<Item = &Presence> {
        self.services.iter().filter(|presence| presence.service == ServiceKind::EdgeExecutor)
    }
}

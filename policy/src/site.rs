//! Who serves a network now: the edge executor, the cloud executor and the front that a plan uses. Pure code.

use std::cmp::Reverse;
use std::sync::Arc;

use schemas::{Digest, ModelName, NodeId, Presence, ServedModel, ServiceKind, ServiceState};

use crate::front::PreparedFront;

/// Why there is nobody to run a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Nobody {
    /// Executors are there, and none serves a network of this name.
    #[error("no executor serves a model named {model}: {}", served_names(.served))]
    UnknownModel {
        /// The network asked for.
        model: ModelName,
        /// The networks that are served, sorted.
        served: Vec<ModelName>,
    },
    /// No edge executor that could run it is ready.
    #[error("no edge executor that serves {model} is ready: start one with that model")]
    NoEdgeExecutor {
        /// The network asked for.
        model: ModelName,
    },
}

fn served_names(served: &[ModelName]) -> String {
    let names: Vec<&str> = served.iter().map(ModelName::as_str).collect();
    match names.as_slice() {
        [] => "none is served yet".to_owned(),
        names => format!("served are {}", names.join(", ")),
    }
}

/// The edge executor to run a request on: ready, serving the network, with the most credits; of equals the one
/// whose instance id sorts first.
pub fn edge_for<'a>(
    presences: &'a [Presence],
    model: &ModelName,
) -> Result<(&'a Presence, &'a ServedModel), Nobody> {
    ready(presences, ServiceKind::EdgeExecutor)
        .filter_map(|presence| Some((presence, served(presence, model)?)))
        .min_by_key(|(presence, _)| by_credits(presence))
        .ok_or_else(|| nobody(presences, model))
}

/// The front of this edge machine and this very network: of several, one whose cloud machine has a ready
/// executor, and of those the latest.
pub fn front_for<'a>(
    fronts: &'a [Arc<PreparedFront>],
    presences: &[Presence],
    edge: &NodeId,
    served: &ServedModel,
) -> Option<&'a Arc<PreparedFront>> {
    fronts.iter().filter(|front| front.edge() == edge && *front.digest() == served.digest).max_by_key(
        |front| {
            let cloud_is_there = clouds(presences, served).any(|presence| presence.node == *front.cloud());
            (cloud_is_there, front.ended_at(), front.id())
        },
    )
}

/// The cloud executor for a tail: ready, serving the same ONNX file, on the machine the front was measured with
/// where there is one, with the most credits; of equals the one whose instance id sorts first.
pub fn cloud_for<'a>(
    presences: &'a [Presence],
    served: &ServedModel,
    front: Option<&Arc<PreparedFront>>,
) -> Option<&'a Presence> {
    clouds(presences, served).min_by_key(|presence| {
        let elsewhere = front.is_some_and(|front| presence.node != *front.cloud());
        (elsewhere, by_credits(presence))
    })
}

/// The cloud executors that could run tails of this network: ready, serving the same ONNX file.
pub(crate) fn clouds<'a>(
    presences: &'a [Presence],
    model: &ServedModel,
) -> impl Iterator<Item = &'a Presence> {
    let (name, digest): (&ModelName, &Digest) = (&model.name, &model.digest);
    // The tail of another file is another network: it would answer, and wrongly.
    ready(presences, ServiceKind::CloudExecutor)
        .filter(move |presence| served(presence, name).is_some_and(|model| model.digest == *digest))
}

fn ready(presences: &[Presence], service: ServiceKind) -> impl Iterator<Item = &Presence> {
    presences
        .iter()
        .filter(move |presence| presence.service == service && presence.state == ServiceState::Ready)
}

fn served<'a>(presence: &'a Presence, model: &ModelName) -> Option<&'a ServedModel> {
    presence.models.iter().find(|served| served.name == *model)
}

fn by_credits(presence: &Presence) -> (Reverse<u32>, &str) {
    (Reverse(presence.credits), presence.instance.as_str())
}

fn nobody(presences: &[Presence], model: &ModelName) -> Nobody {
    let mut names: Vec<ModelName> = presences
        .iter()
        .flat_map(|presence| presence.models.iter().map(|model| model.name.clone()))
        .collect();
    names.sort_unstable();
    names.dedup();
    let an_edge_is_ready = ready(presences, ServiceKind::EdgeExecutor).next().is_some();
    if names.contains(model) || !an_edge_is_ready {
        Nobody::NoEdgeExecutor { model: model.clone() }
    } else {
        Nobody::UnknownModel { model: model.clone(), served: names }
    }
}

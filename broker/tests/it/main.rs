//! The request layer over a real `nats-server`, with the faults of real networks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod leaving;
mod network;
mod plain;
mod refused;
mod stores;
mod who_is_there;

use std::time::Duration;

use broker::{Bus, Call, Endpoint, Request, Response, Serving, Subject, subjects};
use schemas::{Fault, InstanceId, ModelName};

/// Longer than anything takes on a busy machine; what waits so long hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn model() -> ModelName {
    ModelName::new("m").unwrap()
}

/// The subject that all instances share.
pub(crate) fn shared() -> Subject {
    subjects::execute_edge(&model())
}

/// One instance's own subject.
pub(crate) fn own(instance: &str) -> Subject {
    subjects::execute_edge_at(&model(), &InstanceId::new(instance).unwrap())
}

pub(crate) fn call(targets: Vec<Subject>, within: Duration) -> Call {
    Call::new(targets, within, b"question".to_vec())
}

pub(crate) fn answer(text: &str) -> Result<Response, Fault> {
    Response::messagepack(&text)
}

pub(crate) fn text(body: &[u8]) -> String {
    schemas::decode::<String>(body).unwrap()
}

/// Serves the shared subject and one of its own with an answer given at once.
pub(crate) async fn serve(bus: &Bus, instance: &'static str) -> Serving {
    serve_with(bus, instance, 8, move |_| async move { answer(instance) }).await
}

pub(crate) async fn serve_with<F>(
    bus: &Bus,
    instance: &str,
    capacity: u32,
    handler: impl Fn(Request) -> F + Send + Sync + 'static,
) -> Serving
where
    F: Future<Output = Result<Response, Fault>> + Send + 'static,
{
    let endpoint = Endpoint::new(capacity).shared(shared()).own(own(instance));
    bus.serve(endpoint, handler).await.unwrap()
}

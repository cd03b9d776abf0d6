//! Every subject, by functions: no subject is put together anywhere else.

mod storage;

use std::fmt;

use schemas::{InstanceId, ModelName, NodeId, ServiceKind};

pub use storage::{Store, presences_of, storage_any};

/// A NATS subject that one of this module's functions made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last token: the model of a wildcard subject's message, for example.
    pub fn last_token(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or_default()
    }

    /// As it came from the broker.
    pub(crate) fn received(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Requests for inference with a model; served by gateways.
pub fn infer(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.infer.{model}"))
}

/// Requests for inference with any model.
pub fn infer_any() -> Subject {
    Subject("splinter.v1.infer.*".into())
}

/// Requests for a plan; served by schedulers.
pub fn plan(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.plan.{model}"))
}

/// Requests for a plan for any model.
pub fn plan_any() -> Subject {
    Subject("splinter.v1.plan.*".into())
}

/// Executions on whichever edge executor takes them.
pub fn execute_edge(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.exec.edge.{model}"))
}

/// Every execution on an edge executor, addressed or not.
pub fn execute_edge_any() -> Subject {
    Subject("splinter.v1.exec.edge.>".into())
}

/// Executions on one edge executor.
pub fn execute_edge_at(model: &ModelName, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.exec.edge.{model}.{instance}"))
}

/// Tails on whichever cloud executor takes them.
pub fn execute_cloud(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.exec.cloud.{model}"))
}

/// Every tail, addressed or not.
pub fn execute_cloud_any() -> Subject {
    Subject("splinter.v1.exec.cloud.>".into())
}

/// Tails on one cloud executor.
pub fn execute_cloud_at(model: &ModelName, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.exec.cloud.{model}.{instance}"))
}

/// Questions for a model's description; served by executors.
pub fn describe(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.describe.{model}"))
}

/// Questions for any model's description.
pub fn describe_any() -> Subject {
    Subject("splinter.v1.describe.*".into())
}

/// Requests to a node's tuner.
pub fn tune(node: &NodeId) -> Subject {
    Subject(format!("splinter.v1.tune.{node}"))
}

/// Requests to any node's tuner.
pub fn tune_any() -> Subject {
    Subject("splinter.v1.tune.*".into())
}

/// Requests to the edge executor of a node for another emulated link.
pub fn link(node: &NodeId) -> Subject {
    Subject(format!("splinter.v1.link.{node}"))
}

/// Requests to any node's edge executor for another emulated link.
pub fn link_any() -> Subject {
    Subject("splinter.v1.link.*".into())
}

/// Requests to measure a model; served by optimizers.
pub fn optimize(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.optimize.{model}"))
}

/// Requests to measure any model.
pub fn optimize_any() -> Subject {
    Subject("splinter.v1.optimize.*".into())
}

/// Receipts of a model's requests.
pub fn receipt(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.receipt.{model}"))
}

/// Receipts of every model.
pub fn receipt_any() -> Subject {
    Subject("splinter.v1.receipt.>".into())
}

/// Events of one kind, such as `optimize`.
pub fn event(kind: &'static str) -> Subject {
    Subject(format!("splinter.v1.event.{kind}"))
}

/// Events of every kind.
pub fn event_any() -> Subject {
    Subject("splinter.v1.event.>".into())
}

/// What one instance says of itself each second.
pub fn metrics(service: ServiceKind, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.metrics.{service}.{instance}"))
}

/// What every instance of a service says of itself each second.
pub fn metrics_of(service: ServiceKind) -> Subject {
    Subject(format!("splinter.v1.metrics.{service}.*"))
}

/// What every instance of every service says of itself each second.
pub fn metrics_any() -> Subject {
    Subject("splinter.v1.metrics.>".into())
}

/// Questions to one instance: its presence as JSON.
pub fn info(service: ServiceKind, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.info.{service}.{instance}"))
}

/// Questions to any instance of a service.
pub fn info_of(service: ServiceKind) -> Subject {
    Subject(format!("splinter.v1.info.{service}.*"))
}

/// Questions to any instance of any service.
pub fn info_any() -> Subject {
    Subject("splinter.v1.info.*.*".into())
}

/// What every inbox of a user begins with: only that user may listen there.
pub(crate) fn inbox_prefix(user: &str) -> String {
    format!("_INBOX_{user}")
}

/// Every inbox of a user: answers to its calls, and what stores send it.
pub fn inbox_any(user: &str) -> Subject {
    Subject(format!("{}.>", inbox_prefix(user)))
}

/// Questions of the NATS services framework that a service answers: to everyone, to its kind, to one instance.
pub fn framework_questions_to(service: ServiceKind) -> Vec<Subject> {
    let name = framework_name(service);
    ["$SRV.*".to_owned(), format!("$SRV.*.{name}"), format!("$SRV.*.{name}.*")].map(Subject).into()
}

/// Every question of the NATS services framework.
pub fn framework_questions_any() -> Subject {
    Subject("$SRV.>".into())
}

/// A service's name in the NATS services framework.
pub(crate) fn framework_name(service: ServiceKind) -> String {
    format!("splinter-{service}")
}

//! Every subject, by functions: no subject is put together anywhere else.

use std::fmt;

use schemas::{InstanceId, ModelName, NodeId, ServiceKind};

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

/// Executions on one edge executor.
pub fn execute_edge_at(model: &ModelName, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.exec.edge.{model}.{instance}"))
}

/// Tails on whichever cloud executor takes them.
pub fn execute_cloud(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.exec.cloud.{model}"))
}

/// Tails on one cloud executor.
pub fn execute_cloud_at(model: &ModelName, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.exec.cloud.{model}.{instance}"))
}

/// Questions for a model's description; served by executors.
pub fn describe(model: &ModelName) -> Subject {
    Subject(format!("splinter.v1.describe.{model}"))
}

/// Requests to a node's tuner.
pub fn tune(node: &NodeId) -> Subject {
    Subject(format!("splinter.v1.tune.{node}"))
}

/// Requests to the edge executor of a node for another emulated link.
pub fn link(node: &NodeId) -> Subject {
    Subject(format!("splinter.v1.link.{node}"))
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
    Subject("splinter.v1.receipt.*".into())
}

/// Events of one kind, such as `optimize`.
pub fn event(kind: &'static str) -> Subject {
    Subject(format!("splinter.v1.event.{kind}"))
}

/// What one instance says of itself each second.
pub fn metrics(service: ServiceKind, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.metrics.{service}.{instance}"))
}

/// What every instance of a service says of itself each second.
pub fn metrics_of(service: ServiceKind) -> Subject {
    Subject(format!("splinter.v1.metrics.{service}.*"))
}

/// Questions to one instance: its presence as JSON.
pub fn info(service: ServiceKind, instance: &InstanceId) -> Subject {
    Subject(format!("splinter.v1.info.{service}.{instance}"))
}

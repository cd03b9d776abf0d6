use std::time::Duration;

use broker::{BrokerError, BrokerSettings, Bus};
use schemas::{InstanceId, NodeId, ServiceKind};
use serde::Deserialize;

use crate::health::Health;
use crate::instruments::Instruments;
use crate::metrics::Metrics;
use crate::settings::{SettingsError, SettingsFile};
use crate::traces::{TraceError, Traces};

/// Table `[node]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSettings {
    /// This machine's name; the host's name by default.
    pub node: NodeId,
    /// Seconds that running requests may take to finish when a service leaves.
    pub grace_s: u16,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self { node: host_name(), grace_s: 10 }
    }
}

/// The host's name with what an id may not hold replaced by `-`.
fn host_name() -> NodeId {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let token: String = name
        .trim()
        .chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .collect();
    NodeId::new(token).unwrap_or_else(|_| unnamed())
}

#[allow(clippy::expect_used, reason = "a constant that is a token")]
fn unnamed() -> NodeId {
    NodeId::new("node").expect("a token")
}

/// What a service starts with: its connection, its names, and what it is watched by.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceContext {
    /// The connection to the broker.
    pub bus: Bus,
    /// This machine.
    pub node: NodeId,
    /// This instance of the service.
    pub instance: InstanceId,
    /// How long running requests may take to finish when it leaves.
    pub grace: Duration,
    /// The metrics of its process.
    pub metrics: Metrics,
    /// What it says of its own health.
    pub health: Health,
    /// Where its spans go.
    pub traces: Traces,
}

/// Why a service has no context.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The broker cannot be reached.
    #[error("the {service} cannot reach its broker")]
    Broker {
        /// The service.
        service: ServiceKind,
        /// Why.
        source: BrokerError,
    },
    /// Its spans cannot be exported.
    #[error(transparent)]
    Traces(#[from] TraceError),
}

impl ServiceContext {
    /// A service on a connection, watched by nobody: with metrics of its own, and without traces.
    pub fn new(service: ServiceKind, bus: Bus, node: NodeId, instance: InstanceId, grace: Duration) -> Self {
        let health = Health::new(service, bus.clone());
        Self { bus, node, instance, grace, metrics: Metrics::default(), health, traces: Traces::off() }
    }

    /// Connects a service with the tables `[node]` and `[broker]`, as a fresh instance under the process's instruments.
    pub async fn connect(
        settings: &SettingsFile,
        service: ServiceKind,
        instruments: &Instruments,
    ) -> Result<Self, ContextError> {
        let NodeSettings { node, grace_s } = settings.table("node")?;
        let instance = InstanceId::fresh();
        let name = format!("{service}-{instance}");
        let mut broker: BrokerSettings = settings.table("broker")?;
        broker.user.get_or_insert_with(|| service.to_string());
        let bus =
            Bus::connect(&broker, &name).await.map_err(|source| ContextError::Broker { service, source })?;
        let grace = Duration::from_secs(u64::from(grace_s));
        Ok(Self::new(service, bus, node, instance, grace).under(instruments)?)
    }

    /// The same service, watched by the process's instruments.
    pub fn under(self, instruments: &Instruments) -> Result<Self, TraceError> {
        let (service, instance, node) = (self.health.service(), &self.instance, &self.node);
        let traces = match &instruments.traces {
            Some(traces) => traces.record(service, instance, node)?,
            None => Traces::off(),
        };
        instruments.watch(&self.health);
        Ok(Self { metrics: instruments.metrics.clone(), traces, ..self })
    }
}

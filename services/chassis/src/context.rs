use std::time::Duration;

use broker::{BrokerError, BrokerSettings, Bus};
use schemas::{InstanceId, NodeId, ServiceKind};
use serde::Deserialize;

use crate::settings::{SettingsError, SettingsFile};

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

/// What a service starts with: its connection and its names.
#[derive(Debug, Clone)]
pub struct ServiceContext {
    /// The connection to the broker.
    pub bus: Bus,
    /// This machine.
    pub node: NodeId,
    /// This instance of the service.
    pub instance: InstanceId,
    /// How long running requests may take to finish when it leaves.
    pub grace: Duration,
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
}

impl ServiceContext {
    /// Connects a service with the tables `[node]` and `[broker]`, as a fresh instance.
    pub async fn connect(settings: &SettingsFile, service: ServiceKind) -> Result<Self, ContextError> {
        let NodeSettings { node, grace_s } = settings.table("node")?;
        let instance = InstanceId::fresh();
        let name = format!("{service}-{instance}");
        let mut broker: BrokerSettings = settings.table("broker")?;
        broker.user.get_or_insert_with(|| service.to_string());
        let bus =
            Bus::connect(&broker, &name).await.map_err(|source| ContextError::Broker { service, source })?;
        Ok(Self { bus, node, instance, grace: Duration::from_secs(u64::from(grace_s)) })
    }
}

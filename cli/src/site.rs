//! Services in this process, with a broker of their own or somebody else's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use broker::server::LocalServer;
use broker::{BrokerSettings, Bus, Presences};
use chassis::{
    Attendance, Instruments, ProcessEnvironment, RunningService, ServiceContext, ServiceSettings,
    SettingsFile, Traces,
};
use futures::future::{BoxFuture, join_all};
use models::Bundle;
use schemas::{Presence, ServiceKind, UnixMillis};

use crate::arguments::UpArguments;

/// The link that the paper measured (reference §3).
const PAPER_LINK_MBIT: f64 = 590.0;
const PAPER_LINK_RTT_MS: f64 = 2.3;

/// The demo's share of a server: of the 945 W that the paper's node draws (reference §3) what one of 64 tenants pays. An
/// assumption, so its joules are labelled modelled; charged with the whole node, the cloud would never be worth its joules
/// to a network as small as the demo's.
const CLOUD_SHARE_W: f64 = 945.0 / 64.0;

/// How long executors may take to load and warm a network.
const WARMING: Duration = Duration::from_secs(120);

/// Services in the order they start: those that others ask come first.
const ORDER: [ServiceKind; 6] = [
    ServiceKind::Tuner,
    ServiceKind::CloudExecutor,
    ServiceKind::EdgeExecutor,
    ServiceKind::Scheduler,
    ServiceKind::Optimizer,
    ServiceKind::Gateway,
];

/// Where the broker is.
#[derive(Debug)]
enum BrokerPlace {
    /// Started here; `None` takes a free port.
    Here { port: Option<u16>, folder: PathBuf },
    /// At the address of the settings.
    Elsewhere,
}

/// What to start.
#[derive(Debug)]
pub struct SiteSettings {
    file: SettingsFile,
    services: Vec<ServiceKind>,
    broker: BrokerPlace,
}

impl SiteSettings {
    /// Everything, on the paper's hardware as far as one machine can play it.
    pub fn demo(folder: &Path) -> Self {
        let file = SettingsFile::defaults()
            .with("tuner.emulate", "raspberry-pi-4")
            .with("cloud_executor.power.active_w", CLOUD_SHARE_W)
            .with("edge_executor.link.bandwidth_mbit", PAPER_LINK_MBIT)
            .with("edge_executor.link.rtt_ms", PAPER_LINK_RTT_MS)
            .with("gateway.http", "127.0.0.1:0")
            .with("optimizer.state_dir", folder.join("campaigns"));
        let broker = BrokerPlace::Here { port: None, folder: folder.to_path_buf() };
        Self { file, services: ORDER.to_vec(), broker }
    }

    /// What the command line asks for, over the settings file and the environment.
    pub fn up(arguments: &UpArguments) -> anyhow::Result<Self> {
        let mut file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
        if let Some(device) = &arguments.emulate {
            file = file.with("tuner.emulate", device).with("cloud_executor.emulate", "grid5000-node");
        }
        if let Some(folder) = &arguments.models_dir {
            file = file.with("edge_executor.models_dir", folder).with("cloud_executor.models_dir", folder);
        }
        if let Some(address) = arguments.http {
            file = file.with("gateway.http", address.to_string());
        }
        if let Some(folder) = &arguments.data_dir {
            file = file.with("optimizer.state_dir", folder.join("campaigns"));
        }
        let broker = match &arguments.broker {
            Some(url) => {
                file = file.with("broker.url", url);
                BrokerPlace::Elsewhere
            }
            None => BrokerPlace::Here { port: Some(arguments.broker_port), folder: data_folder(arguments)? },
        };
        let wanted = |kind: &ServiceKind| {
            let only = arguments.only.is_empty() || arguments.only.contains(kind);
            only && !arguments.without.contains(kind)
        };
        let services: Vec<ServiceKind> = ORDER.into_iter().filter(wanted).collect();
        ensure!(!services.is_empty(), "no service is left to start");
        // Before anything is started: who set something wrong is to hear of it at once.
        services.iter().try_for_each(|kind| check(*kind, &file))?;
        Ok(Self { file, services, broker })
    }

    /// How to log.
    pub fn telemetry(&self) -> anyhow::Result<chassis::TelemetrySettings> {
        Ok(self.file.table("telemetry")?)
    }
}

fn data_folder(arguments: &UpArguments) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &arguments.data_dir {
        return Ok(folder.clone());
    }
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")));
    Ok(home.context("neither XDG_DATA_HOME nor HOME is set: name a folder with --data-dir")?.join("splinter"))
}

/// The site's own connection looks at who is there: from a folder of keys as the observer, with one key as its service.
fn own_settings(broker: &BrokerSettings, wanted: &[ServiceKind]) -> BrokerSettings {
    let user = match (&broker.keys_dir, &broker.nkey_seed_file, wanted) {
        (Some(_), _, _) => Some("observer".to_owned()),
        (None, Some(_), [first, ..]) => Some(first.to_string()),
        _ => None,
    };
    BrokerSettings { user: broker.user.clone().or(user), ..broker.clone() }
}

/// A running service: what to say of it, and how it leaves.
struct Started {
    kind: ServiceKind,
    bus: Bus,
    address: Option<String>,
    attendance: Attendance,
    traces: Traces,
    leave: BoxFuture<'static, ()>,
}

/// Running services.
pub struct Site {
    bus: Bus,
    presences: Presences,
    services: Vec<Started>,
    broker_url: String,
    /// What all services of this process are watched by.
    instruments: Instruments,
    // Last: the broker ends after everything that talks to it.
    _server: Option<LocalServer>,
}

impl Site {
    /// Starts the broker where it is ours, then the services; returns when all are ready.
    pub async fn start(settings: SiteSettings) -> anyhow::Result<Self> {
        let SiteSettings { mut file, services: wanted, broker } = settings;
        let server = match broker {
            BrokerPlace::Here { port, folder } => Some(LocalServer::start(port, &folder).await?),
            BrokerPlace::Elsewhere => None,
        };
        if let Some(server) = &server {
            file = file.with("broker.url", server.url());
        }
        let broker: BrokerSettings = file.table("broker")?;
        let instruments = Instruments::start(&file.table("telemetry")?).await?;
        let bus = Bus::connect(&own_settings(&broker, &wanted), "splinter-site").await?;
        let presences = bus.watch_presences().await?;
        let mut services = Vec::new();
        for kind in wanted {
            let started = start(kind, &file, &instruments).await;
            services.push(started.with_context(|| format!("the {kind} does not start"))?);
        }
        Ok(Self { bus, presences, services, broker_url: broker.url, instruments, _server: server })
    }

    /// The site's own connection.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Puts a network into the model store and waits until both executors serve it.
    pub async fn add_model(&self, bundle: &Bundle) -> anyhow::Result<()> {
        let store = self.bus.model_store().await?;
        for (file, bytes) in bundle.files()? {
            store.put(bundle.name(), &file, bytes).await?;
        }
        let serves = |presence: &Presence| {
            presence
                .models
                .iter()
                .any(|model| model.name == *bundle.name() && model.digest == *bundle.digest())
        };
        let both = |all: &[Presence]| {
            [ServiceKind::EdgeExecutor, ServiceKind::CloudExecutor]
                .iter()
                .all(|kind| all.iter().any(|presence| presence.service == *kind && serves(presence)))
        };
        let warm = self.presences.wait_until(UnixMillis::now().after(WARMING), both).await;
        warm.map(drop)
            .with_context(|| format!("the executors did not load {}; their log says why", bundle.name()))
    }

    /// One line a service, with the addresses that people need.
    pub fn summary(&self) -> String {
        let mut lines = vec![format!("broker {}", self.broker_url)];
        lines.extend(self.services.iter().map(|service| match &service.address {
            Some(address) => format!("{} {address}", service.kind),
            None => service.kind.to_string(),
        }));
        lines.extend(self.instruments.address().map(|address| format!("metrics http://{address}/metrics")));
        lines.push("ready".into());
        lines.join("\n")
    }

    /// Leaves in order: the way in first, then the others together, then the broker.
    pub async fn leave(mut self) {
        if let Some(position) = self.services.iter().position(|service| service.kind == ServiceKind::Gateway)
        {
            leave(self.services.remove(position)).await;
        }
        join_all(self.services.drain(..).map(leave)).await;
        self.bus.close().await;
    }
}

async fn leave(service: Started) {
    service.attendance.leaving();
    service.leave.await;
    drop(service.attendance);
    service.traces.finish().await;
    service.bus.close().await;
}

fn check(kind: ServiceKind, file: &SettingsFile) -> Result<(), chassis::SettingsError> {
    match kind {
        ServiceKind::Gateway => gateway::Settings::read(file).map(drop),
        ServiceKind::Scheduler => scheduler::Settings::read(file).map(drop),
        ServiceKind::EdgeExecutor => edge_executor::Settings::read(file).map(drop),
        ServiceKind::CloudExecutor => cloud_executor::Settings::read(file).map(drop),
        ServiceKind::Tuner => tuner::Settings::read(file).map(drop),
        ServiceKind::Optimizer => optimizer::Settings::read(file).map(drop),
    }
}

async fn start(kind: ServiceKind, file: &SettingsFile, watch: &Instruments) -> anyhow::Result<Started> {
    let http = |running: &gateway::Running| Some(running.http_url());
    match kind {
        ServiceKind::Gateway => start_one((file, watch), gateway::start, http).await,
        ServiceKind::Scheduler => start_one((file, watch), scheduler::start, |_| None).await,
        ServiceKind::EdgeExecutor => start_one((file, watch), edge_executor::start, |_| None).await,
        ServiceKind::CloudExecutor => start_one((file, watch), cloud_executor::start, |_| None).await,
        ServiceKind::Tuner => start_one((file, watch), tuner::start, |_| None).await,
        ServiceKind::Optimizer => start_one((file, watch), optimizer::start, |_| None).await,
    }
}

async fn start_one<S, R, E, F>(
    (file, instruments): (&SettingsFile, &Instruments),
    start: impl FnOnce(S, ServiceContext) -> F,
    address: impl FnOnce(&R) -> Option<String>,
) -> anyhow::Result<Started>
where
    S: ServiceSettings,
    R: RunningService + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
    F: Future<Output = Result<R, E>>,
{
    let settings = S::read(file)?;
    let context = ServiceContext::connect(file, S::SERVICE, instruments).await?;
    let attendance = Attendance::begin(&context);
    let (bus, grace, traces) = (context.bus.clone(), context.grace, context.traces.clone());
    let running = start(settings, context).await?;
    attendance.started();
    let (address, leave) = (address(&running), Box::pin(running.leave(grace)));
    Ok(Started { kind: S::SERVICE, bus, address, attendance, traces, leave })
}

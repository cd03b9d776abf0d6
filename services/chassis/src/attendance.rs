//! What is said of a service while it runs, whatever it is: readiness, its connection's counts, and each second a snapshot
//! of its metrics on `splinter.v1.metrics.<service>.<instance>`.

use std::sync::Arc;
use std::time::Duration;

use broker::{Bus, subjects};
use schemas::{InstanceId, MetricsSnapshot, ServiceKind, UnixMillis};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

use crate::context::ServiceContext;
use crate::health::{Health, LifeState};
use crate::metrics::{CommonMetrics, Metrics};

/// How often a snapshot is published.
const SNAPSHOT: Duration = Duration::from_secs(1);

/// A service that is said to run. Dropped, nothing more is said of it.
#[derive(Debug)]
pub struct Attendance {
    attended: Arc<Attended>,
    saying: AbortHandle,
}

#[derive(Debug)]
struct Attended {
    bus: Bus,
    health: Health,
    instance: InstanceId,
    metrics: Metrics,
    common: CommonMetrics,
}

impl Attendance {
    /// The service begins to start: its connection is counted from now on, and snapshots are published.
    pub fn begin(context: &ServiceContext) -> Self {
        let ServiceContext { bus, node, instance, metrics, health, .. } = context.clone();
        let common = CommonMetrics::new(&metrics);
        common.is(health.service(), &instance, &node);
        let attended = Arc::new(Attended { bus, health, instance, metrics, common });
        attended.metrics.read_from(&attended, Attended::read);
        let saying = tokio::spawn(say(attended.clone())).abort_handle();
        Self { attended, saying }
    }

    /// The service has subscribed and is announced.
    pub fn started(&self) {
        self.attended.health.becomes(LifeState::Started);
    }

    /// The service takes no new work from now on.
    pub fn leaving(&self) {
        self.attended.health.becomes(LifeState::Leaving);
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.saying.abort();
    }
}

impl Attended {
    fn read(&self) {
        self.common.read(self.health.service(), &self.bus, self.health.readiness().ok);
    }

    async fn say(&self) {
        let service = self.health.service();
        match self.bus.round_trip_time().await {
            Ok(took) => self.common.round_trip(service, took),
            Err(error) => debug!(%error, "no round trip to the broker"),
        }
        // A scheduler puts its samples into its own report.
        if service == ServiceKind::Scheduler {
            return;
        }
        let snapshot = MetricsSnapshot { samples: self.metrics.samples(service), at: UnixMillis::now() };
        let published = match schemas::encode(&snapshot) {
            Ok(body) => self.bus.publish(subjects::metrics(service, &self.instance), body).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = published {
            debug!(%error, "a snapshot of the metrics was not published");
        }
    }
}

async fn say(attended: Arc<Attended>) {
    let mut ticks = interval(SNAPSHOT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        attended.say().await;
    }
}

//! Refreshing by itself, when nobody has asked for anything for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use schemas::{ModelName, OptimizeRequest, OptimizeTask, UnixMillis};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use crate::service::{Optimizer, lock};

/// Networks whose last request is remembered, the last ones: each holds its pictures, up to a message's 16 MB.
const REMEMBERED: usize = 4;

/// How often it is looked whether it is quiet.
const LOOKING: Duration = Duration::from_millis(250);

/// How long a refresh by itself may take: when live requests leave it no room for so long, it is tried again later.
const LONGEST: Duration = Duration::from_secs(1_800);

/// What to measure with when it is quiet, and since when it is.
#[derive(Debug)]
pub(crate) struct Errands {
    /// The last request of each network, as it came; the last one at the back.
    requests: Mutex<VecDeque<(ModelName, Bytes)>>,
    last_receipt: Mutex<Instant>,
}

impl Default for Errands {
    fn default() -> Self {
        Self { requests: Mutex::default(), last_receipt: Mutex::new(Instant::now()) }
    }
}

impl Errands {
    /// A live request ended.
    pub(crate) fn heard(&self) {
        *lock(&self.last_receipt) = Instant::now();
    }

    /// Keeps a request that was served, for its pictures.
    pub(crate) fn remember(&self, model: ModelName, body: Bytes) {
        let mut requests = lock(&self.requests);
        requests.retain(|(known, _)| *known != model);
        requests.push_back((model, body));
        if requests.len() > REMEMBERED {
            requests.pop_front();
        }
    }

    fn all(&self) -> Vec<Bytes> {
        lock(&self.requests).iter().map(|(_, body)| body.clone()).collect()
    }

    /// Since when no live request has ended.
    fn quiet_since(&self) -> Instant {
        *lock(&self.last_receipt)
    }
}

/// Refreshes what has drifted once in each quiet time that is long enough; never returns where that is switched off or on.
pub(crate) async fn run(optimizer: Arc<Optimizer>) {
    let long_enough = optimizer.settings.refresh_idle_ms.to_duration();
    if long_enough.is_zero() {
        return;
    }
    let mut done = None;
    loop {
        sleep(LOOKING).await;
        let since = optimizer.errands.quiet_since();
        if since.elapsed() < long_enough || done == Some(since) {
            continue;
        }
        for body in optimizer.errands.all() {
            refresh(&optimizer, &body).await;
        }
        done = Some(since);
    }
}

async fn refresh(optimizer: &Optimizer, body: &Bytes) {
    // It was decoded before.
    let Ok(mut asked) = schemas::decode::<OptimizeRequest<'_>>(body) else { return };
    asked.search.task = OptimizeTask::Refresh;
    match optimizer.serve(&asked, UnixMillis::now().after(LONGEST)).await {
        Ok(reply) if reply.measurements.is_empty() => debug!(model = %asked.model, "nothing has drifted"),
        Ok(reply) => info!(
            model = %asked.model, revision = reply.front.revision, measured = reply.measurements.len(), "refreshed in idle time"
        ),
        Err(fault) => warn!(model = %asked.model, %fault, "not refreshed"),
    }
}

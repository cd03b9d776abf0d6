//! Refreshing by itself, when nobody has asked for anything for a while.

mod kept;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use schemas::{ModelName, OptimizeRequest, OptimizeTask, UnixMillis};
use tokio::task::spawn_blocking;
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
    /// Where they are kept across a restart; nowhere when it never refreshes by itself, or has no folder.
    folder: Option<PathBuf>,
}

impl Errands {
    /// Those that were kept in a folder.
    pub(crate) async fn in_folder(folder: Option<PathBuf>) -> Self {
        let requests = match folder.clone() {
            Some(folder) => {
                spawn_blocking(move || kept::kept(&folder)).await.unwrap_or_else(|_| Ok(Vec::new()))
            }
            None => Ok(Vec::new()),
        };
        let requests = requests.unwrap_or_else(|error| {
            warn!(%error, "what was measured with before is not known");
            Vec::new()
        });
        Self { requests: Mutex::new(requests.into()), last_receipt: Mutex::new(Instant::now()), folder }
    }

    /// A live request ended.
    pub(crate) fn heard(&self) {
        *lock(&self.last_receipt) = Instant::now();
    }

    /// Keeps a request that was served, for its pictures.
    pub(crate) async fn remember(&self, model: ModelName, body: Bytes) {
        {
            let mut requests = lock(&self.requests);
            requests.retain(|(known, _)| *known != model);
            requests.push_back((model.clone(), body.clone()));
            if requests.len() > REMEMBERED {
                requests.pop_front();
            }
        }
        let Some(folder) = self.folder.clone() else { return };
        let keeping = spawn_blocking(move || kept::keep(&folder, &model, &body)).await;
        if let Ok(Err(error)) = keeping {
            warn!(%error, "the request is not kept: after a restart nothing is refreshed in idle time until it is asked again");
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

//! Which policies decide: bucket `splinter-settings`, entry `policy`. Written by people while everything runs, followed by every
//! scheduler.

use std::time::Duration;

use bytes::Bytes;
use schemas::{PolicyChoice, PolicyName};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use crate::bucket::{Bucket, Change};
use crate::bus::Bus;
use crate::error::BrokerError;
use crate::subjects::Store;

const BUCKET: Store = Store::Settings;
const KEY: &str = "policy";

/// A choice stays until another is made.
const FOR_EVER: Duration = Duration::ZERO;

/// The choice as it is now, the last good one.
#[derive(Debug)]
pub struct PolicyChoices {
    chosen: watch::Receiver<Option<PolicyChoice>>,
    watcher: AbortHandle,
}

impl PolicyChoices {
    /// What was chosen; `None` where nothing was, and each scheduler goes by its own settings.
    pub fn now(&self) -> Option<PolicyChoice> {
        *self.chosen.borrow()
    }
}

impl Drop for PolicyChoices {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Bus {
    /// Chooses the policies of all schedulers, now and after a restart.
    pub async fn choose_policy(&self, choice: PolicyChoice) -> Result<(), BrokerError> {
        let bucket = settings(self);
        let store = bucket.open().await?;
        bucket.put(&store, KEY, schemas::encode(&choice)?).await
    }

    /// Takes the choice back: each scheduler goes by its own settings again.
    pub async fn forget_policy_choice(&self) -> Result<(), BrokerError> {
        let bucket = settings(self);
        let store = bucket.open().await?;
        bucket.remove(&store, KEY).await
    }

    /// What was chosen; `None` where nothing was, or nothing that can be read.
    pub async fn policy_choice(&self) -> Result<Option<PolicyChoice>, BrokerError> {
        let (value, _revision) = settings(self).last(KEY).await?;
        Ok(value.and_then(|value| read(&value)))
    }

    /// Watches the choice; one that was made already is there when this returns. An entry that does not decode, or names a
    /// policy that no scheduler has, is refused with a warning, and the last good one stays.
    pub async fn watch_policy_choice(&self) -> Result<PolicyChoices, BrokerError> {
        let bucket = settings(self);
        let mut first = None;
        for (key, value) in bucket.entries().await? {
            apply(&mut first, Change::Put(key, value));
        }
        let (publish, chosen) = watch::channel(first);
        let watching = async move {
            bucket
                .watch(|change| {
                    publish.send_if_modified(|chosen| apply(chosen, change));
                    std::future::ready(())
                })
                .await;
        };
        Ok(PolicyChoices { chosen, watcher: tokio::spawn(watching).abort_handle() })
    }
}

fn settings(bus: &Bus) -> Bucket {
    Bucket::new(bus, BUCKET, FOR_EVER)
}

/// Returns whether something changed.
fn apply(chosen: &mut Option<PolicyChoice>, change: Change) -> bool {
    let next = match change {
        Change::Removed(key) if key == KEY => None,
        Change::Put(key, value) if key == KEY => match read(&value) {
            Some(choice) => Some(choice),
            None => return false,
        },
        _ => return false,
    };
    let changes = *chosen != next;
    if changes {
        info!(?next, "other policies were chosen");
    }
    *chosen = next;
    changes
}

fn read(value: &Bytes) -> Option<PolicyChoice> {
    let choice: PolicyChoice = match schemas::decode(value) {
        Ok(choice) => choice,
        Err(error) => {
            warn!(%error, "a choice of policies was refused, the last good one stays");
            return None;
        }
    };
    let foreign =
        [Some(choice.policy), choice.shadow].into_iter().flatten().find(|policy| is_foreign(*policy));
    if let Some(policy) = foreign {
        warn!(%policy, "a choice of policies was refused, the last good one stays: no scheduler has that one");
    }
    foreign.is_none().then_some(choice)
}

fn is_foreign(policy: PolicyName) -> bool {
    !PolicyName::ALL.contains(&policy)
}

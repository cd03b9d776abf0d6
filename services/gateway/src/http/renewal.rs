//! Takes renewed tokens and certificates while the gateway runs: their files are read again every few seconds.
//!
//! They are read whole instead of being looked at for a newer time: they are small, nothing is missed however a file was
//! replaced, and a certificate whose time runs out while it is in use is said.

use std::time::Duration;

use chassis::SettingsError;
use schemas::UnixMillis;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::{error, info};

use crate::settings::Settings;
use crate::tls::Identity;
use crate::tokens::Tokens;

/// How often the files are read again.
const LOOK: Duration = Duration::from_secs(5);

/// What is in use from now on, the newest of each. The looking ends when nobody holds the receiver of the tokens any more.
pub(super) fn follow(
    settings: &Settings,
    tokens: Option<Tokens>,
    identity: Option<Identity>,
) -> (watch::Receiver<Option<Tokens>>, watch::Receiver<Option<Identity>>) {
    let is_named = tokens.is_some() || identity.is_some();
    let (tokens, tokens_now) = InUse::new("tokens", tokens);
    let (identity, identity_now) = InUse::new("the certificate", identity);
    if is_named {
        tokio::spawn(keep_looking(settings.clone(), tokens, identity));
    }
    (tokens_now, identity_now)
}

async fn keep_looking(
    settings: Settings,
    mut tokens: InUse<Option<Tokens>>,
    mut identity: InUse<Option<Identity>>,
) {
    // They have just been read.
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = tokens.publish.closed() => return,
            _ = looks.tick() => {}
        }
        let settings = settings.clone();
        let reading = spawn_blocking(move || (settings.tokens(), settings.tls(UnixMillis::now())));
        // It does not panic, and it is cancelled only with the runtime.
        let Ok((tokens_read, identity_read)) = reading.await else { return };
        tokens.renew(tokens_read);
        identity.renew(identity_read);
    }
}

/// Something read from files that is in use, and is replaced when they hold another.
struct InUse<T> {
    what: &'static str,
    publish: watch::Sender<T>,
    /// The problem that was said last, so that each is said once.
    said: Option<String>,
}

/// What came of reading the files again.
#[derive(Debug, PartialEq, Eq)]
enum Renewal {
    Same,
    Taken,
    /// What was in use stays in use.
    Refused,
}

impl<T: PartialEq> InUse<T> {
    fn new(what: &'static str, value: T) -> (Self, watch::Receiver<T>) {
        let (publish, now) = watch::channel(value);
        (Self { what, publish, said: None }, now)
    }

    fn renew(&mut self, read: Result<T, SettingsError>) -> Renewal {
        match read {
            Ok(value) => {
                self.said = None;
                let replace = |now: &mut T| {
                    let is_another = *now != value;
                    if is_another {
                        *now = value;
                    }
                    is_another
                };
                if !self.publish.send_if_modified(replace) {
                    return Renewal::Same;
                }
                info!(what = self.what, "renewed: what the files hold now is in use");
                Renewal::Taken
            }
            Err(problem) => {
                let problem = problem.to_string();
                if self.said.as_ref() != Some(&problem) {
                    error!(what = self.what, problem, "not renewed: what was read before stays in use");
                    self.said = Some(problem);
                }
                Renewal::Refused
            }
        }
    }
}

#[cfg(test)]
mod tests;

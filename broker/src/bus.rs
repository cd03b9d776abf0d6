use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{ConnectOptions, Event, HeaderMap, ServerError};
use bytes::Bytes;
use futures::StreamExt;
use schemas::{ByteCount, InstanceId};
use tokio::time::timeout;
use tracing::{debug, error, info, warn};

use crate::call::Caller;
use crate::credentials::Credentials;
use crate::error::BrokerError;
use crate::headers::Headers;
use crate::settings::BrokerSettings;
use crate::subjects::{self, Subject};
use crate::tally::{Happening, Tally};

/// Older servers can be crashed before authentication (CVE-2026-33218).
const LEAST_VERSION: (u64, u64, u64) = (2, 12, 6);
const LEAST_VERSION_TEXT: &str = "2.12.6";

/// Largest message, on every broker: a frontier of a large network, or a picture, fits. Nothing larger is sent, whatever a broker
/// would take: a hub that takes less than the edge before it would close their connection over one message.
pub(crate) const GREATEST_MESSAGE: ByteCount = ByteCount(16 << 20);

/// How long the first connection is tried for: services may start before their broker.
const FIRST_CONNECTION: Duration = Duration::from_secs(30);

/// A dead broker is noticed after two of these.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// Longest a publish may wait for the connection's command channel.
const PUBLISHING: Duration = Duration::from_secs(2);

/// Messages that may wait in one subscription. Servers answer each within microseconds (NACK when full), so
/// more than this means that nobody reads.
const SUBSCRIPTION_CAPACITY: usize = 256;

/// A connection to the broker. Clones share it.
#[derive(Debug, Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: async_nats::Client,
    caller: Caller,
    tally: Arc<Tally>,
}

/// A received message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it was published.
    pub subject: Subject,
    /// Its payload.
    pub body: Bytes,
    /// Its headers.
    pub headers: Headers,
}

/// The messages of one subject, from the time of subscribing on.
#[derive(Debug)]
pub struct Subscription(async_nats::Subscriber);

impl Subscription {
    /// The next message; `None` when the connection was closed.
    pub async fn next(&mut self) -> Option<Message> {
        let message = self.0.next().await?;
        Some(Message {
            subject: Subject::received(&message.subject),
            body: message.payload,
            headers: Headers::new(message.headers),
        })
    }
}

impl Bus {
    /// Connects, tries for 30 s, and from then on reconnects for ever. `name` is one subject token; it names the
    /// connection in the broker's monitoring, and is the user whose inboxes are ours where the settings name none.
    ///
    /// # Errors
    /// At once where trying again is of no use: files of the settings that cannot be used, a broker that refuses our key,
    /// a certificate that one side does not trust, a broker that is too old or takes too small messages.
    pub async fn connect(settings: &BrokerSettings, name: &str) -> Result<Self, BrokerError> {
        if settings.url.contains('@') {
            return Err(BrokerError::CredentialsInUrl);
        }
        let credentials = Credentials::read(settings, name)?;
        let deadline = tokio::time::Instant::now() + FIRST_CONNECTION;
        let mut pause = Duration::from_millis(50);
        let tally = Arc::new(Tally::default());
        let client = loop {
            match options(&credentials, name, tally.clone())?.connect(&settings.url).await {
                Ok(client) => break client,
                Err(error) if let Some(refusal) = credentials.refusal(&error) => return Err(refusal),
                Err(error) if tokio::time::Instant::now() + pause < deadline => {
                    debug!(url = settings.url, %error, "no broker yet, trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(error) => return Err(unreachable(settings, &error.to_string())),
            }
        };
        check_version(settings, &client.server_info().version)?;
        check_payload(settings, ByteCount(client.max_payload() as u64))?;
        let inbox = format!("{}.{}", subjects::inbox_prefix(&credentials.user), InstanceId::fresh());
        let caller = Caller::start(client.clone(), inbox, tally.clone()).await?;
        Ok(Self { inner: Arc::new(Inner { client, caller, tally }) })
    }

    /// Publishes; ends within 2 s.
    pub async fn publish(&self, subject: Subject, body: Vec<u8>) -> Result<(), BrokerError> {
        publish(self.client(), subject.as_str(), None, HeaderMap::new(), body.into()).await
    }

    /// Subscribes; returns when the broker knows of it.
    pub async fn subscribe(&self, subject: Subject) -> Result<Subscription, BrokerError> {
        let subscribing = self.client().subscribe(subject.as_str().to_owned());
        let subscribed =
            timeout(PUBLISHING, subscribing).await.map_err(|_| BrokerError::TimedOut("subscribing"))?;
        let subscriber = subscribed.map_err(|error| BrokerError::failed("subscribing", error))?;
        self.round_trip().await?;
        Ok(Subscription(subscriber))
    }

    /// Whether the broker is reachable now.
    pub fn is_connected(&self) -> bool {
        self.client().connection_state() == async_nats::connection::State::Connected
    }

    /// How often something has happened on this connection since it was made.
    pub fn count(&self, what: Happening) -> u64 {
        self.tally().of(what)
    }

    /// How long a message to the broker and back takes now; an error after 5 s.
    pub async fn round_trip_time(&self) -> Result<Duration, BrokerError> {
        let sent = Instant::now();
        self.round_trip().await?;
        Ok(sent.elapsed())
    }

    /// The largest message that may be sent, headers included.
    pub fn greatest_payload(&self) -> ByteCount {
        greatest_payload(self.client())
    }

    /// Writes everything out and closes. Other clones are closed too.
    pub async fn close(self) {
        if let Err(error) = self.round_trip().await {
            warn!(%error, "the last messages may not have reached the broker");
        }
        self.inner.caller.stop();
    }

    pub(crate) fn client(&self) -> &async_nats::Client {
        &self.inner.client
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.inner.tally
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.inner.caller
    }
}

fn greatest_payload(client: &async_nats::Client) -> ByteCount {
    GREATEST_MESSAGE.min(ByteCount(client.max_payload() as u64))
}

fn options(
    credentials: &Credentials<'_>,
    name: &str,
    tally: Arc<Tally>,
) -> Result<ConnectOptions, BrokerError> {
    let log_name = name.to_owned();
    Ok(credentials
        .options()?
        .name(name)
        .max_reconnects(None)
        .ping_interval(PING_INTERVAL)
        .subscription_capacity(SUBSCRIPTION_CAPACITY)
        .custom_inbox_prefix(subjects::inbox_prefix(&credentials.user))
        .event_callback(move |event| {
            let (name, tally) = (log_name.clone(), tally.clone());
            async move {
                count(&tally, &event);
                log(&name, &event);
            }
        }))
}

fn count(tally: &Tally, event: &Event) {
    match event {
        Event::Disconnected => tally.count(Happening::Disconnected),
        Event::SlowConsumer(_) => tally.count(Happening::MessagesDropped),
        _ => {}
    }
}

fn log(name: &str, event: &Event) {
    match event {
        Event::Connected => info!(connection = name, "connected to the broker"),
        Event::Disconnected => warn!(connection = name, "the broker is gone, reconnecting"),
        // The only sign that messages were dropped.
        Event::SlowConsumer(subscription) => {
            error!(connection = name, subscription, "a subscription was full, messages were dropped");
        }
        Event::ServerError(ServerError::Other(problem)) if problem.to_lowercase().contains("permissions") => {
            error!(connection = name, problem, "the broker refuses: docs/security.md says who may do what");
        }
        Event::ServerError(problem) => error!(connection = name, %problem, "the broker refuses"),
        Event::ClientError(problem) => warn!(connection = name, %problem, "connection trouble"),
        Event::LameDuckMode => warn!(connection = name, "the broker is leaving"),
        Event::Draining | Event::Closed => debug!(connection = name, %event, "connection state"),
    }
}

fn unreachable(settings: &BrokerSettings, reason: &str) -> BrokerError {
    BrokerError::Unreachable { url: settings.url.clone(), reason: reason.to_owned() }
}

fn check_version(settings: &BrokerSettings, version: &str) -> Result<(), BrokerError> {
    if is_recent_enough(version) {
        return Ok(());
    }
    Err(BrokerError::TooOld {
        url: settings.url.clone(),
        version: version.to_owned(),
        least: LEAST_VERSION_TEXT,
    })
}

fn check_payload(settings: &BrokerSettings, accepted: ByteCount) -> Result<(), BrokerError> {
    if accepted >= GREATEST_MESSAGE {
        return Ok(());
    }
    Err(BrokerError::SmallMessages { url: settings.url.clone(), accepted, least: GREATEST_MESSAGE })
}

/// Whether a version such as `2.15.1` or `2.12.6-RC.1` has the fixes that we rely on.
pub(crate) fn is_recent_enough(version: &str) -> bool {
    let mut numbers =
        version.trim_start_matches('v').split(['.', '-', '+']).map(|part| part.parse::<u64>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= LEAST_VERSION
}

/// Publishes with an outer timeout: without one a full command channel blocks without limit.
pub(crate) async fn publish(
    client: &async_nats::Client,
    subject: &str,
    reply: Option<&str>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), BrokerError> {
    let size = ByteCount(body.len() as u64);
    let greatest = greatest_payload(client);
    if size > greatest {
        return Err(BrokerError::TooLarge { size, greatest });
    }
    let subject = subject.to_owned();
    let publishing = async {
        match reply {
            Some(reply) => {
                client.publish_with_reply_and_headers(subject, reply.to_owned(), headers, body).await
            }
            None if headers.is_empty() => client.publish(subject, body).await,
            None => client.publish_with_headers(subject, headers, body).await,
        }
    };
    let published = timeout(PUBLISHING, publishing).await.map_err(|_| BrokerError::TimedOut("publishing"))?;
    published.map_err(|error| BrokerError::failed("publishing", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for old in ["2.9.10", "2.12.5", "1.99.99", "", "nonsense", "2.12"] {
            assert!(!is_recent_enough(old), "{old}");
        }
        for recent in ["2.12.6", "2.15.1", "v2.12.10", "2.12.6-RC.1", "3.0.0"] {
            assert!(is_recent_enough(recent), "{recent}");
        }
    }
}

//! Server-sent events: what this gateway hears of the site, written once and sent to everybody who watches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{Bus, Subscription, subjects};
use bytes::Bytes;
use futures::Stream;
use futures::stream::{self, StreamExt};
use schemas::{ServiceKind, UnixMillis};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

use crate::error::Error;
use crate::live::Live;
use crate::live::shapes::Requests;
use crate::pipeline::Pipeline;

/// How often requests are told: what follows within 0.2 s looks immediate.
const BATCHES: Duration = Duration::from_millis(200);
/// How often everything else is told.
const STATES: Duration = Duration::from_secs(1);
/// Events that a stream may be behind: five seconds of them. A slower reader loses the oldest, and is told how many.
const GREATEST_LAG: usize = 32;

/// What is told, to whom.
pub(crate) struct Events {
    live: Mutex<Live>,
    pipeline: Arc<Pipeline>,
    bus: Bus,
    events: Sender<Bytes>,
    places: Arc<Semaphore>,
    closing: CancellationToken,
}

/// The task that listens; it and every stream end with this.
pub(crate) struct Listening {
    task: JoinHandle<()>,
    _streams: DropGuard,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Events {
    /// Begins to listen; at most `streams` may watch at once.
    pub(crate) async fn start(
        bus: Bus,
        pipeline: Arc<Pipeline>,
        streams: u32,
    ) -> Result<(Arc<Self>, Listening), Error> {
        let at = |step| move |source| Error::Broker { step, source };
        let receipts = bus.subscribe(subjects::receipt_any()).await.map_err(at("listening to receipts"))?;
        let reports = bus.subscribe(subjects::metrics_of(ServiceKind::Scheduler)).await;
        let reports = reports.map_err(at("listening to schedulers"))?;
        let events = Arc::new(Self {
            live: Mutex::new(Live::new(UnixMillis::now())),
            pipeline,
            bus,
            events: broadcast::channel(GREATEST_LAG).0,
            places: Arc::new(Semaphore::new(streams as usize)),
            closing: CancellationToken::new(),
        });
        let task = tokio::spawn(listen(events.clone(), receipts, reports));
        let listening = Listening { task, _streams: events.closing.clone().drop_guard() };
        Ok((events, listening))
    }

    /// Everything that is known now, and from then on what happens; `None` when as many watch as may.
    pub(crate) fn open(&self) -> Option<impl Stream<Item = Bytes> + use<>> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        // Subscribed before the first events are written: a request may come twice, never not at all.
        let receiver = self.events.subscribe();
        let first = {
            let mut live = self.live();
            live.know(self.pipeline.fronts());
            let requests = live.remembered();
            [
                event("fronts", &live.fronts()),
                self.state(&mut live),
                event("requests", &Requests { left_out: 0, requests: &requests }),
            ]
        };
        let following = Following { receiver, closing: self.closing.clone(), _place: place };
        Some(stream::iter(first).chain(stream::unfold(following, Following::next)))
    }

    /// Ends every stream.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        // No code panics while it holds the lock: a poisoned one still guards consistent data.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self, live: &mut Live) -> Bytes {
        event("state", &live.state(&self.pipeline.presences(), self.bus.is_connected(), UnixMillis::now()))
    }

    fn tell_batch(&self) {
        let batch = self.live().take_batch();
        if let (Some((requests, left_out)), true) = (batch, self.is_watched()) {
            self.tell(event("requests", &Requests { left_out, requests: &requests }));
        }
    }

    fn tell_state(&self) {
        let changed = self.live().know(self.pipeline.fronts());
        if !self.is_watched() {
            return;
        }
        if changed {
            let fronts = self.live().fronts();
            self.tell(event("fronts", &fronts));
        }
        let state = self.state(&mut self.live());
        self.tell(state);
    }

    fn is_watched(&self) -> bool {
        self.events.receiver_count() > 0
    }

    fn tell(&self, event: Bytes) {
        // The last reader may have left in between.
        if self.events.send(event).is_err() {
            debug!("nobody watches any more");
        }
    }
}

async fn listen(events: Arc<Events>, mut receipts: Subscription, mut reports: Subscription) {
    let mut batches = interval(BATCHES);
    let mut states = interval(STATES);
    batches.set_missed_tick_behavior(MissedTickBehavior::Delay);
    states.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = receipts.next() => {
                let Some(message) = message else { break };
                match schemas::decode(&message.body) {
                    Ok(receipt) => events.live().hear(&receipt, UnixMillis::now()),
                    Err(error) => debug!(subject = %message.subject, %error, "a receipt that cannot be read"),
                }
            }
            message = reports.next() => {
                let Some(message) = message else { break };
                match schemas::decode(&message.body) {
                    Ok(report) => events.live().report(report),
                    Err(error) => debug!(subject = %message.subject, %error, "a report that cannot be read"),
                }
            }
            _ = batches.tick() => events.tell_batch(),
            _ = states.tick() => events.tell_state(),
        }
    }
    debug!("the connection to the broker was closed, so nothing more is told");
}

/// One stream, after its first events.
struct Following {
    receiver: Receiver<Bytes>,
    closing: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Following {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let received = tokio::select! {
            // Whoever closes is heard even while events come without a pause.
            biased;
            () = self.closing.cancelled() => return None,
            received = self.receiver.recv() => received,
        };
        match received {
            Ok(event) => Some((event, self)),
            Err(RecvError::Lagged(lost)) => Some((event("lost", &Lost { events: lost }), self)),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Event `lost`: this reader was too slow.
#[derive(Serialize)]
struct Lost {
    /// Events that it did not get.
    events: u64,
}

/// One event as it stands on the wire. JSON of this form has no line break.
fn event(name: &str, data: &impl Serialize) -> Bytes {
    match serde_json::to_string(data) {
        Ok(data) => format!("event: {name}\ndata: {data}\n\n").into(),
        Err(error) => {
            warn!(name, %error, "an event cannot be written");
            Bytes::from_static(b": an event could not be written\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::sync::{Semaphore, broadcast};
    use tokio_util::sync::CancellationToken;

    use super::Following;

    #[tokio::test]
    async fn a_reader_that_is_behind_loses_the_oldest_events_and_is_told_how_many() {
        let (events, receiver) = broadcast::channel(2);
        let (closing, places) = (CancellationToken::new(), Arc::new(Semaphore::new(1)));
        let _place = places.clone().try_acquire_owned().unwrap();
        let following = Following { receiver, closing: closing.clone(), _place };
        for number in 0..5_u8 {
            events.send(Bytes::from(vec![number])).unwrap();
        }
        let (told, following) = following.next().await.unwrap();
        assert_eq!(told, "event: lost\ndata: {\"events\":3}\n\n");
        let (fourth, following) = following.next().await.unwrap();
        let (fifth, following) = following.next().await.unwrap();
        assert_eq!((&fourth[..], &fifth[..]), (&[3_u8][..], &[4_u8][..]));
        closing.cancel();
        assert!(following.next().await.is_none());
        assert_eq!(places.available_permits(), 1, "the place was not given back");
    }
}

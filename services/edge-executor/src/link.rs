//! The emulated link to the cloud: the one of the settings, or another one for a while.
//!
//! Serves `splinter.v1.link.<node>`, so that experiments can let the link vary while requests run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use broker::{Request, Response};
use schemas::{ByteCount, Fault, FaultKind, LinkReply, LinkRequest, LinkState, Millis};

use crate::settings::{BANDWIDTH_MBIT, LinkSettings, RTT_MS};

/// The longest that another link is held without being asked for again.
const LONGEST_HOLD_MS: f64 = 60_000.0;

/// The link that is emulated now. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct EmulatedLink {
    settings: LinkState,
    other: Arc<Mutex<Option<Held>>>,
}

/// Another link than that of the settings, and until when.
#[derive(Debug, Clone, Copy)]
struct Held {
    link: LinkState,
    until: Instant,
}

impl EmulatedLink {
    pub(crate) fn new(settings: LinkSettings) -> Self {
        Self { settings: settings.into(), other: Arc::default() }
    }

    /// How long the link holds back a message of this size now, one way.
    pub(crate) fn one_way(&self, size: ByteCount) -> Duration {
        one_way(self.at(Instant::now()), size)
    }

    fn at(&self, now: Instant) -> LinkState {
        let held = self.lock().filter(|held| now < held.until);
        held.map_or(self.settings, |held| held.link)
    }

    fn set(&self, request: &LinkRequest, now: Instant) -> Result<LinkReply, Fault> {
        let Some(link) = request.link else {
            *self.lock() = None;
            return Ok(LinkReply { link: self.settings, held_ms: None });
        };
        let (bandwidth, rtt, hold) = (link.bandwidth_mbit.get(), link.rtt_ms.get(), request.hold_ms.get());
        check("bandwidth_mbit", bandwidth, BANDWIDTH_MBIT)?;
        check("rtt_ms", rtt, RTT_MS)?;
        check("hold_ms", hold, 1.0..=LONGEST_HOLD_MS)?;
        *self.lock() = Some(Held { link, until: now + request.hold_ms.to_duration() });
        Ok(LinkReply { link, held_ms: Some(request.hold_ms) })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        // One assignment: a panicking holder leaves it whole.
        self.other.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request for another link; `link` is `None` where the real one is used.
pub(crate) fn answer(link: Option<&EmulatedLink>, request: &Request) -> Result<Response, Fault> {
    let link = link.ok_or_else(|| {
        let message = "this edge executor uses its real link: set edge_executor.link to have one emulated";
        Fault::new(FaultKind::Unsupported, message)
    })?;
    let asked: LinkRequest = schemas::decode(&request.body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("not a link request: {error}")))?;
    Response::messagepack(&link.set(&asked, Instant::now())?)
}

fn one_way(link: LinkState, size: ByteCount) -> Duration {
    let bits = size.0 as f64 * 8.0;
    Millis::saturating(link.rtt_ms.get() / 2.0 + bits / (link.bandwidth_mbit.get() * 1e3)).to_duration()
}

fn check(name: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<(), Fault> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, greatest) = range.into_inner();
    let message = format!("{name} is {value}: use a value between {least} and {greatest}");
    Err(Fault::new(FaultKind::BadRequest, message))
}

#[cfg(test)]
mod tests {
    use schemas::Bandwidth;

    use super::*;

    fn state(bandwidth: f64, rtt: f64) -> LinkState {
        LinkState { bandwidth_mbit: Bandwidth::new(bandwidth).unwrap(), rtt_ms: Millis::new(rtt).unwrap() }
    }

    fn hold(link: LinkState, ms: f64) -> LinkRequest {
        LinkRequest { link: Some(link), hold_ms: Millis::new(ms).unwrap() }
    }

    #[test]
    fn a_link_holds_back_by_half_its_round_trip_and_its_bandwidth() {
        assert_eq!(one_way(state(8.0, 10.0), ByteCount(0)), Duration::from_millis(5));
        assert_eq!(one_way(state(8.0, 10.0), ByteCount(1_000_000)), Duration::from_millis(1_005));
    }

    #[test]
    fn another_link_lasts_as_long_as_asked_and_no_longer() {
        let link = EmulatedLink::new(LinkSettings { bandwidth_mbit: 100.0, rtt_ms: 2.0 });
        let (start, other) = (Instant::now(), state(1.0, 80.0));
        link.set(&hold(other, 1_000.0), start).unwrap();
        assert_eq!(link.at(start + Duration::from_millis(999)), other);
        assert_eq!(link.at(start + Duration::from_millis(1_000)), state(100.0, 2.0));
        link.set(&LinkRequest { link: None, hold_ms: Millis::ZERO }, start).unwrap();
        assert_eq!(link.at(start), state(100.0, 2.0));
    }

    #[test]
    fn links_that_cannot_be_are_refused_by_name() {
        let link = EmulatedLink::new(LinkSettings { bandwidth_mbit: 100.0, rtt_ms: 2.0 });
        for (request, name) in [
            (hold(state(0.0, 1.0), 1_000.0), "bandwidth_mbit"),
            (hold(state(1.0, 1e9), 1_000.0), "rtt_ms"),
            (hold(state(1.0, 1.0), 0.0), "hold_ms"),
            (hold(state(1.0, 1.0), 1e9), "hold_ms"),
        ] {
            let fault = link.set(&request, Instant::now()).unwrap_err();
            assert!(fault.kind == FaultKind::BadRequest && fault.message.contains(name), "{fault}");
        }
    }
}

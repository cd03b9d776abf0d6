//! What a millisecond of the edge's compute thread is worth to the requests behind it.
//!
//! A request with time to spare is served with the least energy by a long head on the edge, and those that come meanwhile wait for
//! it: cheap for one, late for all. So the edge's time has a price, and the price follows what queues do: each request
//! that waiting alone made late raises it, each other one lowers it, so that it settles where no more are late than the quantile
//! allows, wrong predictions included. (A Lagrange multiplier found online, as in drift-plus-penalty scheduling.) Where nothing
//! waits it is zero, and decisions are those of one request at a time.

use crate::learning::Observation;

/// By what share of its unit a late request raises the price: a handful of them moves heads off the edge.
const STEP: f64 = 0.4;

/// How fast the share of requests that are late for other reasons follows: it is a matter of hundreds of requests.
const FOLLOWING: f64 = 0.005;

/// The share of all that may be late which is left to waiting however many are late for other reasons.
const LEAST_LEFT: f64 = 0.2;

/// The price at most, in units: beyond it no configuration of any front is still worth a millisecond.
const GREATEST: f64 = 100.0;

/// The price of the edge's time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Crowding {
    /// Cost a millisecond at which the longest head of the front costs as much as the whole range of its joules.
    unit: f64,
    price: f64,
    /// The share of requests that are late although they were expected in time, and nothing waited.
    otherwise_late: f64,
}

impl Crowding {
    /// Nothing waits. `joules` is what the front's configurations differ by at most, `edge_ms` its longest head.
    pub(crate) fn new((joules, edge_ms): (f64, f64)) -> Self {
        let unit = if joules.is_finite() && edge_ms > 0.0 { joules.max(0.0) / edge_ms } else { 0.0 };
        Self { unit, price: 0.0, otherwise_late: 0.0 }
    }

    /// The same under another front: in units, what was learned stays.
    pub(crate) fn under(&self, other: Self) -> Self {
        let price = if self.unit > 0.0 { self.price / self.unit * other.unit } else { 0.0 };
        Self { price, otherwise_late: self.otherwise_late, ..other }
    }

    /// Cost a millisecond of computing on the edge.
    #[inline]
    pub(crate) fn price(&self) -> f64 {
        self.price
    }

    /// Follows one request. `quantile` is the share that is to be within the limit; `expected_ms` what it was to take without
    /// waiting, by that quantile.
    pub(crate) fn observe(&mut self, seen: &Observation, quantile: f64, expected_ms: f64) {
        let Some(limit) = seen.limit else { return };
        let (is_late, may_be_late) = (seen.latency > limit, 1.0 - quantile);
        let is_late_by_waiting = is_late && seen.latency - seen.edge_queue <= limit;
        let is_otherwise_late = is_late && !is_late_by_waiting && expected_ms <= limit.get();
        self.otherwise_late += (f64::from(u8::from(is_otherwise_late)) - self.otherwise_late) * FOLLOWING;
        let allowed = (may_be_late - self.otherwise_late).max(may_be_late * LEAST_LEFT);
        let change = if is_late_by_waiting { 1.0 - allowed } else { -allowed };
        self.price = (self.price + change * STEP * self.unit).clamp(0.0, GREATEST * self.unit);
    }
}

#[cfg(test)]
mod tests {
    use schemas::{ByteCount, Configuration, Millis};

    use super::*;

    fn seen(latency: f64, edge_queue: f64, limit: f64) -> Observation {
        let ms = Millis::saturating;
        Observation {
            at: Millis::ZERO,
            configuration: Configuration::at(schemas::Cut(0)),
            fallback: None,
            cloud: None,
            lost_cloud: None,
            sent_bytes: ByteCount(0),
            latency: ms(latency),
            limit: Some(ms(limit)),
            hardware_change: None,
            edge_queue: ms(edge_queue),
            edge: ms(latency - edge_queue),
            wire: Millis::ZERO,
            cloud_queue: Millis::ZERO,
            cloud_time: Millis::ZERO,
            edge_energy: None,
            cloud_energy: None,
        }
    }

    #[test]
    fn only_what_waiting_alone_made_late_raises_the_price() {
        let mut crowding = Crowding::new((10.0, 100.0));
        for not_to_blame in [seen(90.0, 50.0, 100.0), seen(150.0, 0.0, 100.0), seen(190.0, 50.0, 100.0)] {
            crowding.observe(&not_to_blame, 0.95, 80.0);
            assert_eq!(crowding.price(), 0.0, "{not_to_blame:?}");
        }
        crowding.observe(&seen(120.0, 50.0, 100.0), 0.95, 80.0);
        let risen = crowding.price();
        assert!(risen > 0.03 && risen < 0.04, "about four tenths of 0.1 a ms: {risen}");
        crowding.observe(&seen(90.0, 50.0, 100.0), 0.95, 80.0);
        assert!(crowding.price() < risen);
        assert!(
            (crowding.under(Crowding::new((20.0, 100.0))).price() - 2.0 * crowding.price()).abs() < 1e-12
        );
    }

    #[test]
    fn those_late_for_other_reasons_leave_less_to_waiting() {
        let mut crowding = Crowding::new((10.0, 100.0));
        let mut after = |others: usize| {
            crowding.price = 1.0;
            (0..others).for_each(|_| crowding.observe(&seen(150.0, 0.0, 100.0), 0.95, 80.0));
            let before = crowding.price;
            crowding.observe(&seen(90.0, 0.0, 100.0), 0.95, 80.0);
            before - crowding.price
        };
        let (none, some) = (after(0), after(5));
        assert!((none - 0.05 * 0.04).abs() < 1e-9, "{none}");
        assert!(some < 0.6 * none && some > 0.1 * none, "{some}");
    }

    #[test]
    fn it_stays_bounded_and_is_nothing_where_nothing_is_known() {
        let mut crowding = Crowding::new((10.0, 100.0));
        let mut unknown = Crowding::new((f64::NEG_INFINITY, 0.0));
        for _ in 0..1_000 {
            crowding.observe(&seen(120.0, 50.0, 100.0), 0.95, 80.0);
            unknown.observe(&seen(120.0, 50.0, 100.0), 0.95, 80.0);
        }
        assert_eq!(crowding.price(), 10.0);
        assert_eq!(unknown.price(), 0.0);
    }
}

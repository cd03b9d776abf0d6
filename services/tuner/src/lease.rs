//! Who holds which knob, until when. Pure code: `now` is the time since any fixed moment.

use std::collections::BTreeMap;
use std::time::Duration;

use schemas::{InstanceId, Knob, LeaseReport};

use crate::error::TunerError;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Lease {
    holder: InstanceId,
    until: Duration,
}

/// Every lease. There is at most one a knob.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leases {
    by_knob: BTreeMap<Knob, Lease>,
}

impl Leases {
    /// Whether the holder may set the knob now: nobody else holds it.
    pub fn check(&self, holder: &InstanceId, knob: Knob, now: Duration) -> Result<(), TunerError> {
        match self.by_knob.get(&knob) {
            Some(lease) if lease.holder != *holder && lease.until > now => Err(TunerError::Held {
                knob,
                holder: lease.holder.clone(),
                remaining: lease.until.saturating_sub(now),
            }),
            _ => Ok(()),
        }
    }

    /// Gives the knob to the holder, who has passed [`Leases::check`].
    pub fn grant(&mut self, holder: &InstanceId, knob: Knob, until: Duration) {
        self.by_knob.insert(knob, Lease { holder: holder.clone(), until });
    }

    /// Everything that the holder has runs until then.
    pub fn renew(&mut self, holder: &InstanceId, until: Duration, now: Duration) {
        for lease in self.by_knob.values_mut() {
            if lease.holder == *holder && lease.until > now {
                lease.until = until;
            }
        }
    }

    /// Everything that the holder has ends now.
    pub fn release(&mut self, holder: &InstanceId, now: Duration) {
        for lease in self.by_knob.values_mut().filter(|lease| lease.holder == *holder) {
            lease.until = lease.until.min(now);
        }
    }

    /// Everything ends now.
    pub fn release_all(&mut self, now: Duration) {
        for lease in self.by_knob.values_mut() {
            lease.until = lease.until.min(now);
        }
    }

    /// The knobs whose lease has ended and whose original state has yet to return.
    pub fn ended(&self, now: Duration) -> Vec<Knob> {
        let ended = self.by_knob.iter().filter(|(_, lease)| lease.until <= now);
        ended.map(|(knob, _)| *knob).collect()
    }

    /// The knob is as it was, and nobody's.
    pub fn forget(&mut self, knob: Knob) {
        self.by_knob.remove(&knob);
    }

    /// All of them, for people.
    pub fn report(&self, now: Duration) -> Vec<LeaseReport> {
        let report = |(knob, lease): (&Knob, &Lease)| LeaseReport {
            knob: *knob,
            holder: lease.holder.clone(),
            remaining_ms: lease.until.saturating_sub(now).into(),
        };
        self.by_knob.iter().map(report).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn holder(name: &str) -> InstanceId {
        InstanceId::new(name).unwrap()
    }

    #[test]
    fn a_knob_is_one_holders_until_its_lease_ends() {
        let (mine, other) = (holder("mine"), holder("other"));
        let mut leases = Leases::default();
        leases.check(&mine, Knob::CpuQuota, Duration::ZERO).unwrap();
        leases.grant(&mine, Knob::CpuQuota, 10 * SECOND);
        leases.check(&mine, Knob::CpuQuota, SECOND).unwrap();
        leases.check(&other, Knob::CpuFrequency, SECOND).unwrap();
        let held = leases.check(&other, Knob::CpuQuota, 4 * SECOND).unwrap_err();
        assert!(held.to_string().contains("mine") && held.to_string().contains("6"), "{held}");
        assert!(leases.ended(9 * SECOND).is_empty());
        assert_eq!(leases.ended(10 * SECOND), [Knob::CpuQuota]);
        leases.check(&other, Knob::CpuQuota, 10 * SECOND).unwrap();
    }

    #[test]
    fn only_the_holders_own_running_leases_are_renewed_and_released() {
        let (mine, other) = (holder("mine"), holder("other"));
        let mut leases = Leases::default();
        leases.grant(&mine, Knob::CpuQuota, SECOND);
        leases.grant(&mine, Knob::OnlineCores, 5 * SECOND);
        leases.grant(&other, Knob::CpuFrequency, 5 * SECOND);
        leases.renew(&mine, 20 * SECOND, 2 * SECOND);
        assert_eq!(leases.ended(6 * SECOND), [Knob::CpuFrequency, Knob::CpuQuota], "what ended stays ended");
        leases.release(&mine, 7 * SECOND);
        assert_eq!(leases.ended(7 * SECOND).len(), 3);
        leases.forget(Knob::CpuQuota);
        assert_eq!(leases.report(7 * SECOND).len(), 2);
        leases.release_all(Duration::ZERO);
        assert_eq!(leases.ended(Duration::ZERO).len(), 2);
    }
}

//! Shadow mode: a second policy is asked beside the one that decides, and changes nothing. Pure accounting of what it would
//! have done better or worse.
//!
//! Both choices are judged by the same forecast of what is true now: the stated latency of policy `dynasplit` is a mean that
//! was measured once, that of `adaptive` a quantile of now, and their difference would say nothing.

use schemas::{
    CameOut, Configuration, Joules, Millis, Outcome, PolicyName, Qos, Receipt, Regret, total_joules,
};

use crate::decision::{Decision, Refusal};
use crate::front::PreparedFront;
use crate::state::State;

/// What one policy would run, and what is to be expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prospect {
    /// The configuration.
    pub configuration: Configuration,
    /// Which of [`State::clouds`] runs the tail.
    pub cloud: Option<usize>,
    /// The latency, at the quantile that decisions compare.
    pub latency_ms: Millis,
    /// The joules, a change of the hardware included; `None` where they are not known.
    pub energy_j: Option<Joules>,
    /// The joules of changing the hardware.
    pub change_j: Joules,
}

impl Prospect {
    fn keeps(&self, limit: Millis) -> bool {
        self.latency_ms <= limit
    }
}

/// One request that two policies were asked for; `None` for one that refused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    limit: Millis,
    active: Option<Prospect>,
    shadow: Option<Prospect>,
}

impl Comparison {
    /// Asks the shadow for the request that was decided, under the same state: before the decision is committed. Does not
    /// allocate.
    pub fn new(
        shadow: PolicyName,
        decided: &Result<Decision, Refusal>,
        qos: &Qos,
        (front, state, now): (&PreparedFront, &State, Millis),
    ) -> Self {
        let prospect = |decision: &Decision| front.prospect(decision, state, now);
        let theirs = front.decide(shadow, qos, state, now);
        Self {
            limit: qos.latency_ms,
            active: decided.as_ref().ok().and_then(prospect),
            shadow: theirs.as_ref().ok().and_then(prospect),
        }
    }

    /// Counts it.
    pub fn count(&self, regret: &mut Regret) {
        regret.asked += 1;
        regret.refused += u64::from(self.active.is_none());
        regret.shadow_refused += u64::from(self.shadow.is_none());
        let (Some(active), Some(shadow)) = (self.active, self.shadow) else { return };
        let choice = |prospect: Prospect| (prospect.configuration, prospect.cloud);
        regret.agreed += u64::from(choice(active) == choice(shadow));
        regret.compared += 1;
        regret.within += u64::from(active.keeps(self.limit));
        regret.shadow_within += u64::from(shadow.keeps(self.limit));
        regret.latency_ms += active.latency_ms.get() - shadow.latency_ms.get();
        if let (Some(ours), Some(theirs)) = (active.energy_j, shadow.energy_j) {
            regret.energy_compared += 1;
            regret.energy_j += ours.get() - theirs.get();
        }
    }

    /// Counts what came out of it. A request that failed has no latency to compare: it is not within its limit, and nothing else.
    pub fn count_receipt(&self, receipt: &Receipt, came_out: &mut CameOut) {
        let (Some(_), Some(shadow)) = (self.active, self.shadow) else { return };
        came_out.receipts += 1;
        came_out.shadow_within += u64::from(shadow.keeps(self.limit));
        if matches!(receipt.outcome, Outcome::Failed(_)) {
            return;
        }
        came_out.within += u64::from(receipt.outcome == Outcome::Within);
        came_out.latency_ms += receipt.latency_ms.get() - shadow.latency_ms.get();
        if let (Some(real), Some(theirs)) = (total_joules(&receipt.energy), shadow.energy_j) {
            came_out.energy_receipts += 1;
            came_out.energy_j += real.get() - theirs.get();
        }
    }
}

impl PreparedFront {
    /// What is to be expected of a decision now, however it was made. `None` for a configuration that this front does not have.
    pub fn prospect(&self, decision: &Decision, state: &State, now: Millis) -> Option<Prospect> {
        let position = self.position(&decision.configuration)?;
        let forecast = state.forecast(self, position, decision.cloud, now);
        Some(Prospect {
            configuration: decision.configuration,
            cloud: decision.cloud,
            latency_ms: forecast.latency(),
            energy_j: forecast.energy(),
            change_j: Joules::saturating(forecast.change_j),
        })
    }
}

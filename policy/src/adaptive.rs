//! Policy `adaptive`, the default: decides by what is true now rather than by what was once measured.
//!
//! Of the configurations that floors and presences leave, with the front's two anchors and the ties, it takes the one of least
//! weighted energy whose *predicted quantile* of the latency is within the limit. The forecast is made stage by stage:
//! the head at the wanted clock, the bytes over the live link, the cloud's queue and tail; receipts correct each stage
//! and what is left of each configuration, and what they said is forgotten when nothing confirms it.
//!
//! - **Hardware.** Changing the clock costs its time and its energy, and counts more just after the last change, so
//!   that alternating requests share a setting instead of thrashing it.
//! - **Exploring.** Who sends nothing learns nothing of the link. When the last transfer is old, and the cloud would be
//!   worth it if all were as measured, a request with time to spare takes the cheapest configuration that uses the
//!   cloud *and is predicted to be within the limit*: exploring spends slack, never the limit.
//! - **Admission.** With a hard limit that nothing is likely to keep, a request is refused at once with what would be
//!   feasible. A soft one gets the fastest, labelled [`PlanReason::FastestBecauseNoneWithinLimit`].

use schemas::{LimitKind, Millis, PlanReason, Qos, Share};
use serde::Deserialize;

use crate::candidate::Candidate;
use crate::constraints::Constraints;
use crate::decision::{Cloud, Decision, Refusal};
use crate::forecast::{Forecast, Outlook};
use crate::front::PreparedFront;
use crate::state::State;

/// Just after a change, another one counts this many times its energy, falling to once over the holding time.
const HOLDING: f64 = 4.0;

/// A cloud executor is seen within a heartbeat of its start, and fronts say what it costs: worth asking again then.
const CLOUD_BACK_MS: f64 = 3_000.0;

/// How many times a joule counts, by place: more than once on a battery, by price or carbon elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceWeights {
    /// On the edge.
    pub edge: f64,
    /// On the wire.
    pub wire: f64,
    /// In the cloud.
    pub cloud: f64,
}

impl Default for PlaceWeights {
    fn default() -> Self {
        Self { edge: 1.0, wire: 1.0, cloud: 1.0 }
    }
}

/// How adaptive decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveSettings {
    /// The share of requests that are to be within their limit: decisions compare this quantile of the latency.
    pub quantile: Share,
    /// How long a setting of the hardware is held on to.
    pub hold_ms: Millis,
    /// How old the last transfer must be before a request is used to try the cloud again; `None` never does.
    pub explore_after_ms: Option<Millis>,
    /// After how long without confirmation what was learned counts half.
    pub forget_after_ms: Millis,
    /// What a change of the hardware takes until receipts say.
    pub hardware_change_ms: Millis,
    /// How joules count, by place.
    pub weights: PlaceWeights,
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            quantile: Share::saturating(0.95),
            hold_ms: Millis::saturating(1_000.0),
            explore_after_ms: Some(Millis::saturating(1_000.0)),
            forget_after_ms: Millis::saturating(30_000.0),
            hardware_change_ms: Millis::saturating(5.0),
            weights: PlaceWeights::default(),
        }
    }
}

impl AdaptiveSettings {
    pub(crate) fn forget_ms(&self) -> f64 {
        // Zero would divide zero by zero; a microsecond forgets as quickly as anybody could want.
        self.forget_after_ms.get().max(1e-3)
    }

    pub(crate) fn change_weight(&self, changed_at_ms: Option<f64>, now_ms: f64) -> f64 {
        let hold_ms = self.hold_ms.get();
        match changed_at_ms {
            Some(changed) if hold_ms > 0.0 => {
                1.0 + HOLDING * (1.0 - (now_ms - changed).max(0.0) / hold_ms).max(0.0)
            }
            _ => 1.0,
        }
    }
}

/// A candidate with its forecast.
#[derive(Clone, Copy)]
struct Choice<'a> {
    candidate: &'a Candidate,
    forecast: Forecast,
}

impl<'a> Choice<'a> {
    /// Of two within the limit: the lesser cost, of equals the faster, of equals the first.
    fn is_cheaper(&self, other: Option<&Choice<'a>>) -> bool {
        other.is_none_or(|other| {
            let key = |choice: &Self| (choice.forecast.cost, choice.forecast.quantile_ms);
            key(self) < key(other)
        })
    }
}

/// What one pass over the front finds.
#[derive(Default)]
struct Found<'a> {
    cheapest: Option<Choice<'a>>,
    /// The same if changing the hardware cost nothing.
    unheld: Option<(f64, &'a Candidate)>,
    fastest: Option<Choice<'a>>,
    /// The cheapest within the limit that uses the cloud.
    probe: Option<Choice<'a>>,
    /// The least cost within the limit if link and cloud were as measured.
    hoped_cost: Option<f64>,
}

pub(crate) fn decide(
    front: &PreparedFront,
    qos: &Qos,
    state: &State,
    now: Millis,
) -> Result<Decision, Refusal> {
    let constraints = Constraints::of(qos, state.cloud(), front.last_cut())?;
    let cloud = state.best_cloud(now);
    let outlook = Outlook::new(state, cloud, now.get());
    let explores = is_exploring_due(state, now);
    let found = look(front, &constraints, state, &outlook, qos.latency_ms.get(), explores);
    let Some(fastest) = found.fastest else { return Err(constraints.unmet(&front.candidates)) };
    let decided = |choice: Choice<'_>, reason| Decision {
        point: choice.candidate.point,
        configuration: choice.candidate.configuration,
        cloud: cloud.filter(|_| choice.candidate.parts.uses_cloud),
        latency_ms: choice.forecast.latency(),
        energy_j: choice.forecast.energy(),
        reason: if constraints.cloud == Cloud::Absent { PlanReason::CloudAbsent } else { reason },
    };
    let Some(cheapest) = found.cheapest else {
        return match qos.limit {
            LimitKind::Soft => Ok(decided(fastest, PlanReason::FastestBecauseNoneWithinLimit)),
            LimitKind::Hard => Err(infeasible(qos, state, &outlook, &fastest, now)),
        };
    };
    if let Some(probe) = found.probe.filter(|_| !cheapest.candidate.parts.uses_cloud)
        && found.hoped_cost.is_some_and(|hoped| hoped < cheapest.forecast.cost)
    {
        return Ok(decided(probe, PlanReason::Explored));
    }
    let weight = qos.energy_weight.unwrap_or(Share::saturating(1.0)).get();
    if weight < 1.0 {
        let compromise = compromise(front, &constraints, state, &outlook, qos, weight, &cheapest, &fastest);
        return Ok(decided(compromise, PlanReason::LeastEnergyWithinLimit));
    }
    let held = found.unheld.is_some_and(|(_, unheld)| unheld.point != cheapest.candidate.point);
    let reason = if held { PlanReason::HardwareHeld } else { PlanReason::LeastEnergyWithinLimit };
    Ok(decided(cheapest, reason))
}

/// One pass over the front.
fn look<'a>(
    front: &'a PreparedFront,
    constraints: &Constraints,
    state: &State,
    outlook: &Outlook,
    limit_ms: f64,
    explores: bool,
) -> Found<'a> {
    let mut found = Found::default();
    for (candidate, correction) in front.candidates.iter().zip(&state.corrections) {
        if !constraints.allow(candidate) {
            continue;
        }
        let choice = Choice { candidate, forecast: outlook.forecast(candidate, correction) };
        let forecast = &choice.forecast;
        if found.fastest.as_ref().is_none_or(|best| forecast.quantile_ms < best.forecast.quantile_ms) {
            found.fastest = Some(choice);
        }
        if explores && candidate.parts.uses_cloud {
            let (latency_ms, cost) = outlook.as_measured(candidate);
            if latency_ms <= limit_ms && found.hoped_cost.is_none_or(|hoped| cost < hoped) {
                found.hoped_cost = Some(cost);
            }
        }
        if forecast.quantile_ms > limit_ms {
            continue;
        }
        if choice.is_cheaper(found.cheapest.as_ref()) {
            found.cheapest = Some(choice);
        }
        let unheld_cost = forecast.cost - forecast.change_cost;
        if found.unheld.is_none_or(|(cost, _)| unheld_cost < cost) {
            found.unheld = Some((unheld_cost, candidate));
        }
        if candidate.parts.uses_cloud && choice.is_cheaper(found.probe.as_ref()) {
            found.probe = Some(choice);
        }
    }
    if !explores {
        found.probe = None;
    }
    found
}

/// Whether what is known of the cloud is so old that a request may be used to look.
fn is_exploring_due(state: &State, now: Millis) -> bool {
    let Some(after) = state.settings.explore_after_ms else { return false };
    let is_old = |at: Option<Millis>| at.is_none_or(|age| age >= after);
    let explored = state.explored_at_ms.map(|at| Millis::saturating(now.get() - at));
    // As long as nothing was ever sent, the front's own word is as good as any.
    state.link.age(now).is_some() && is_old(state.link.age(now)) && is_old(explored)
}

/// Weighs energy against time among those within the limit, each as a share of the best there is.
#[allow(clippy::too_many_arguments, reason = "a pass over what one decision already holds")]
fn compromise<'a>(
    front: &'a PreparedFront,
    constraints: &Constraints,
    state: &State,
    outlook: &Outlook,
    qos: &Qos,
    weight: f64,
    cheapest: &Choice<'a>,
    fastest: &Choice<'a>,
) -> Choice<'a> {
    let share = |value: f64, best: f64| if value == best { 1.0 } else { value / best.max(f64::MIN_POSITIVE) };
    let score = |forecast: &Forecast| {
        // A weight of zero leaves the energy out, also where it is not known: zero times infinity is no number.
        let energy = if weight > 0.0 { weight * share(forecast.cost, cheapest.forecast.cost) } else { 0.0 };
        energy + (1.0 - weight) * share(forecast.quantile_ms, fastest.forecast.quantile_ms)
    };
    let (mut best, mut least) = (*cheapest, score(&cheapest.forecast));
    for (candidate, correction) in front.candidates.iter().zip(&state.corrections) {
        if !constraints.allow(candidate) {
            continue;
        }
        let forecast = outlook.forecast(candidate, correction);
        if forecast.quantile_ms <= qos.latency_ms.get() && score(&forecast) < least {
            least = score(&forecast);
            best = Choice { candidate, forecast };
        }
    }
    best
}

fn infeasible(qos: &Qos, state: &State, outlook: &Outlook, fastest: &Choice<'_>, now: Millis) -> Refusal {
    let limit_ms = qos.latency_ms.get();
    let drained_ms = outlook.drained_in_ms();
    let suspended = state.clouds.iter().filter(|cloud| cloud.is_suspended(now));
    let well_again_ms = suspended.map(|cloud| cloud.suspended_until_ms - now.get()).reduce(f64::min);
    let retry_after_ms = if drained_ms > 0.0 && fastest.forecast.quantile_ms - drained_ms <= limit_ms {
        Some(drained_ms)
    } else if state.clouds.is_empty() {
        Some(CLOUD_BACK_MS)
    } else {
        well_again_ms
    };
    Refusal::Infeasible {
        limit: qos.latency_ms,
        latency: fastest.forecast.latency(),
        energy: fastest.forecast.energy(),
        retry_after: retry_after_ms.map(Millis::saturating),
    }
}

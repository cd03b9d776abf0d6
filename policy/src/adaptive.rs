//! Policy `adaptive`, the default: decides by what is true now rather than by what was once measured.
//!
//! Of the configurations that floors and presences leave, with the front's two anchors and the ties, it takes the one of least
//! weighted energy whose *predicted quantile* of the latency is within the limit. The forecast is made stage by stage:
//! the head at the wanted clock, the bytes over the live link, the cloud's queue and tail; receipts correct each stage
//! and what is left of each configuration, and what they said is forgotten when nothing confirms it.
//!
//! - **Hardware.** Changing the clock or the accelerator costs its time and its energy, and counts more just after the
//!   last change, so that alternating requests share a setting instead of thrashing it.
//! - **Exploring.** Who sends nothing learns nothing of the link. When the last transfer is old, and the cloud would be
//!   worth it if all were as measured, a request with time to spare takes the cheapest configuration that uses the
//!   cloud *and is predicted to be within the limit*: exploring spends slack, never the limit. Where link or cloud has
//!   become so bad that no request has such time to spare, one that is lost anyway is spent instead.
//! - **Admission.** With a hard limit that nothing is likely to keep, a request is refused at once with what would be
//!   feasible. A soft one gets the fastest, labelled [`PlanReason::FastestBecauseNoneWithinLimit`].

use schemas::{LimitKind, Millis, PlanReason, Qos, Share};
use serde::Deserialize;
use wide::f64x4;

use crate::block::{Corrections, LANES};
use crate::candidate::Candidate;
use crate::constraints::Constraints;
use crate::decision::{Cloud, Decision, Refusal};
use crate::forecast::{Forecast, Forecasts, Outlook};
use crate::front::PreparedFront;
use crate::state::State;

/// Just after a change, another one counts this many times its energy, falling to once over the holding time.
const HOLDING: f64 = 4.0;

/// Times `explore_after_ms` between requests that are spent on looking in vain, at most: an hour by default.
const MOST_SELDOM: f64 = 3_600.0;

/// A cloud executor is seen within a heartbeat of its start, and fronts say what it costs: worth asking again then.
const CLOUD_BACK_MS: f64 = 3_000.0;

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
    /// What a change of the clock, or of the accelerator, is taken to take where neither front nor receipts say.
    pub hardware_change_ms: Millis,
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            quantile: Share::saturating(0.95),
            hold_ms: Millis::saturating(1_000.0),
            explore_after_ms: Some(Millis::saturating(1_000.0)),
            forget_after_ms: Millis::saturating(30_000.0),
            hardware_change_ms: Millis::saturating(5.0),
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

/// One decision to make.
struct Question<'a> {
    front: &'a PreparedFront,
    constraints: Constraints,
    corrections: &'a Corrections,
    outlook: Outlook,
    limit_ms: f64,
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
    let limit_ms = qos.latency_ms.get();
    let question = Question { front, constraints, corrections: &state.corrections, outlook, limit_ms };
    let decided = |choice: Choice<'_>, reason| Decision {
        point: choice.candidate.point,
        configuration: choice.candidate.configuration,
        cloud: cloud.filter(|_| choice.candidate.parts.uses_cloud),
        latency_ms: choice.forecast.latency(),
        energy_j: choice.forecast.energy(),
        reason: if constraints.cloud == Cloud::Absent { PlanReason::CloudAbsent } else { reason },
    };
    let found = question.look();
    let Some(cheapest) = found.cheapest else {
        let Some(fastest) = question.choice(found.fastest) else {
            return Err(constraints.unmet(&front.candidates));
        };
        if qos.limit == LimitKind::Soft
            && !fastest.candidate.parts.uses_cloud
            // By the quantile nothing is in time; it is lost when not even the mean is.
            && fastest.forecast.mean_ms > limit_ms
            && is_hoping_due(state, now)
            && let Some(hope) = question.hope(fastest.forecast.mean_ms)
        {
            return Ok(decided(hope, PlanReason::Explored));
        }
        return match qos.limit {
            LimitKind::Soft => Ok(decided(fastest, PlanReason::FastestBecauseNoneWithinLimit)),
            LimitKind::Hard => Err(infeasible(qos, state, &outlook, &fastest, now)),
        };
    };
    if !cheapest.candidate.parts.uses_cloud
        && is_exploring_due(state, 1.0, now)
        && let Some(probe) = question.probe(cheapest.forecast.cost)
    {
        return Ok(decided(probe, PlanReason::Explored));
    }
    let weight = qos.energy_weight.unwrap_or(Share::saturating(1.0)).get();
    if weight < 1.0 {
        return Ok(decided(question.compromise(weight, &cheapest), PlanReason::LeastEnergyWithinLimit));
    }
    let held = found.least_unheld_cost < cheapest.forecast.unheld_cost;
    let reason = if held { PlanReason::HardwareHeld } else { PlanReason::LeastEnergyWithinLimit };
    Ok(decided(cheapest, reason))
}

/// What one pass over the front finds.
struct Found<'a> {
    /// The least cost within the limit.
    cheapest: Option<Choice<'a>>,
    /// The least cost within the limit if changing the hardware cost nothing.
    least_unheld_cost: f64,
    /// The fastest, where nothing is within the limit.
    fastest: Option<usize>,
}

impl<'a> Question<'a> {
    /// The blocks in order, each with the position of its first candidate, which of it may run, and its forecasts.
    #[inline(always)]
    fn blocks(&self) -> impl Iterator<Item = (usize, f64x4, Forecasts)> {
        let blocks = self.front.blocks.iter().zip(self.corrections.blocks()).enumerate();
        blocks.map(|(index, (block, said))| {
            (index * LANES, self.constraints.allowed(block), self.outlook.forecasts(block, said))
        })
    }

    /// One pass over the front.
    fn look(&self) -> Found<'a> {
        let limit = f64x4::splat(self.limit_ms);
        let infinite = f64x4::splat(f64::INFINITY);
        let (mut cheapest, mut unheld, mut fastest) = (Least::NONE, infinite, Least::NONE);
        for (first, allowed, forecasts) in self.blocks() {
            let within = allowed & forecasts.quantile_ms.simd_le(limit);
            cheapest.offer(first, within, forecasts.cost, forecasts.quantile_ms);
            unheld = unheld.fast_min(within.select(forecasts.unheld_cost, infinite));
            if cheapest.position.is_none() {
                fastest.offer(first, allowed, forecasts.quantile_ms, f64x4::ZERO);
            }
        }
        Found {
            cheapest: self.choice(cheapest.position),
            least_unheld_cost: unheld.to_array().into_iter().fold(f64::INFINITY, f64::min),
            fastest: fastest.position,
        }
    }

    /// The cheapest within the limit that uses the cloud, if the cloud would be worth more than `cost` were link and cloud as
    /// measured.
    fn probe(&self, cost: f64) -> Option<Choice<'a>> {
        let limit = f64x4::splat(self.limit_ms);
        let (mut probe, mut is_hoped_for) = (Least::NONE, false);
        for ((first, allowed, forecasts), block) in self.blocks().zip(&self.front.blocks) {
            let cloud = allowed & block.uses_cloud.simd_ne(f64x4::ZERO);
            let hoped = self.outlook.as_measured(block);
            let is_cheaper = hoped.cost.simd_lt(f64x4::splat(cost));
            is_hoped_for |= (cloud & hoped.quantile_ms.simd_le(limit) & is_cheaper).any();
            let within = cloud & forecasts.quantile_ms.simd_le(limit);
            probe.offer(first, within, forecasts.cost, forecasts.quantile_ms);
        }
        self.choice(probe.position).filter(|_| is_hoped_for)
    }

    /// The fastest that uses the cloud, if something in the cloud would be faster than `mean_ms` were link and cloud as
    /// measured: for a request that nothing is likely to answer in time anyway.
    fn hope(&self, mean_ms: f64) -> Option<Choice<'a>> {
        let mean = f64x4::splat(mean_ms);
        let (mut fastest, mut is_hoped_for) = (Least::NONE, false);
        for ((first, allowed, forecasts), block) in self.blocks().zip(&self.front.blocks) {
            let cloud = allowed & block.uses_cloud.simd_ne(f64x4::ZERO);
            is_hoped_for |= (cloud & self.outlook.as_measured(block).mean_ms.simd_lt(mean)).any();
            fastest.offer(first, cloud, forecasts.quantile_ms, forecasts.cost);
        }
        self.choice(fastest.position).filter(|_| is_hoped_for)
    }

    /// Weighs energy against time among those within the limit, each as a multiple of the best there is.
    fn compromise(&self, weight: f64, cheapest: &Choice<'a>) -> Choice<'a> {
        let fastest_ms =
            self.blocks().fold(f64x4::splat(f64::INFINITY), |fastest, (_, allowed, forecasts)| {
                fastest.fast_min(allowed.select(forecasts.quantile_ms, fastest))
            });
        let fastest_ms = fastest_ms.to_array().into_iter().fold(f64::INFINITY, f64::min);
        let least_cost = cheapest.forecast.cost;
        // Where nothing's energy is known, it is left out: infinity over infinity is no number.
        let weight = if least_cost.is_finite() { weight } else { 0.0 };
        let a_cost = weight / least_cost.max(f64::MIN_POSITIVE);
        let a_ms = (1.0 - weight) / fastest_ms.max(f64::MIN_POSITIVE);
        let limit = f64x4::splat(self.limit_ms);
        let mut best = Least::NONE;
        for (first, allowed, forecasts) in self.blocks() {
            let within = allowed & forecasts.quantile_ms.simd_le(limit);
            let of_time = forecasts.quantile_ms * a_ms;
            // So is it with a weight of zero: zero times infinity is no number either.
            let score = if weight > 0.0 { forecasts.cost * a_cost + of_time } else { of_time };
            best.offer(first, within, score, forecasts.cost);
        }
        self.choice(best.position).unwrap_or(*cheapest)
    }

    fn choice(&self, position: Option<usize>) -> Option<Choice<'a>> {
        let position = position?;
        let said = self.corrections.around(position);
        let forecast = self.outlook.forecast(self.front, position, said);
        Some(Choice { candidate: &self.front.candidates[position], forecast })
    }
}

/// The least of what was offered: by a value, of equals by a second one, of equals the first.
struct Least {
    position: Option<usize>,
    value: f64,
    second: f64,
}

impl Least {
    const NONE: Self = Self { position: None, value: f64::INFINITY, second: f64::INFINITY };

    /// Offers those of four that the mask names. Candidates come with ascending energy, so a better one is rare: one
    /// comparison of all four passes the others by.
    #[inline]
    fn offer(&mut self, first: usize, mask: f64x4, values: f64x4, seconds: f64x4) {
        let better = (mask & values.simd_le(f64x4::splat(self.value))).to_bitmask();
        if better != 0 {
            self.take(first, better, values.to_array(), seconds.to_array());
        }
    }

    #[inline(never)]
    fn take(&mut self, first: usize, better: u32, values: [f64; LANES], seconds: [f64; LANES]) {
        for (lane, (value, second)) in values.into_iter().zip(seconds).enumerate() {
            let is_better = self.position.is_none() || (value, second) < (self.value, self.second);
            if better & (1 << lane) != 0 && is_better {
                *self = Self { position: Some(first + lane), value, second };
            }
        }
    }
}

/// Whether a request that is lost anyway may be used to look at the cloud: the longer it was looked at in vain, the more
/// seldom, so that a link that recovers is noticed within about the time that it was bad. Joules are lost with such a request.
fn is_hoping_due(state: &State, now: Millis) -> bool {
    let times = match state.explored_in_a_row {
        // What may be the first sign of a recovery is followed up at once.
        _ if state.link.may_be_better() => 0.0,
        in_a_row => f64::from(in_a_row.min(31)).exp2().min(MOST_SELDOM),
    };
    is_exploring_due(state, times, now)
}

/// Whether what is known of the cloud is so old, in times `explore_after_ms`, that a request may be used to look.
fn is_exploring_due(state: &State, times: f64, now: Millis) -> bool {
    let Some(after) = state.settings.explore_after_ms.map(|after| after * times) else { return false };
    let is_old = |at: Option<Millis>| at.is_none_or(|age| age >= after);
    let explored = state.explored_at_ms.map(|at| Millis::saturating(now.get() - at));
    // As long as nothing was ever sent, the front's own word is as good as any.
    state.link.age(now).is_some() && is_old(state.link.age(now)) && is_old(explored)
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

//! What is known now of one edge machine and the cloud executors it may use, under one front.

use std::cmp::Ordering;

use schemas::{
    Configuration, Cut, EnergyPrices, Fallback, HardwareChanges, InstanceId, Joules, KiloHertz, Millis,
    NodeId, PlacePrices, PlanReason, Presence, ServedModel, ServiceKind, ServiceState,
};

use crate::adaptive::AdaptiveSettings;
use crate::block::{Correction, Corrections};
use crate::crowding::Crowding;
use crate::decision::{Cloud, Decision};
use crate::forecast::{Forecast, Outlook};
use crate::front::PreparedFront;
use crate::hardware::Hardware;
use crate::learning::{Extra, Factor, Observation, Queue, Spread};
use crate::link::{Link, NOISE_MS};
use crate::site;

/// A cloud executor that loses a request is left alone for so long, twice as long the next time, and so on.
const FIRST_SUSPENSION_MS: f64 = 1_000.0;
const GREATEST_SUSPENSION_MS: f64 = 30_000.0;

/// One cloud executor.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudExecutor {
    /// Which one.
    pub instance: InstanceId,
    /// Requests it would take now, as it last said.
    pub credits: u32,
    /// Whether it runs on the machine that the front was measured with.
    pub of_front: bool,
    pub(crate) pace: Factor,
    pub(crate) queue: Queue,
    /// When it will have done what it was given here.
    pub(crate) free_at_ms: f64,
    pub(crate) suspended_until_ms: f64,
    pub(crate) lost_in_a_row: u32,
}

impl CloudExecutor {
    /// One that nothing is known of but this.
    pub fn new(instance: InstanceId, credits: u32, of_front: bool) -> Self {
        Self {
            instance,
            credits,
            of_front,
            pace: Factor::ONE,
            queue: Queue::default(),
            free_at_ms: 0.0,
            suspended_until_ms: 0.0,
            lost_in_a_row: 0,
        }
    }

    /// Whether it lost a request and is left alone for now.
    pub fn is_suspended(&self, now: Millis) -> bool {
        now.get() < self.suspended_until_ms
    }

    pub(crate) fn wait_ms(&self, now_ms: f64) -> f64 {
        (self.free_at_ms - now_ms).max(self.queue.wait_ms(now_ms))
    }

    /// Those on the front's machine first, then by credits, then by name.
    fn in_order(&self, other: &Self) -> Ordering {
        let by_place = other.of_front.cmp(&self.of_front);
        by_place.then(other.credits.cmp(&self.credits)).then_with(|| self.instance.cmp(&other.instance))
    }

    fn lose(&mut self, now_ms: f64) {
        let twice = 2_f64.powi(i32::try_from(self.lost_in_a_row.min(10)).unwrap_or(10));
        self.lost_in_a_row = self.lost_in_a_row.saturating_add(1);
        self.suspended_until_ms = now_ms + (FIRST_SUSPENSION_MS * twice).min(GREATEST_SUSPENSION_MS);
    }
}

/// What is in sight of whoever decides.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Who is there.
    pub presences: &'a [Presence],
    /// The edge machine.
    pub edge: &'a NodeId,
    /// The network, as it serves it.
    pub served: &'a ServedModel,
    /// What joules cost.
    pub prices: &'a EnergyPrices,
}

/// What is known now: presences, queues, the link, how the hardware is set, and what receipts corrected.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(crate) settings: AdaptiveSettings,
    pub(crate) clouds: Vec<CloudExecutor>,
    pub(crate) link: Link,
    /// The mean time of the front's tails.
    mean_tail_ms: f64,
    pub(crate) hardware: Hardware,
    pub(crate) edge_pace: Factor,
    pub(crate) edge_free_at_ms: f64,
    pub(crate) crowding: Crowding,
    pub(crate) edge_energy: Factor,
    pub(crate) cloud_energy: Factor,
    pub(crate) overhead: Extra,
    pub(crate) spread: Spread,
    /// By the front's candidates.
    pub(crate) corrections: Corrections,
    pub(crate) prices: PlacePrices,
    pub(crate) explored_at_ms: Option<f64>,
    /// How often the cloud was looked at since link and cloud were last as fast as measured.
    pub(crate) explored_in_a_row: u32,
}

impl State {
    /// Nothing is known but the front: no cloud executor, the hardware at an unknown clock, everything as measured.
    pub fn new(front: &PreparedFront, settings: AdaptiveSettings) -> Self {
        Self {
            clouds: Vec::new(),
            link: Link::new(front.link),
            crowding: Crowding::new(front.ranges()),
            mean_tail_ms: front.mean_tail_ms(),
            hardware: Hardware::new(front.hardware_changes, settings.hardware_change_ms),
            edge_pace: Factor::ONE,
            edge_free_at_ms: 0.0,
            edge_energy: Factor::ONE,
            cloud_energy: Factor::ONE,
            overhead: Extra::default(),
            spread: Spread::new(settings.quantile.get()),
            corrections: Corrections::none(front.candidates.len()),
            prices: PlacePrices::default(),
            explored_at_ms: None,
            explored_in_a_row: 0,
            settings,
        }
    }

    /// The same machines under another front: what was learned of link, executors and hardware stays, what was learned
    /// of configurations does not.
    pub fn under(&self, front: &PreparedFront) -> Self {
        let fresh = Self::new(front, self.settings);
        let mut hardware = self.hardware.clone();
        hardware.expect(front.hardware_changes, self.settings.hardware_change_ms);
        Self {
            link: self.link.under(front.link),
            crowding: self.crowding.under(Crowding::new(front.ranges())),
            clouds: self.clouds.clone(),
            hardware,
            overhead: self.overhead,
            edge_free_at_ms: self.edge_free_at_ms,
            spread: self.spread,
            prices: self.prices,
            ..fresh
        }
    }

    /// The cloud executors, those on the front's machine first, then by credits, then by name.
    pub fn clouds(&self) -> &[CloudExecutor] {
        &self.clouds
    }

    /// Whether any cloud executor is there.
    pub fn cloud(&self) -> Cloud {
        if self.clouds.is_empty() { Cloud::Absent } else { Cloud::Present }
    }

    /// The estimate of the link.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The clock that the edge's processor is set to; `None` when it is not known.
    pub fn clock(&self) -> Option<KiloHertz> {
        self.hardware.clock
    }

    /// How adaptive decisions are made.
    pub fn settings(&self) -> &AdaptiveSettings {
        &self.settings
    }

    /// Decides adaptively in another way from now on; what was learned stays.
    pub fn set_settings(&mut self, settings: AdaptiveSettings) {
        self.settings = settings;
    }

    /// Takes note of which cloud executors are there; what was learned of those that stay, stays.
    pub fn set_clouds(&mut self, present: impl IntoIterator<Item = CloudExecutor>) {
        let mut known = std::mem::take(&mut self.clouds);
        self.clouds = present
            .into_iter()
            .map(|new| match known.iter().position(|known| known.instance == new.instance) {
                Some(position) => {
                    let CloudExecutor { instance, credits, of_front, .. } = new;
                    CloudExecutor { instance, credits, of_front, ..known.swap_remove(position) }
                }
                None => new,
            })
            .collect();
        self.clouds.sort_by(CloudExecutor::in_order);
    }

    /// Takes note of what the cloud executors would take now, each in the order of [`Self::clouds`], and says whether that order is
    /// another one now. For whoever hears often of the same executors: in place, without allocating.
    pub fn set_credits(&mut self, credits: impl IntoIterator<Item = u32>) -> bool {
        let mut has_news = false;
        for (cloud, credits) in self.clouds.iter_mut().zip(credits) {
            has_news |= cloud.credits != credits;
            cloud.credits = credits;
        }
        let is_disturbed = has_news && !self.clouds.is_sorted_by(|a, b| a.in_order(b).is_le());
        if is_disturbed {
            self.clouds.sort_unstable_by(CloudExecutor::in_order);
        }
        is_disturbed
    }

    /// Takes note of how the edge machine is set, as its tuner reports it; `None` when there is no tuner that can set
    /// it.
    pub fn set_hardware(&mut self, clock: Option<KiloHertz>, now: Millis) {
        match clock {
            Some(_) => self.hardware.clock = clock,
            None => self.hardware.leave_as_it_is(now.get()),
        }
    }

    /// Takes note of what changing the hardware takes, as somebody measured it; what is unknown stays as it was.
    pub fn set_hardware_changes(&mut self, measured: HardwareChanges) {
        self.hardware.expect(measured, self.settings.hardware_change_ms);
    }

    /// What joules cost from now on, by place; until then each counts once.
    pub fn set_prices(&mut self, prices: PlacePrices) {
        self.prices = prices;
    }

    /// Takes note of everything that presences say of the edge machine, its battery included, and of cloud executors
    /// for its network.
    pub fn see(&mut self, world: &Sight<'_>, front: &PreparedFront, now: Millis) {
        let Sight { presences, edge, served, prices } = *world;
        let executor = |presence: &Presence| {
            CloudExecutor::new(presence.instance.clone(), presence.credits, presence.node == *front.cloud())
        };
        self.set_clouds(site::clouds(presences, served).map(executor));
        let tuner = presences.iter().find(|presence| {
            presence.service == ServiceKind::Tuner
                && presence.state == ServiceState::Ready
                && presence.node == *edge
        });
        let report = tuner.and_then(|tuner| tuner.hardware.as_ref());
        match report.filter(|report| !report.frequencies_khz.is_empty()) {
            // While a governor moves the clock it is not known, and can be set all the same.
            Some(report) if report.frequency_khz.is_none() => {}
            settable => self.set_hardware(settable.and_then(|report| report.frequency_khz), now),
        }
        self.set_prices(prices.at(report.and_then(|report| report.battery.as_ref())));
    }

    /// The cloud executor for the next tail: none that lost a request just now where there is another, on the
    /// front's machine, soonest done, with the most credits, the first name.
    pub fn best_cloud(&self, now: Millis) -> Option<usize> {
        let now_ms = now.get();
        let rank = |cloud: &CloudExecutor| {
            let tail_ms = self.mean_tail_ms * cloud.pace.at(now_ms, self.settings.forget_ms());
            let done_ms = cloud.wait_ms(now_ms) + tail_ms;
            (now_ms < cloud.suspended_until_ms, !cloud.of_front, cloud.credits == 0, done_ms)
        };
        let mut best: Option<(usize, (bool, bool, bool, f64))> = None;
        for (position, cloud) in self.clouds.iter().enumerate() {
            let rank = rank(cloud);
            if best.is_none_or(|(_, best)| rank < best) {
                best = Some((position, rank));
            }
        }
        best.map(|(position, _)| position)
    }

    /// The future of a candidate, with its tail on this one of the cloud executors.
    pub(crate) fn forecast(
        &self,
        front: &PreparedFront,
        position: usize,
        cloud: Option<usize>,
        now: Millis,
    ) -> Forecast {
        let outlook = Outlook::new(self, cloud, now.get());
        outlook.forecast(front, position, self.corrections.around(position))
    }

    /// Takes note of a decision that is carried out: the work that it gives the executors, the clock that it sets.
    pub fn commit(&mut self, front: &PreparedFront, decision: &Decision, now: Millis) {
        let now_ms = now.get();
        let Some(position) = front.position(&decision.configuration) else { return };
        let forecast = self.forecast(front, position, decision.cloud, now);
        let starts = self.edge_free_at_ms.max(now_ms) + forecast.change_ms();
        self.edge_free_at_ms = starts + forecast.edge_ms;
        if let Some(cloud) = decision.cloud.and_then(|cloud| self.clouds.get_mut(cloud)) {
            let arrives = self.edge_free_at_ms + forecast.uplink_ms;
            cloud.free_at_ms = cloud.free_at_ms.max(arrives) + forecast.cloud_ms;
        }
        let Configuration { edge_frequency_khz, edge_accelerator, cut, .. } = decision.configuration;
        if forecast.clock_change_ms.is_some() {
            self.hardware.clock = edge_frequency_khz;
        }
        if cut > Cut::ALL_CLOUD {
            self.hardware.accelerator = Some(edge_accelerator);
        }
        if forecast.clock_change_ms.is_some() || forecast.accelerator_change_ms.is_some() {
            self.hardware.changed_at_ms = Some(now_ms);
        }
        if decision.reason == PlanReason::Explored {
            self.explored_at_ms = Some(now_ms);
            self.explored_in_a_row = self.explored_in_a_row.saturating_add(1);
        }
    }

    /// Follows what a finished request says.
    pub fn observe(&mut self, front: &PreparedFront, seen: &Observation) {
        let now_ms = seen.at.get();
        if let Some(lost) = seen.lost_cloud.and_then(|lost| self.clouds.get_mut(lost)) {
            lost.lose(now_ms);
        }
        self.hardware.follow(seen, now_ms, self.settings.forget_ms());
        if seen.fallback == Some(Fallback::FinishedAtHome) {
            return;
        }
        let Some(position) = front.position(&seen.configuration) else { return };
        let parts = front.candidates[position].parts;
        let waited =
            (seen.edge_queue + seen.cloud_queue).get() + seen.hardware_change.unwrap_or(Millis::ZERO).get();
        let own_ms = (seen.latency.get() - waited).max(0.0);
        let before = Outlook::without_waiting(self, seen.cloud, now_ms).forecast(
            front,
            position,
            self.corrections.around(position),
        );
        self.crowding.observe(seen, self.settings.quantile.get(), before.quantile_ms);
        self.spread.follow_coverage(own_ms, before.quantile_ms, self.settings.quantile.get());
        let was_surprised = self.is_surprised(seen.cloud);

        let computed = (seen.edge + seen.wire + seen.cloud_time).get();
        self.overhead.observe(own_ms - computed - parts.other_ms);
        self.edge_pace.observe(seen.edge.get(), parts.edge_ms, now_ms);
        if let Some(cloud) = seen.cloud.and_then(|cloud| self.clouds.get_mut(cloud)) {
            (cloud.lost_in_a_row, cloud.suspended_until_ms) = (0, 0.0);
            cloud.queue.observe(seen.cloud_queue.get(), now_ms);
            cloud.pace.observe(seen.cloud_time.get(), parts.cloud_ms, now_ms);
            self.link.observe(seen.sent_bytes, seen.wire, seen.at);
            let in_cloud_ms = (seen.cloud_queue + seen.cloud_time).get();
            let is_cloud_as_measured = in_cloud_ms <= 2.0 * parts.cloud_ms + NOISE_MS;
            if is_cloud_as_measured && self.link.is_as_measured(seen.sent_bytes, seen.wire) {
                self.explored_in_a_row = 0;
            }
        }
        // What may be a hiccup, or the beginning of a change of link or processor, is neither the configuration's nor a
        // measure of how good predictions are.
        if !was_surprised && !self.is_surprised(seen.cloud) {
            self.spread.follow_error(own_ms, before.mean_ms);
            self.follow_configuration(front, seen, position, own_ms);
        }
    }

    fn is_surprised(&self, cloud: Option<usize>) -> bool {
        let cloud = cloud.and_then(|cloud| self.clouds.get(cloud));
        self.link.is_surprised()
            || self.edge_pace.is_surprised()
            || cloud.is_some_and(|cloud| cloud.pace.is_surprised())
    }

    /// What the stages together do not explain is the configuration's own, and so are its joules.
    fn follow_configuration(
        &mut self,
        front: &PreparedFront,
        seen: &Observation,
        position: usize,
        own_ms: f64,
    ) {
        let now_ms = seen.at.get();
        let explained =
            Outlook::without_waiting(self, seen.cloud, now_ms).forecast(front, position, &Correction::NONE);
        self.corrections.observe(position, own_ms, explained.mean_ms, now_ms);
        if front.candidates[position].energy_j.is_some() {
            let forecast = Outlook::without_waiting(self, seen.cloud, now_ms).with_plain_energy().forecast(
                front,
                position,
                self.corrections.around(position),
            );
            let joules = |energy: Option<Joules>| energy.map_or(0.0, Joules::get);
            self.edge_energy.observe(joules(seen.edge_energy), forecast.edge_j, now_ms);
            self.cloud_energy.observe(joules(seen.cloud_energy), forecast.cloud_j, now_ms);
        }
    }
}

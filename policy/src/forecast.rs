//! What a configuration would take and cost now, stage by stage.
//!
//! ```text
//! mean     = (head × edge pace × clock + wire + tail × cloud pace + rest) × correction + overhead + change + waiting
//! wire     = as measured + (base − the front's base) + bytes × (slope − the front's slope)
//! quantile = mean + deviations × √(max(measured spread², (relative error × mean)²) + uncertainty of the link)
//! joules   = edge power × (computing + waiting for the cloud) + wire + tail's joules × cloud pace
//! cost     = joules × what they cost at their place + energy of a change of the hardware × holding
//!            + computing on the edge × what it costs those that wait (`crowding`)
//! ```

use schemas::{Joules, Millis, PlacePrices};
use wide::f64x4;

use crate::block::{self, Block, Correction, LANES};
use crate::front::PreparedFront;
use crate::learning::Spread;
use crate::link::LinkDelta;
use crate::state::State;

/// Everything that is the same for all configurations of one decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outlook {
    now_ms: f64,
    forget_ms: f64,
    edge_pace: f64,
    edge_wait_ms: f64,
    /// What computing on the edge costs those that wait, by the millisecond.
    crowding: f64,
    cloud_pace: f64,
    /// From now until the cloud executor is free.
    cloud_free_in_ms: f64,
    cloud_queue_ms: f64,
    link: LinkDelta,
    /// The way back, and of the way there what is not bytes.
    half_base_ms: f64,
    overhead_ms: f64,
    spread: Spread,
    hardware: Setup,
    edge_energy: f64,
    cloud_energy: f64,
    prices: Prices,
}

/// What a joule costs at each place.
#[derive(Debug, Clone, Copy)]
struct Prices {
    edge: f64,
    wire: f64,
    cloud: f64,
}

impl Prices {
    fn of(prices: &PlacePrices) -> Self {
        Self { edge: prices.edge.get(), wire: prices.wire.get(), cloud: prices.cloud.get() }
    }
}

/// How the edge is set, and what setting it otherwise takes.
#[derive(Debug, Clone, Copy)]
struct Setup {
    /// In kHz; zero where it is not known.
    clock: f64,
    /// As [`block::accelerator_number`] has it; zero where it is not known.
    accelerator: f64,
    /// Whether the clock can be set now.
    can_set: bool,
    clock_change_ms: f64,
    accelerator_change_ms: f64,
    /// How many times the energy of a change counts: more just after the last one.
    change_weight: f64,
}

/// The futures of four configurations, side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecasts {
    mean_ms: f64x4,
    pub quantile_ms: f64x4,
    edge_ms: f64x4,
    uplink_ms: f64x4,
    cloud_ms: f64x4,
    clock_change_ms: f64x4,
    accelerator_change_ms: f64x4,
    edge_j: f64x4,
    cloud_j: f64x4,
    change_j: f64x4,
    /// All places, the change of the hardware included; infinite where it is not known.
    energy_j: f64x4,
    /// What a decision compares: the weighted energy; infinite where it is not known.
    pub cost: f64x4,
    /// The same if changing the hardware cost nothing.
    pub unheld_cost: f64x4,
}

/// One configuration's future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecast {
    pub mean_ms: f64,
    pub quantile_ms: f64,
    pub edge_ms: f64,
    /// The way there.
    pub uplink_ms: f64,
    pub cloud_ms: f64,
    /// What setting the clock takes; `None` when it stays.
    pub clock_change_ms: Option<f64>,
    /// What changing the accelerator takes; `None` when it stays.
    pub accelerator_change_ms: Option<f64>,
    pub edge_j: f64,
    pub cloud_j: f64,
    /// Of changing the hardware.
    pub change_j: f64,
    /// All places, the change of the hardware included; `None` where it is not known.
    pub energy_j: Option<f64>,
    /// What a decision compares: the weighted energy; infinite where it is not known.
    pub cost: f64,
    /// The same if changing the hardware cost nothing.
    pub unheld_cost: f64,
}

impl Forecasts {
    /// One of the four.
    pub(crate) fn lane(&self, lane: usize) -> Forecast {
        let of = |lanes: f64x4| lanes.to_array()[lane];
        // A change that takes no time is told from none by its sign.
        let change = |lanes: f64x4| Some(of(lanes)).filter(|time| *time >= 0.0);
        Forecast {
            mean_ms: of(self.mean_ms),
            quantile_ms: of(self.quantile_ms),
            edge_ms: of(self.edge_ms),
            uplink_ms: of(self.uplink_ms),
            cloud_ms: of(self.cloud_ms),
            clock_change_ms: change(self.clock_change_ms),
            accelerator_change_ms: change(self.accelerator_change_ms),
            edge_j: of(self.edge_j),
            cloud_j: of(self.cloud_j),
            change_j: of(self.change_j),
            energy_j: Some(of(self.energy_j)).filter(|energy| energy.is_finite()),
            cost: of(self.cost),
            unheld_cost: of(self.unheld_cost),
        }
    }
}

impl Forecast {
    pub(crate) fn latency(&self) -> Millis {
        Millis::saturating(self.quantile_ms)
    }

    pub(crate) fn energy(&self) -> Option<Joules> {
        self.energy_j.map(Joules::saturating)
    }

    /// What changing the hardware takes.
    pub(crate) fn change_ms(&self) -> f64 {
        self.clock_change_ms.unwrap_or(0.0) + self.accelerator_change_ms.unwrap_or(0.0)
    }
}

impl Outlook {
    /// As things are now, with the tail on this one of the cloud executors.
    pub(crate) fn new(state: &State, cloud: Option<usize>, now_ms: f64) -> Self {
        let cloud = cloud.and_then(|cloud| state.clouds.get(cloud));
        Self {
            edge_wait_ms: (state.edge_free_at_ms - now_ms).max(0.0),
            cloud_free_in_ms: cloud.map_or(0.0, |cloud| (cloud.free_at_ms - now_ms).max(0.0)),
            cloud_queue_ms: cloud.map_or(0.0, |cloud| cloud.queue.wait_ms(now_ms)),
            ..Self::idle(
                state,
                cloud.map_or(1.0, |cloud| cloud.pace.at(now_ms, state.settings.forget_ms())),
                now_ms,
            )
        }
    }

    /// As it is for a request that nobody is before, and that finds the hardware as it wants it: what receipts are
    /// compared with.
    pub(crate) fn without_waiting(state: &State, cloud: Option<usize>, now_ms: f64) -> Self {
        let cloud = cloud.and_then(|cloud| state.clouds.get(cloud));
        let pace = cloud.map_or(1.0, |cloud| cloud.pace.at(now_ms, state.settings.forget_ms()));
        let idle = Self::idle(state, pace, now_ms);
        let hardware = Setup { clock: 0.0, accelerator: 0.0, can_set: false, ..idle.hardware };
        Self { hardware, ..idle }
    }

    fn idle(state: &State, cloud_pace: f64, now_ms: f64) -> Self {
        let forget_ms = state.settings.forget_ms();
        let hardware = &state.hardware;
        Self {
            now_ms,
            forget_ms,
            edge_pace: state.edge_pace.at(now_ms, forget_ms),
            edge_wait_ms: 0.0,
            crowding: state.crowding.price(),
            cloud_pace,
            cloud_free_in_ms: 0.0,
            cloud_queue_ms: 0.0,
            half_base_ms: state.link.base().get() / 2.0,
            link: state.link.delta(now_ms, forget_ms),
            overhead_ms: state.overhead.ms,
            spread: state.spread,
            hardware: Setup {
                clock: hardware.clock.map_or(0.0, |clock| clock.0 as f64),
                accelerator: hardware.accelerator.map_or(0.0, block::accelerator_number),
                can_set: now_ms >= hardware.unsettable_until_ms,
                clock_change_ms: hardware.clock_change.ms(now_ms, forget_ms),
                accelerator_change_ms: hardware.accelerator_change.ms(now_ms, forget_ms),
                change_weight: state.settings.change_weight(hardware.changed_at_ms, now_ms),
            },
            edge_energy: state.edge_energy.at(now_ms, forget_ms),
            cloud_energy: state.cloud_energy.at(now_ms, forget_ms),
            prices: Prices::of(&state.prices),
        }
    }

    /// Joules as they would be without what receipts corrected.
    pub(crate) fn with_plain_energy(self) -> Self {
        Self { edge_energy: 1.0, cloud_energy: 1.0, ..self }
    }

    /// One candidate's future, with what receipts said of it.
    pub(crate) fn forecast(&self, front: &PreparedFront, position: usize, said: &Correction) -> Forecast {
        self.forecasts(&front.blocks[position / LANES], said).lane(position % LANES)
    }

    /// The futures of a block, with what receipts said of them. Always inlined: what a pass over the blocks does not look
    /// at is then not computed, and what is the same for all blocks is prepared once (half the instructions).
    #[inline(always)]
    pub(crate) fn forecasts(&self, block: &Block, said: &Correction) -> Forecasts {
        let own = said.at(self.now_ms, self.forget_ms);
        let setting = self.hardware.setting(block);
        let change_ms = setting.clock_ms.fast_max(f64x4::ZERO) + setting.accelerator_ms.fast_max(f64x4::ZERO);

        let edge_ms = block.edge_ms * self.edge_pace * setting.slowdown * own;
        let on_the_wire =
            block.wire_ms + block.uses_cloud * self.link.base_ms + block.bytes * self.link.ms_a_byte;
        let wire_ms = on_the_wire.fast_max(f64x4::ZERO) * own;
        let cloud_ms = block.cloud_ms * self.cloud_pace * own;

        let ready_ms = edge_ms + change_ms + self.edge_wait_ms;
        let uplink_ms = (wire_ms - self.half_base_ms).fast_max(wire_ms * 0.5);
        let until_free_ms = f64x4::splat(self.cloud_free_in_ms) - ready_ms - uplink_ms;
        let cloud_wait_ms = block.uses_cloud * until_free_ms.fast_max(f64x4::splat(self.cloud_queue_ms));

        let own_ms = edge_ms + wire_ms + cloud_ms + block.other_ms * own + self.overhead_ms;
        let mean_ms = own_ms + change_ms + cloud_wait_ms + self.edge_wait_ms;
        let usual = own_ms * own_ms * self.spread.relative_variance;
        let variance = block.variance.fast_max(usual) + self.link.variance(block.uses_cloud, block.bytes);
        let quantile_ms = mean_ms + variance.sqrt() * self.spread.deviations;

        let edge_j_a_ms = block.edge_j_a_ms * self.edge_energy;
        let drawing_ms = edge_ms + wire_ms + cloud_ms + cloud_wait_ms;
        let edge_j = edge_j_a_ms * drawing_ms + block.edge_j * self.edge_energy;
        let cloud_j = block.cloud_j * (self.cloud_pace * self.cloud_energy);
        let change_j = edge_j_a_ms * change_ms;
        let prices = &self.prices;
        let joules_cost =
            edge_j * prices.edge + block.wire_j * prices.wire + cloud_j * prices.cloud + block.unknown_cost;
        let unheld_cost = joules_cost + edge_ms * self.crowding;
        Forecasts {
            mean_ms,
            quantile_ms,
            edge_ms,
            uplink_ms,
            cloud_ms,
            clock_change_ms: setting.clock_ms,
            accelerator_change_ms: setting.accelerator_ms,
            edge_j,
            cloud_j,
            change_j,
            energy_j: edge_j + block.wire_j + cloud_j + change_j + block.unknown_cost,
            cost: unheld_cost + change_j * (prices.edge * self.hardware.change_weight),
            unheld_cost,
        }
    }

    /// What a block would take and cost if link and cloud were as when the front was measured.
    #[inline]
    pub(crate) fn as_measured(&self, block: &Block) -> AsMeasured {
        let mean = block.edge_ms * self.edge_pace + block.wire_ms + block.cloud_ms + block.other_ms;
        let spread = block.variance.sqrt() * self.spread.deviations;
        let prices = &self.prices;
        let edge_j = (block.edge_j_a_ms * block.measured_ms() + block.edge_j) * self.edge_energy;
        let cloud_j = block.cloud_j * self.cloud_energy;
        let cost = edge_j * prices.edge + block.wire_j * prices.wire + cloud_j * prices.cloud;
        let crowding = block.edge_ms * (self.edge_pace * self.crowding);
        let mean_ms = mean + (self.overhead_ms + self.edge_wait_ms);
        AsMeasured { mean_ms, quantile_ms: mean_ms + spread, cost: cost + crowding + block.unknown_cost }
    }

    /// How long until the work that is queued now is done.
    pub(crate) fn drained_in_ms(&self) -> f64 {
        self.edge_wait_ms.max(self.cloud_free_in_ms).max(self.cloud_queue_ms)
    }
}

/// What a block would take and cost if link and cloud were as when the front was measured.
pub(crate) struct AsMeasured {
    pub mean_ms: f64x4,
    pub quantile_ms: f64x4,
    pub cost: f64x4,
}

/// How a block's configurations would set the hardware.
struct Setting {
    /// What setting the clock takes; negative when it stays.
    clock_ms: f64x4,
    /// What changing the accelerator takes; negative when it stays.
    accelerator_ms: f64x4,
    /// How much longer the edge computes because its clock cannot be set.
    slowdown: f64x4,
}

impl Setup {
    #[inline(always)]
    fn setting(&self, block: &Block) -> Setting {
        const STAYS: f64x4 = f64x4::new([-1.0; LANES]);
        let wants_a_clock = block.clock.simd_ne(f64x4::ZERO);
        let (clock_ms, slowdown) = if self.can_set {
            let changes = wants_a_clock & block.clock.simd_ne(f64x4::splat(self.clock));
            (changes.select(f64x4::splat(self.clock_change_ms), STAYS), f64x4::ONE)
        } else if self.clock > 0.0 {
            (STAYS, wants_a_clock.select(block.clock / self.clock, f64x4::ONE))
        } else {
            (STAYS, f64x4::ONE)
        };
        let changes = block.accelerator.simd_ne(f64x4::ZERO)
            & block.accelerator.simd_ne(f64x4::splat(self.accelerator))
            & f64x4::splat(self.accelerator).simd_ne(f64x4::ZERO);
        let accelerator_ms = changes.select(f64x4::splat(self.accelerator_change_ms), STAYS);
        Setting { clock_ms, accelerator_ms, slowdown }
    }
}

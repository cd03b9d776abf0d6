//! An edge: its arrivals, its compute thread, its hardware, its link, and what its scheduler knows.

use std::collections::VecDeque;

use policy::{CloudExecutor, State};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use schemas::{Accelerator, Configuration, Cut, HardwareChanges, InstanceId, KiloHertz, LinkState, Millis};

use super::engine::JobKey;
use super::machine::{Nanos, exponential_s, nanos};
use super::scenario::{EdgeGroup, Failures};
use crate::link::process::LinkProcess;
use crate::simulate::draw::split_mix;
use crate::trace::Loop;
use crate::trace::arrivals::{Arrival, Clock};
use crate::trace::limits::{Extremes, Limits};

/// An edge.
#[derive(Debug)]
pub(super) struct Edge {
    pub up: bool,
    /// What its scheduler knows.
    pub state: State,
    /// Requests that wait for its compute thread.
    pub waiting: VecDeque<JobKey>,
    pub running: Option<JobKey>,
    /// Requests that it has not answered yet, wherever they are.
    pub held: u32,
    pub queue: u32,
    pub failures: Option<Failures>,
    pub random: Pcg64Mcg,
    /// Of the runs that its requests get.
    pub run_seed: u64,
    /// Requests so far.
    pub requests: u64,
    hardware: Hardware,
    link: Option<LinkWalk>,
    uplink_free_at: Nanos,
    arrivals: Clock<Pcg64Mcg>,
    closed_loop: bool,
    limits: Limits,
    limit_random: Pcg64Mcg,
    extremes: Extremes,
    /// The announcements that its scheduler last saw.
    seen_members: u64,
    seen_credits: u64,
    /// The cloud executors by their position in [`State::clouds`].
    positions: Vec<u32>,
}

/// What schedulers see of the cloud executors.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// Tails that each would take; `None` for one that is not seen.
    pub credits: Vec<Option<u32>>,
    /// Changes with the credits, and with what is seen at all; 0 before the first heartbeat.
    pub credits_version: u64,
    /// Changes only when executors come or go.
    pub members_version: u64,
}

/// How the device is set.
#[derive(Debug, Clone, Copy)]
struct Hardware {
    clock: Option<KiloHertz>,
    accelerator: Option<Accelerator>,
    clock_change_ms: f64,
    accelerator_change_ms: f64,
}

/// How a frontier travels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transfer {
    /// When the last byte is there.
    pub arrives_at: Nanos,
    /// What the answer takes on its way back.
    pub back_ms: f64,
}

impl Edge {
    /// The edge of this index in a run. `share` is about how many requests it will see.
    pub(super) fn new(group: &EdgeGroup, mut state: State, seed: u64, index: u64, share: f64) -> Self {
        let stream =
            |purpose: u64| Pcg64Mcg::seed_from_u64(split_mix(split_mix(seed ^ (index << 8)) ^ purpose));
        // A device's changes are timed when its front is measured.
        state.set_hardware_changes(HardwareChanges {
            clock_ms: Some(Millis::saturating(group.clock_change_ms)),
            accelerator_ms: Some(Millis::saturating(group.accelerator_change_ms)),
        });
        // The paper's limits are mapped by the extremes of all that are drawn, which a run of constant memory cannot know: those
        // that so many exponential numbers have on average.
        let greatest = share.max(2.0).ln() + 0.577_215_664_9;
        Self {
            up: true,
            state,
            waiting: VecDeque::new(),
            running: None,
            held: 0,
            queue: group.queue,
            failures: group.failures,
            random: stream(1),
            run_seed: split_mix(seed ^ (index << 8) ^ 2),
            requests: 0,
            hardware: Hardware {
                clock: None,
                accelerator: None,
                clock_change_ms: group.clock_change_ms,
                accelerator_change_ms: group.accelerator_change_ms,
            },
            link: group.link.as_ref().map(|link| LinkWalk::new(link, stream(3))),
            uplink_free_at: 0,
            arrivals: group.arrivals.clock(stream(4), Vec::new()),
            closed_loop: group.arrivals.pacing() == Loop::Closed,
            limits: group.limits,
            limit_random: stream(5),
            extremes: Extremes::NONE.with(0.0).with(greatest),
            seen_members: 0,
            seen_credits: 0,
            positions: Vec::new(),
        }
    }

    /// Whether its next request waits for the last one's end.
    pub(super) fn is_closed_loop(&self) -> bool {
        self.closed_loop
    }

    pub(super) fn next_arrival(&mut self) -> Arrival {
        self.arrivals.next_arrival()
    }

    pub(super) fn next_limit(&mut self) -> Millis {
        let drawn = self.limits.draw(&mut self.limit_random);
        self.limits.limit(drawn, self.extremes)
    }

    /// Takes note of what cloud executors announced, when that is new.
    pub(super) fn see(&mut self, announced: &Announced, instances: &[InstanceId]) {
        if self.seen_credits == announced.credits_version {
            return;
        }
        self.seen_credits = announced.credits_version;
        let reordered = if self.seen_members == announced.members_version {
            let credits = |cloud: &u32| announced.credits[*cloud as usize].unwrap_or_default();
            self.state.set_credits(self.positions.iter().map(credits))
        } else {
            self.seen_members = announced.members_version;
            let present = instances.iter().zip(&announced.credits);
            self.state.set_clouds(present.filter_map(|(instance, credits)| {
                credits.map(|credits| CloudExecutor::new(instance.clone(), credits, true))
            }));
            true
        };
        if reordered {
            let index = |executor: &CloudExecutor| instances.binary_search(&executor.instance).ok();
            self.positions.clear();
            self.positions.extend(self.state.clouds().iter().filter_map(index).map(|index| index as u32));
        }
    }

    /// The cloud executor at a position of [`State::clouds`].
    pub(super) fn cloud_at(&self, position: usize) -> Option<u32> {
        self.positions.get(position).copied()
    }

    /// Where a cloud executor is in [`State::clouds`], while it is there.
    pub(super) fn position_of(&self, cloud: u32) -> Option<usize> {
        self.positions.iter().position(|known| *known == cloud)
    }

    /// Sets the hardware for a configuration: what that takes, in ms, and whether anything changed.
    pub(super) fn set_hardware(&mut self, wanted: &Configuration) -> Option<f64> {
        let hardware = &mut self.hardware;
        let clock = wanted.edge_frequency_khz.filter(|clock| hardware.clock != Some(*clock));
        // Without a head the accelerator has no meaning and is left alone.
        let accelerator = (wanted.cut > Cut::ALL_CLOUD)
            .then_some(wanted.edge_accelerator)
            .filter(|accelerator| hardware.accelerator != Some(*accelerator));
        if clock.is_none() && accelerator.is_none() {
            return None;
        }
        let mut takes = 0.0;
        if clock.is_some() {
            hardware.clock = clock;
            takes += hardware.clock_change_ms;
        }
        if accelerator.is_some() {
            hardware.accelerator = accelerator;
            takes += hardware.accelerator_change_ms;
        }
        Some(takes)
    }

    /// Sends bytes over the link, after those that are on it already; `recorded_ms` is what a run of the pool took, for edges
    /// without a declared link.
    pub(super) fn send(&mut self, now: Nanos, bytes: u64, recorded_ms: f64) -> Transfer {
        let Some(link) = &mut self.link else {
            return Transfer { arrives_at: now + nanos(recorded_ms), back_ms: 0.0 };
        };
        let LinkState { bandwidth_mbit, rtt_ms } = link.at(now);
        // Bits over Mbit/s are µs.
        let sending_ms = bytes as f64 * 8.0 / bandwidth_mbit.get().max(1e-6) / 1e3;
        self.uplink_free_at = self.uplink_free_at.max(now) + nanos(sending_ms);
        let half = rtt_ms.get() / 2.0;
        Transfer { arrives_at: self.uplink_free_at + nanos(half), back_ms: half }
    }

    /// Forgets what was running when it went down; requests themselves are the engine's.
    pub(super) fn fail(&mut self) {
        self.up = false;
        self.waiting.clear();
        self.running = None;
        self.held = 0;
        self.hardware.clock = None;
        self.hardware.accelerator = None;
    }
}

/// A link process as time passes: what was is forgotten.
#[derive(Debug)]
struct LinkWalk {
    process: LinkProcess,
    random: Pcg64Mcg,
    /// The state, as its place in the process's list, and when it ends.
    place: usize,
    until: Nanos,
}

impl LinkWalk {
    fn new(process: &LinkProcess, mut random: Pcg64Mcg) -> Self {
        let until = match process {
            LinkProcess::Markov { stay_s, .. } => nanos(exponential_s(&mut random, *stay_s) * 1e3),
            _ => Nanos::MAX,
        };
        Self { process: process.clone(), random, place: 0, until }
    }

    /// The state at a time, which is never before one that was asked for earlier.
    fn at(&mut self, now: Nanos) -> LinkState {
        match &self.process {
            LinkProcess::Constant(state) => *state,
            LinkProcess::Steps(steps) => {
                while steps.get(self.place + 1).is_some_and(|(begin, _)| nanos(begin.get()) <= now) {
                    self.place += 1;
                }
                steps[self.place].1
            }
            LinkProcess::Markov { states, stay_s } => {
                while now >= self.until {
                    self.until += nanos(exponential_s(&mut self.random, *stay_s) * 1e3).max(1);
                    self.place = (self.place + self.random.random_range(1..states.len())) % states.len();
                }
                states[self.place]
            }
        }
    }
}

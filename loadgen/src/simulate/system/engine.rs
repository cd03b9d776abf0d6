//! The event loop of one run.
//!
//! A request arrives at its edge, is decided on, waits for the edge's compute thread, has the hardware set, runs its head, sends the
//! frontier, waits for a batch in the cloud, and is answered. The edge may compute the next head while a frontier is on its way.
//! When no cloud executor answers, the edge, which still holds the frontier, runs the tail itself.
//!
//! Energy is modelled from what was recorded. On the edge: the power that the recorded run drew, over the time that the request is in
//! hand there, on the wire and in the cloud, as in the paper. In the cloud: the joules of the recorded tail, scaled by the time of
//! its batch and shared among the batch.

mod arrivals;
mod computing;
mod endings;
mod job;
mod presence;
mod tails;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use policy::{AdaptiveSettings, State};
use schemas::{Cut, InstanceId, Millis, PolicyName};

use super::cloud::Cloud;
use super::edge::{Announced, Edge};
use super::machine::{Nanos, millis, nanos};
use super::profile::Profile;
use super::scenario::{PresenceSettings, Scenario};
use super::script::Script;
use super::tally::{RunFigures, Tally};
use crate::error::LoadgenError;
use job::Job;
pub(super) use job::JobKey;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival { edge: u32 },
    Computed { job: JobKey },
    TailThere { job: JobKey },
    BatchTimer { cloud: u32, life: u32 },
    BatchDone { cloud: u32, life: u32 },
    Answer { job: JobKey },
    Refused { job: JobKey },
    NoSign { job: JobKey },
    Heartbeat,
    CloudTurns { cloud: u32 },
    EdgeTurns { edge: u32 },
}

/// One run.
pub(super) struct Engine<'a> {
    profile: &'a Profile,
    policy: PolicyName,
    presence: PresenceSettings,
    last_cut: Cut,
    edges: Vec<Edge>,
    clouds: Vec<Cloud>,
    instances: Vec<InstanceId>,
    jobs: Vec<Job>,
    free: Vec<u32>,
    events: BinaryHeap<Reverse<(Nanos, u64, Event)>>,
    sequence: u64,
    now: Nanos,
    left: u64,
    in_flight: u64,
    announced: Announced,
    last_seen: Vec<Nanos>,
    tally: Tally,
    /// The requests of the only edge, where they are not drawn.
    script: Option<Script<'a>>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        scenario: &Scenario,
        profile: &'a Profile,
        policy: PolicyName,
        seed: u64,
    ) -> Result<Self, LoadgenError> {
        let mut engine = Self::unbegun(scenario, profile, policy, seed)?;
        engine.begin();
        Ok(engine)
    }

    fn unbegun(
        scenario: &Scenario,
        profile: &'a Profile,
        policy: PolicyName,
        seed: u64,
    ) -> Result<Self, LoadgenError> {
        let size = scenario.size();
        let share = scenario.requests as f64 / f64::from(size.edges);
        let groups = scenario.edges.iter().flat_map(|group| (0..group.count).map(move |_| group));
        let state = || State::new(profile.front(), AdaptiveSettings::default());
        let edges: Vec<Edge> =
            groups.zip(0..).map(|(group, index)| Edge::new(group, state(), seed, index, share)).collect();
        let groups = scenario.clouds.iter().flat_map(|group| (0..group.count).map(move |_| group));
        let clouds: Vec<Cloud> =
            groups.zip(0..).map(|(group, index)| Cloud::new(group, seed, index)).collect();
        let name =
            |index: usize| InstanceId::new(format!("cloud-{index:05}")).map_err(LoadgenError::Instance);
        Ok(Self {
            profile,
            policy,
            presence: scenario.presence,
            last_cut: profile.front().last_cut(),
            instances: (0..clouds.len()).map(name).collect::<Result<_, _>>()?,
            last_seen: vec![0; clouds.len()],
            announced: Announced { credits: vec![None; clouds.len()], ..Announced::default() },
            edges,
            clouds,
            jobs: Vec::new(),
            free: Vec::new(),
            events: BinaryHeap::new(),
            sequence: 0,
            now: 0,
            left: scenario.requests,
            in_flight: 0,
            tally: Tally::new(),
            script: None,
        })
    }

    /// The same with the requests of a script instead of those that the scenario draws. The scenario has one edge.
    pub(super) fn scripted(
        scenario: &Scenario,
        profile: &'a Profile,
        policy: PolicyName,
        seed: u64,
        script: Script<'a>,
    ) -> Result<Self, LoadgenError> {
        let mut engine = Self::unbegun(scenario, profile, policy, seed)?;
        engine.left = script.len();
        engine.script = Some(script);
        engine.begin();
        Ok(engine)
    }

    fn begin(&mut self) {
        self.heartbeat();
        for edge in 0..self.edges.len() as u32 {
            self.schedule_arrival(edge);
            self.schedule_edge_turn(edge);
        }
        for cloud in 0..self.clouds.len() as u32 {
            self.schedule_cloud_turn(cloud);
        }
    }

    /// Runs to the end: every request has arrived and ended. `progress` hears from time to time of the requests that have arrived.
    pub(super) fn run(mut self, seed: u64, progress: &dyn Fn(u64)) -> RunFigures {
        const TOLD_EVERY: u64 = 1 << 16;
        while self.left > 0 || self.in_flight > 0 {
            let Some(Reverse((at, _, event))) = self.events.pop() else { break };
            self.now = at;
            self.tally.events += 1;
            self.handle(event);
            if self.tally.events.is_multiple_of(TOLD_EVERY) {
                progress(self.tally.requests);
            }
        }
        progress(self.tally.requests);
        self.tally.figures(self.policy, seed, millis(self.now) / 1e3, self.clouds.len())
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrival { edge } => self.arrive(edge),
            Event::Computed { job } => self.computed(job),
            Event::TailThere { job } => self.tail_there(job),
            Event::BatchTimer { cloud, life } => {
                if self.clouds[cloud as usize].life == life {
                    self.clouds[cloud as usize].timer_set = false;
                    self.begin_batch(cloud);
                }
            }
            Event::BatchDone { cloud, life } => self.batch_done(cloud, life),
            Event::Answer { job } => self.finish(job),
            Event::Refused { job } => self.refused(job),
            Event::NoSign { job } => self.no_sign(job),
            Event::Heartbeat => self.heartbeat(),
            Event::CloudTurns { cloud } => self.cloud_turns(cloud),
            Event::EdgeTurns { edge } => self.edge_turns(edge),
        }
    }

    fn schedule(&mut self, at: Nanos, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((at.max(self.now), self.sequence, event)));
    }

    fn after(&mut self, ms: f64, event: Event) {
        self.schedule(self.now + nanos(ms), event);
    }

    fn now_ms(&self) -> Millis {
        Millis::saturating(millis(self.now))
    }
    /// The request of a key, unless it has ended.
    fn job(&mut self, key: JobKey) -> Option<&mut Job> {
        self.jobs.get_mut(key.slot as usize).filter(|job| job.live && job.key == key)
    }
}

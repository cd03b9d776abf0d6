//! The event loop of one run.
//!
//! A request arrives at its edge, is decided on, waits for the edge's compute thread, has the hardware set, runs its head, sends the
//! frontier, waits for a batch in the cloud, and is answered. The edge may compute the next head while a frontier is on its way.
//! When no cloud executor answers, the edge, which still holds the frontier, runs the tail itself.
//!
//! Energy is modelled from what was recorded. On the edge: the power that the recorded run drew, over the time that the request is in
//! hand there, on the wire and in the cloud, as in the paper. In the cloud: the joules of the recorded tail, scaled by the time of
//! its batch and shared among the batch.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use policy::{AdaptiveSettings, Decision, Observation, State};
use schemas::{ByteCount, Cut, Fallback, InstanceId, Joules, Millis, PlanReason, PolicyName, Qos};

use super::cloud::{Cloud, Next, Waiting};
use super::edge::Edge;
use super::machine::{Nanos, exponential_s, millis, nanos};
use super::profile::{Profile, Sample};
use super::scenario::{PresenceSettings, Scenario};
use super::script::{Script, SimulatedAnswer, SimulatedEnd};
use super::tally::{Answered, Ending, RunFigures, Tally};
use crate::error::LoadgenError;
use crate::recording::Side;

/// A request in flight: its slot, and which of the requests that used the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JobKey {
    slot: u32,
    use_of_slot: u32,
}

#[derive(Debug, Clone, Copy)]
struct Job {
    key: JobKey,
    live: bool,
    edge: u32,
    /// The how-manieth of its edge, from 1.
    request: u64,
    reason: PlanReason,
    configuration: u32,
    cloud: Option<u32>,
    lost_cloud: Option<u32>,
    attempts: u8,
    at_home: bool,
    sample: Sample,
    limit_ms: f64,
    arrived_at: Nanos,
    /// Since when it is where it is.
    since: Nanos,
    back_ms: f64,
    change_ms: Option<f64>,
    edge_queue_ms: f64,
    wire_ms: f64,
    cloud_queue_ms: f64,
    cloud_ms: f64,
    cloud_j: f64,
    home_ms: f64,
    sent: ByteCount,
}

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
    /// The cloud executors that are seen, with their credits, and a number that changes when they do.
    announced: Vec<(u32, u32)>,
    last_seen: Vec<Nanos>,
    version: u64,
    tally: Tally,
    /// The requests of the only edge, where they are not drawn.
    script: Option<Script<'a>>,
}

/// A tail that was refused is taken to so many executors before the edge finishes at home.
const MOST_ATTEMPTS: u8 = 2;

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
            edges,
            clouds,
            jobs: Vec::new(),
            free: Vec::new(),
            events: BinaryHeap::new(),
            sequence: 0,
            now: 0,
            left: scenario.requests,
            in_flight: 0,
            announced: Vec::new(),
            version: 0,
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

    // Arrivals and decisions.

    fn schedule_arrival(&mut self, edge: u32) {
        let at = match &mut self.script {
            None => self.edges[edge as usize].next_arrival().at,
            Some(script) => match script.next_arrival() {
                Some(at) => at,
                None => return,
            },
        };
        // In a closed loop the next request comes when the last has ended.
        let at = at.map_or(self.now, |at| nanos(at.get()));
        self.schedule(at, Event::Arrival { edge });
    }

    fn arrive(&mut self, edge: u32) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.tally.requests += 1;
        let now = self.now_ms();
        let own = &mut self.edges[edge as usize];
        own.requests += 1;
        let request = own.requests;
        let qos = match &self.script {
            None => Qos::within(own.next_limit()),
            Some(script) => script.qos(request),
        };
        if !own.up {
            return self.turn_away(edge, request, Ending::Lost);
        }
        if own.held >= own.queue {
            return self.turn_away(edge, request, Ending::TurnedAway);
        }
        own.see(self.version, &self.announced, &self.instances);
        let front = self.profile.front();
        let Ok(decision) = front.decide(self.policy, &qos, &own.state, now) else {
            return self.turn_away(edge, request, Ending::TurnedAway);
        };
        own.state.commit(front, &decision, now);
        own.held += 1;
        let job = self.admit(edge, request, qos.latency_ms, &decision);
        self.edges[edge as usize].waiting.push_back(job);
        self.compute(edge);
        if !self.closed_loop(edge) {
            self.schedule_arrival(edge);
        }
    }

    fn closed_loop(&self, edge: u32) -> bool {
        self.edges[edge as usize].is_closed_loop()
    }

    fn turn_away(&mut self, edge: u32, request: u64, ending: Ending) {
        self.tally.end(ending);
        let now = self.now_ms();
        if let Some(script) = &mut self.script {
            let end = if ending == Ending::Lost { SimulatedEnd::Lost } else { SimulatedEnd::TurnedAway };
            script.tell(request, now, now, end);
        }
        if self.closed_loop(edge) {
            // Whoever was turned away tries again, and not at once.
            self.after(self.presence.heartbeat_ms, Event::Arrival { edge });
        } else {
            self.schedule_arrival(edge);
        }
    }

    fn admit(&mut self, edge: u32, request: u64, limit: Millis, decision: &Decision) -> JobKey {
        let configuration = self.profile.decided(decision);
        let own = &self.edges[edge as usize];
        let sample = self.profile.sample(configuration, own.run_seed, request);
        let slot = self.free.pop().unwrap_or(self.jobs.len() as u32);
        let use_of_slot = self.jobs.get(slot as usize).map_or(0, |job| job.key.use_of_slot.wrapping_add(1));
        let key = JobKey { slot, use_of_slot };
        let job = Job {
            key,
            live: true,
            edge,
            request,
            reason: decision.reason,
            configuration: configuration as u32,
            cloud: decision.cloud.and_then(|position| own.cloud_at(position)),
            lost_cloud: None,
            attempts: 0,
            at_home: false,
            sample,
            limit_ms: limit.get(),
            arrived_at: self.now,
            since: self.now,
            back_ms: 0.0,
            change_ms: None,
            edge_queue_ms: 0.0,
            wire_ms: 0.0,
            cloud_queue_ms: 0.0,
            cloud_ms: 0.0,
            cloud_j: 0.0,
            home_ms: 0.0,
            sent: ByteCount(0),
        };
        match self.jobs.get_mut(slot as usize) {
            Some(place) => *place = job,
            None => self.jobs.push(job),
        }
        self.in_flight += 1;
        key
    }

    /// The request of a key, unless it has ended.
    fn job(&mut self, key: JobKey) -> Option<&mut Job> {
        self.jobs.get_mut(key.slot as usize).filter(|job| job.live && job.key == key)
    }

    // The edge's compute thread.

    /// Lets an idle edge begin with the next request.
    fn compute(&mut self, edge: u32) {
        let own = &mut self.edges[edge as usize];
        if own.running.is_some() {
            return;
        }
        let Some(key) = own.waiting.pop_front() else { return };
        let job = &mut self.jobs[key.slot as usize];
        job.edge_queue_ms += millis(self.now - job.since);
        let profiled = self.profile.configuration(job.configuration as usize);
        let takes = if job.at_home {
            job.home_ms = profiled.home_ms;
            profiled.home_ms
        } else {
            job.change_ms = own.set_hardware(&profiled.configuration);
            self.tally.hardware_changes += u64::from(job.change_ms.is_some());
            job.change_ms.unwrap_or_default() + job.sample.edge_ms
        };
        own.running = Some(key);
        self.after(takes, Event::Computed { job: key });
    }

    fn computed(&mut self, key: JobKey) {
        let Some(job) = self.job(key) else { return };
        let (edge, at_home, configuration) = (job.edge, job.at_home, job.configuration);
        self.edges[edge as usize].running = None;
        let cut = self.profile.configuration(configuration as usize).configuration.cut;
        if at_home || cut == self.last_cut {
            self.finish(key);
        } else {
            self.send(key);
        }
        self.compute(edge);
    }

    /// Sends the frontier to the chosen cloud executor; without one the edge goes on by itself.
    fn send(&mut self, key: JobKey) {
        let now = self.now;
        let job = &mut self.jobs[key.slot as usize];
        if job.cloud.is_none() {
            return self.go_home(key);
        }
        job.attempts += 1;
        let bytes = self.profile.configuration(job.configuration as usize).bytes;
        let transfer = self.edges[job.edge as usize].send(now, bytes.0, job.sample.wire_ms);
        job.wire_ms += millis(transfer.arrives_at - now) + transfer.back_ms;
        job.back_ms = transfer.back_ms;
        job.sent = ByteCount(job.sent.0 + bytes.0);
        self.schedule(transfer.arrives_at, Event::TailThere { job: key });
    }

    /// The edge runs the tail itself, before anything else that waits.
    fn go_home(&mut self, key: JobKey) {
        let now = self.now;
        let Some(job) = self.job(key) else { return };
        job.at_home = true;
        job.since = now;
        let edge = job.edge;
        self.edges[edge as usize].waiting.push_front(key);
        self.compute(edge);
    }

    // The cloud.

    fn tail_there(&mut self, key: JobKey) {
        let now = self.now;
        let Some(job) = self.job(key) else { return };
        job.since = now;
        let (Some(cloud), alone_ms, configuration) = (job.cloud, job.sample.cloud_ms, job.configuration)
        else {
            return;
        };
        let back_ms = job.back_ms;
        let configuration = self.profile.configuration(configuration as usize).configuration;
        let executor = &mut self.clouds[cloud as usize];
        if !executor.up {
            return self.after(self.presence.patience_ms, Event::NoSign { job: key });
        }
        if executor.credits() == 0 {
            return self.after(back_ms, Event::Refused { job: key });
        }
        executor.waiting.push_back(Waiting {
            job: key,
            since: now,
            cut: configuration.cut,
            accelerator: configuration.cloud_accelerator,
            alone_ms,
        });
        self.begin_batch(cloud);
    }

    fn begin_batch(&mut self, cloud: u32) {
        let executor = &mut self.clouds[cloud as usize];
        let life = executor.life;
        match executor.begin(self.now) {
            Next::Nothing => {}
            Next::WaitUntil(at) => {
                if !executor.timer_set {
                    executor.timer_set = true;
                    self.schedule(at, Event::BatchTimer { cloud, life });
                }
            }
            Next::Began(takes) => self.after(takes, Event::BatchDone { cloud, life }),
        }
    }

    fn batch_done(&mut self, cloud: u32, life: u32) {
        let executor = &mut self.clouds[cloud as usize];
        if executor.life != life {
            return;
        }
        let batch = std::mem::take(&mut executor.running);
        let began_at = executor.began_at;
        let took_ms = millis(self.now - began_at);
        self.tally.batches += 1;
        self.tally.batched += batch.len() as u64;
        self.tally.cloud_busy_ms += took_ms;
        for tail in &batch {
            let Some(job) = self.job(tail.job) else { continue };
            job.cloud_queue_ms += millis(began_at - tail.since);
            job.cloud_ms = took_ms;
            let power =
                if job.sample.cloud_ms > 0.0 { job.sample.cloud_j / job.sample.cloud_ms } else { 0.0 };
            job.cloud_j += power * took_ms / batch.len() as f64;
            let back_ms = job.back_ms;
            self.after(back_ms, Event::Answer { job: tail.job });
        }
        // The room is used again for the next batch.
        let mut room = batch;
        room.clear();
        self.clouds[cloud as usize].running = room;
        self.begin_batch(cloud);
    }

    /// An executor had no room: another one, or home.
    fn refused(&mut self, key: JobKey) {
        let now = self.now_ms();
        let Some(job) = self.job(key) else { return };
        let (edge, refused_by, attempts) = (job.edge, job.cloud, job.attempts);
        let own = &mut self.edges[edge as usize];
        own.see(self.version, &self.announced, &self.instances);
        let other = own.state.best_cloud(now).and_then(|position| own.cloud_at(position));
        let other = other.filter(|other| Some(*other) != refused_by && attempts < MOST_ATTEMPTS);
        let Some(job) = self.job(key) else { return };
        job.cloud = other;
        self.send(key);
    }

    /// The cloud executor went down with the tail.
    fn no_sign(&mut self, key: JobKey) {
        let Some(job) = self.job(key) else { return };
        job.lost_cloud = job.cloud.take();
        self.go_home(key);
    }

    // Presences and failures.

    fn heartbeat(&mut self) {
        let silence = nanos(self.presence.lost_after_ms);
        let mut announced = Vec::with_capacity(self.clouds.len());
        for (index, cloud) in self.clouds.iter().enumerate() {
            if cloud.up {
                self.last_seen[index] = self.now;
            }
            if cloud.up || self.now - self.last_seen[index] < silence {
                announced.push((index as u32, cloud.credits()));
            }
        }
        if announced != self.announced || self.version == 0 {
            self.announced = announced;
            self.version += 1;
        }
        self.after(self.presence.heartbeat_ms, Event::Heartbeat);
    }

    fn schedule_cloud_turn(&mut self, cloud: u32) {
        let executor = &mut self.clouds[cloud as usize];
        let Some(failures) = executor.failures else { return };
        let mean_s = if executor.up { failures.up_s } else { failures.down_s };
        let seconds = exponential_s(&mut executor.random, mean_s);
        self.after(seconds * 1e3, Event::CloudTurns { cloud });
    }

    fn cloud_turns(&mut self, cloud: u32) {
        let executor = &mut self.clouds[cloud as usize];
        if executor.up {
            for job in executor.fail() {
                self.after(self.presence.patience_ms, Event::NoSign { job });
            }
        } else {
            executor.up = true;
        }
        self.schedule_cloud_turn(cloud);
    }

    fn schedule_edge_turn(&mut self, edge: u32) {
        let own = &mut self.edges[edge as usize];
        let Some(failures) = own.failures else { return };
        let mean_s = if own.up { failures.up_s } else { failures.down_s };
        let seconds = exponential_s(&mut own.random, mean_s);
        self.after(seconds * 1e3, Event::EdgeTurns { edge });
    }

    fn edge_turns(&mut self, edge: u32) {
        let own = &mut self.edges[edge as usize];
        if own.up {
            own.fail();
            let lost: Vec<JobKey> =
                self.jobs.iter().filter(|job| job.live && job.edge == edge).map(|job| job.key).collect();
            for key in lost {
                let Job { request, arrived_at, .. } = self.jobs[key.slot as usize];
                self.release(key);
                self.tally.end(Ending::Lost);
                let (arrived, now) = (Millis::saturating(millis(arrived_at)), self.now_ms());
                if let Some(script) = &mut self.script {
                    script.tell(request, arrived, now, SimulatedEnd::Lost);
                }
            }
            if self.closed_loop(edge) {
                self.after(self.presence.heartbeat_ms, Event::Arrival { edge });
            }
        } else {
            own.up = true;
        }
        self.schedule_edge_turn(edge);
    }

    // The end of a request.

    fn release(&mut self, key: JobKey) {
        self.jobs[key.slot as usize].live = false;
        self.free.push(key.slot);
        self.in_flight -= 1;
    }

    fn finish(&mut self, key: JobKey) {
        let Some(job) = self.job(key) else { return };
        let job = *job;
        let latency_ms = millis(self.now - job.arrived_at);
        let profiled = self.profile.configuration(job.configuration as usize);
        let cut = profiled.configuration.cut;
        let side = match cut {
            _ if job.at_home => Side::Edge,
            Cut::ALL_CLOUD => Side::Cloud,
            cut if cut == self.last_cut => Side::Edge,
            _ => Side::Split,
        };
        let edge_j = edge_joules(&job, profiled.home_watts);
        self.tally.answer(&Answered {
            latency_ms,
            within: latency_ms <= job.limit_ms,
            side,
            at_home: job.at_home,
            edge_j,
            cloud_j: job.cloud_j,
            edge_queue_ms: job.edge_queue_ms,
            cloud_queue_ms: job.cloud_queue_ms,
        });
        let own = &mut self.edges[job.edge as usize];
        let ms = Millis::saturating;
        let observation = Observation {
            at: ms(millis(self.now)),
            configuration: profiled.configuration,
            fallback: job.at_home.then_some(Fallback::FinishedAtHome),
            cloud: job.cloud.and_then(|cloud| own.position_of(cloud)).filter(|_| job.cloud_ms > 0.0),
            lost_cloud: job.lost_cloud.and_then(|cloud| own.position_of(cloud)),
            sent_bytes: job.sent,
            latency: ms(latency_ms),
            hardware_change: job.change_ms.map(ms),
            edge_queue: ms(job.edge_queue_ms),
            edge: ms(job.sample.edge_ms + job.home_ms),
            wire: ms(job.wire_ms),
            cloud_queue: ms(job.cloud_queue_ms),
            cloud_time: ms(job.cloud_ms),
            edge_energy: Some(Joules::saturating(edge_j)),
            cloud_energy: Some(Joules::saturating(job.cloud_j)),
        };
        own.state.observe(self.profile.front(), &observation);
        if let Some(script) = &mut self.script {
            let answer = SimulatedAnswer {
                place: job.configuration as usize,
                configuration: profiled.configuration,
                at_home: job.at_home,
                reason: job.reason,
                hardware_change: job.change_ms.map(ms),
                edge_queue: ms(job.edge_queue_ms),
                head: ms(job.sample.edge_ms),
                wire: ms(job.wire_ms),
                cloud_queue: ms(job.cloud_queue_ms),
                tail: ms(job.cloud_ms),
                home: ms(job.home_ms),
                edge_energy: Joules::saturating(edge_j),
                cloud_energy: Joules::saturating(job.cloud_j),
                sent: job.sent,
                side,
            };
            let (arrived, ended) = (ms(millis(job.arrived_at)), ms(millis(self.now)));
            script.tell(job.request, arrived, ended, SimulatedEnd::Answered(answer));
        }
        own.held = own.held.saturating_sub(1);
        self.release(key);
        if self.closed_loop(job.edge) {
            self.schedule(self.now, Event::Arrival { edge: job.edge });
        }
    }
}

/// The recorded power over the time that the request was in hand, and that of the whole network over a tail at home.
fn edge_joules(job: &Job, home_watts: f64) -> f64 {
    let recorded_ms = job.sample.edge_ms + job.sample.wire_ms + job.sample.cloud_ms;
    let watts = if recorded_ms > 0.0 { job.sample.edge_j / recorded_ms } else { 0.0 };
    let in_hand_ms = job.change_ms.unwrap_or_default()
        + job.sample.edge_ms
        + job.wire_ms
        + job.cloud_queue_ms
        + job.cloud_ms;
    watts * in_hand_ms + home_watts * job.home_ms / 1e3
}

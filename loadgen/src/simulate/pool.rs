//! Pool mode: requests in sequence, each with the outcome of a recorded run of the configuration that the policy chose.
//!
//! As in the paper there is no queue, no link and no change of the hardware: what is judged is the rule and its front. The policy
//! `adaptive` sees each outcome before it decides the next request, as receipts let it in a running system; `oracle` sees the outcome
//! before it decides.

use policy::{Cloud, CloudExecutor, Observation, Refusal, State, Truth};
use schemas::{ByteCount, InstanceId, Joules, Millis, PolicyName, Qos, Share};
use search::Parts;

use super::draw::Draw;
use super::figures::Outcome;
use crate::error::LoadgenError;
use crate::recording::{RecordedFront, Recording, Side, Values};

/// The order in which the paper's simulation handles the strategies of each request. Its random numbers depend on it.
pub const PAPER_ORDER: [PolicyName; 5] =
    [PolicyName::Cloud, PolicyName::Edge, PolicyName::Energy, PolicyName::Latency, PolicyName::Dynasplit];

/// Recorded runs laid out so that a draw is a table look-up.
#[derive(Debug, Clone)]
pub struct RecordedRuns {
    /// Of each configuration, where its runs begin and end in `runs`.
    spans: Vec<(usize, usize)>,
    runs: Vec<Run>,
    means: Vec<Run>,
    sides: Vec<Side>,
    bytes: Vec<ByteCount>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    latency: Millis,
    energy: Joules,
    accuracy: Option<Share>,
    parts: Option<Parts>,
}

impl RecordedRuns {
    /// Lays a recording out.
    ///
    /// # Errors
    /// It says nothing of energy.
    pub fn of(recording: &Recording) -> Result<Self, LoadgenError> {
        let mut laid_out = Self {
            spans: Vec::new(),
            runs: Vec::new(),
            means: Vec::new(),
            sides: Vec::new(),
            bytes: Vec::new(),
        };
        for (configuration, recorded) in recording.configurations().iter().enumerate() {
            let begin = laid_out.runs.len();
            for &row in &recorded.rows {
                let energy = recording.energy(row)?;
                let row = &recording.rows()[row];
                let (latency, accuracy, parts) = (row.latency, row.accuracy, row.parts);
                laid_out.runs.push(Run { latency, energy, accuracy, parts });
            }
            laid_out.spans.push((begin, laid_out.runs.len()));
            let mean = Values::of_runs(recording, configuration);
            laid_out.means.push(Run {
                latency: mean.latency.mean_ms,
                energy: mean.energy.unwrap_or_default(),
                accuracy: mean.accuracy,
                parts: mean.parts,
            });
            laid_out.sides.push(recording.side(configuration));
            laid_out.bytes.push(recording.rows()[recorded.rows[0]].bytes.unwrap_or_default());
        }
        Ok(laid_out)
    }

    /// The run that a request gets which runs a configuration.
    fn run(&self, draw: &mut Draw, request: usize, policy: usize, configuration: usize) -> &Run {
        let (begin, end) = self.spans[configuration];
        match draw.run(request, policy, end - begin) {
            Some(run) => &self.runs[begin + run],
            None => &self.means[configuration],
        }
    }
}

/// Runs every request through every policy, request by request and in the order of the policies, and gives the outcomes by
/// policy.
///
/// # Errors
/// The policy `oracle` with random numbers that cannot be foreseen ([`Draw::Numpy`]).
pub fn simulate(
    runs: &RecordedRuns,
    front: &RecordedFront,
    policies: &[PolicyName],
    limits: &[Millis],
    draw: &mut Draw,
) -> Result<Vec<Vec<Outcome>>, LoadgenError> {
    if policies.contains(&PolicyName::Oracle) && matches!(draw, Draw::Numpy(_)) {
        return Err(LoadgenError::OracleCannotForesee);
    }
    let mut deciders: Vec<Decider> =
        policies.iter().map(|&policy| Decider::new(policy, front)).collect::<Result<_, _>>()?;
    let mut outcomes: Vec<Vec<Outcome>> = policies.iter().map(|_| Vec::with_capacity(limits.len())).collect();
    for (request, &limit) in limits.iter().enumerate() {
        for (place, decider) in deciders.iter_mut().enumerate() {
            let foresee = |configuration: usize| {
                let run = runs.run(&mut draw.clone(), request, place, configuration);
                Truth { latency_ms: run.latency, energy_j: Some(run.energy) }
            };
            let configuration = decider.decide(front, limit, foresee).map_err(LoadgenError::Refused)?;
            let run = runs.run(draw, request, place, configuration);
            decider.follow(front, configuration, run, runs.bytes[configuration]);
            let &Run { latency, energy, accuracy, .. } = run;
            outcomes[place].push(Outcome {
                limit,
                latency,
                energy,
                accuracy,
                side: runs.sides[configuration],
            });
        }
    }
    Ok(outcomes)
}

/// A policy at work.
struct Decider {
    policy: PolicyName,
    /// What the policy `adaptive` knows; the others know nothing.
    state: Option<State>,
    now: Millis,
}

impl Decider {
    fn new(policy: PolicyName, front: &RecordedFront) -> Result<Self, LoadgenError> {
        let state = (policy == PolicyName::Adaptive).then(|| {
            // The hardware is as each request wants it, at no cost.
            let settings =
                policy::AdaptiveSettings { hardware_change_ms: Millis::ZERO, ..Default::default() };
            let mut state = State::new(front.prepared(), settings);
            let instance = InstanceId::new("cloud").map_err(LoadgenError::Instance)?;
            state.set_clouds([CloudExecutor::new(instance, 1, true)]);
            Ok::<_, LoadgenError>(state)
        });
        Ok(Self { policy, state: state.transpose()?, now: Millis::ZERO })
    }

    fn decide(
        &mut self,
        front: &RecordedFront,
        limit: Millis,
        foresee: impl Fn(usize) -> Truth,
    ) -> Result<usize, Refusal> {
        let (prepared, qos) = (front.prepared(), Qos::within(limit));
        let decision = match &mut self.state {
            Some(state) => {
                let decision = prepared.decide(self.policy, &qos, state, self.now)?;
                state.commit(prepared, &decision, self.now);
                decision
            }
            None if self.policy == PolicyName::Oracle => {
                prepared.oracle(&qos, Cloud::Present, |point, _| foresee(front.at(point)))?
            }
            None => prepared.decide_by_front(self.policy, &qos, Cloud::Present)?,
        };
        Ok(front.at(decision.point))
    }

    /// The next request comes when this one has ended; `adaptive` learns from it.
    fn follow(&mut self, front: &RecordedFront, configuration: usize, run: &Run, bytes: ByteCount) {
        let Some(state) = &mut self.state else { return };
        self.now += run.latency;
        let Some(parts) = run.parts else { return };
        let uses_cloud = parts.cloud_time > Millis::ZERO;
        let observation = Observation {
            at: self.now,
            configuration: front.configuration(configuration),
            fallback: None,
            cloud: uses_cloud.then_some(0),
            lost_cloud: None,
            sent_bytes: bytes,
            latency: run.latency,
            limit: None,
            hardware_change: None,
            edge_queue: Millis::ZERO,
            edge: parts.edge_time,
            wire: parts.wire_time,
            cloud_queue: Millis::ZERO,
            cloud_time: parts.cloud_time,
            edge_energy: Some(parts.edge_energy),
            cloud_energy: Some(parts.cloud_energy),
        };
        state.observe(front.prepared(), &observation);
    }
}

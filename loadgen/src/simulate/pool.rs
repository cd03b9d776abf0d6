//! Pool mode: requests in sequence, each with the outcome of a recorded run of the configuration that the policy chose.
//!
//! As in the paper there is no queue, no link and no state: what is judged is the rule and its front.

use schemas::{Joules, Millis, PolicyName, Share};

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
}

#[derive(Debug, Clone, Copy)]
struct Run {
    latency: Millis,
    energy: Joules,
    accuracy: Option<Share>,
}

impl RecordedRuns {
    /// Lays a recording out.
    ///
    /// # Errors
    /// It says nothing of energy.
    pub fn of(recording: &Recording) -> Result<Self, LoadgenError> {
        let mut laid_out = Self { spans: Vec::new(), runs: Vec::new(), means: Vec::new(), sides: Vec::new() };
        for (configuration, recorded) in recording.configurations().iter().enumerate() {
            let begin = laid_out.runs.len();
            for &row in &recorded.rows {
                let energy = recording.energy(row)?;
                let row = &recording.rows()[row];
                laid_out.runs.push(Run { latency: row.latency, energy, accuracy: row.accuracy });
            }
            laid_out.spans.push((begin, laid_out.runs.len()));
            let mean = Values::of_runs(recording, configuration);
            laid_out.means.push(Run {
                latency: mean.latency.mean_ms,
                energy: mean.energy.unwrap_or_default(),
                accuracy: mean.accuracy,
            });
            laid_out.sides.push(recording.side(configuration));
        }
        Ok(laid_out)
    }

    /// What a request gets that runs a configuration.
    fn outcome(
        &self,
        draw: &mut Draw,
        request: usize,
        policy: usize,
        configuration: usize,
        limit: Millis,
    ) -> Outcome {
        let (begin, end) = self.spans[configuration];
        let run = match draw.run(request, policy, end - begin) {
            Some(run) => self.runs[begin + run],
            None => self.means[configuration],
        };
        let Run { latency, energy, accuracy } = run;
        Outcome { limit, latency, energy, accuracy, side: self.sides[configuration] }
    }
}

/// Runs every request through every policy, request by request and in the order of the policies, and gives the outcomes by
/// policy.
///
/// # Errors
/// A policy that the scheduler's core does not have.
pub fn simulate(
    runs: &RecordedRuns,
    front: &RecordedFront,
    policies: &[PolicyName],
    limits: &[Millis],
    draw: &mut Draw,
) -> Result<Vec<Vec<Outcome>>, LoadgenError> {
    let mut outcomes: Vec<Vec<Outcome>> = policies.iter().map(|_| Vec::with_capacity(limits.len())).collect();
    for (request, &limit) in limits.iter().enumerate() {
        for (place, &policy) in policies.iter().enumerate() {
            let configuration = front.decide(policy, limit).map_err(LoadgenError::Refused)?;
            outcomes[place].push(runs.outcome(draw, request, place, configuration, limit));
        }
    }
    Ok(outcomes)
}

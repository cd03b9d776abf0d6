//! In which order runs are made.
//!
//! Whatever drifts while a campaign goes on (temperature, other load, the network's mood) should hit all policies alike. So a trace is cut
//! into blocks, each block is sent under every policy before the next block's turn comes, and the policies of each block are in an
//! order of their own; so are the combinations of network, trace and link in each round. The order comes from the campaign's seed.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemas::PolicyName;

use super::file::Campaign;
use crate::results::{Driven, RunKey};
use crate::trace::Trace;

/// A run to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRun {
    /// What its records carry. With the simulator the block of a record is that of its request.
    pub key: RunKey,
    /// The network, by its place in the campaign.
    pub model: usize,
    /// The trace.
    pub trace: usize,
    /// The link.
    pub link: Option<usize>,
    /// The places of its requests in the trace.
    pub requests: Range<usize>,
}

/// Every run of a campaign, in the order in which they are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    runs: Vec<PlannedRun>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    model: usize,
    trace: usize,
    link: Option<usize>,
}

impl Plan {
    /// Of a campaign whose traces are these. In virtual time nothing drifts: there a run is a whole trace.
    pub fn new(campaign: &Campaign, traces: &[Trace], driven: Driven) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(campaign.seed);
        let links: Vec<Option<usize>> = match campaign.links.len() {
            0 => vec![None],
            count => (0..count).map(Some).collect(),
        };
        let mut cells = Vec::new();
        for model in 0..campaign.models.len() {
            for trace in 0..traces.len() {
                cells.extend(links.iter().map(|&link| Cell { model, trace, link }));
            }
        }
        let mut plan = Self { runs: Vec::new() };
        for round in 0..campaign.rounds.get() {
            cells.shuffle(&mut random);
            for &cell in &cells {
                let trace = &traces[cell.trace];
                let blocks = match driven {
                    Driven::Live => blocks(trace, campaign.block_requests.get()),
                    Driven::Simulator => std::iter::once(0..trace.requests().len()).collect(),
                };
                for (block, requests) in (0..).zip(blocks) {
                    let mut policies = campaign.policies.clone();
                    policies.shuffle(&mut random);
                    for policy in policies {
                        plan.push(campaign, cell, (round, block), policy, requests.clone());
                    }
                }
            }
        }
        plan
    }

    /// The runs, in order.
    pub fn runs(&self) -> &[PlannedRun] {
        &self.runs
    }

    /// Requests of all runs.
    pub fn requests(&self) -> u64 {
        self.runs.iter().map(|run| run.requests.len() as u64).sum()
    }

    fn push(
        &mut self,
        campaign: &Campaign,
        cell: Cell,
        (round, block): (u32, u32),
        policy: PolicyName,
        requests: Range<usize>,
    ) {
        let Cell { model, trace, link } = cell;
        let key = RunKey {
            run: u32::try_from(self.runs.len()).unwrap_or(u32::MAX),
            round,
            block,
            policy,
            trace: campaign.traces[trace].name.to_string(),
            link: link.map(|link| campaign.links[link].name.to_string()),
        };
        self.runs.push(PlannedRun { key, model, trace, link, requests });
    }
}

/// Cuts a trace into blocks of nearly equal size, at most `most` requests each unless a query is larger: queries stay whole.
pub fn blocks(trace: &Trace, most: usize) -> Vec<Range<usize>> {
    let requests = trace.requests();
    let count = requests.len().div_ceil(most.max(1));
    let mut cuts: Vec<usize> = (1..count).map(|block| block * requests.len() / count).collect();
    for cut in &mut cuts {
        while *cut < requests.len() && requests[*cut].query == requests[*cut - 1].query {
            *cut += 1;
        }
    }
    cuts.push(requests.len());
    cuts.dedup();
    let begins = std::iter::once(0).chain(cuts.iter().copied());
    begins
        .zip(cuts.iter().copied())
        .map(|(begin, end)| begin..end)
        .filter(|block| !block.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;

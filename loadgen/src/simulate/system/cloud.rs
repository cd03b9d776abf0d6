//! A cloud executor: its queue and its batches.

use std::collections::VecDeque;

use schemas::{Accelerator, Cut};

use super::engine::JobKey;
use super::machine::{Nanos, nanos};
use super::scenario::{CloudGroup, Failures};

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::simulate::draw::split_mix;

/// A cloud executor.
#[derive(Debug)]
pub(super) struct Cloud {
    pub up: bool,
    /// Counts its failures: what belongs to an earlier life is void.
    pub life: u32,
    pub waiting: VecDeque<Waiting>,
    pub running: Vec<Waiting>,
    pub began_at: Nanos,
    pub timer_set: bool,
    pub queue: u32,
    pub speed: f64,
    pub failures: Option<Failures>,
    pub random: Pcg64Mcg,
    batch: usize,
    batch_wait: Nanos,
    batch_cost: f64,
}

/// A tail that waits or runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub job: JobKey,
    pub since: Nanos,
    pub cut: Cut,
    pub accelerator: Accelerator,
    /// What it takes alone on the recorded machine.
    pub alone_ms: f64,
}

/// What an idle executor does next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// There is nothing to do.
    Nothing,
    /// It waits until then for more tails of the same cut.
    WaitUntil(Nanos),
    /// It has begun a batch that takes so many ms.
    Began(f64),
}

impl Cloud {
    pub(super) fn new(group: &CloudGroup, seed: u64, index: u64) -> Self {
        Self {
            up: true,
            life: 0,
            waiting: VecDeque::new(),
            running: Vec::new(),
            began_at: 0,
            timer_set: false,
            queue: group.queue,
            speed: group.speed,
            failures: group.failures,
            random: Pcg64Mcg::seed_from_u64(split_mix(split_mix(seed ^ (index << 8)) ^ 0xC10D)),
            batch: group.batch as usize,
            batch_wait: nanos(group.batch_wait_ms),
            batch_cost: group.batch_cost,
        }
    }

    /// Tails that it would take now.
    pub(super) fn credits(&self) -> u32 {
        self.queue.saturating_sub(self.waiting.len() as u32)
    }

    /// Begins a batch of the oldest tail and the next ones of its cut, when it is time.
    pub(super) fn begin(&mut self, now: Nanos) -> Next {
        let Some(oldest) = self.waiting.front().copied().filter(|_| self.running.is_empty()) else {
            return Next::Nothing;
        };
        let fits = |tail: &Waiting| tail.cut == oldest.cut && tail.accelerator == oldest.accelerator;
        let ready = self.waiting.iter().filter(|tail| fits(tail)).take(self.batch).count();
        if ready < self.batch && now < oldest.since + self.batch_wait {
            return Next::WaitUntil(oldest.since + self.batch_wait);
        }
        let mut taken = 0;
        let running = &mut self.running;
        self.waiting.retain(|tail| {
            let takes = taken < ready && fits(tail);
            if takes {
                taken += 1;
                running.push(*tail);
            }
            !takes
        });
        self.began_at = now;
        let longest = self.running.iter().map(|tail| tail.alone_ms).fold(0.0, f64::max);
        Next::Began(longest / self.speed * (1.0 + self.batch_cost * (self.running.len() - 1) as f64))
    }

    /// Goes down: gives everything it had in hand.
    pub(super) fn fail(&mut self) -> Vec<JobKey> {
        self.up = false;
        self.life = self.life.wrapping_add(1);
        self.timer_set = false;
        self.waiting.drain(..).chain(self.running.drain(..)).map(|tail| tail.job).collect()
    }
}

//! Tails in the cloud: taken or refused, run in batches, answered.

use super::{Engine, Event, JobKey};
use crate::simulate::system::cloud::{Next, Waiting};
use crate::simulate::system::machine::millis;

/// A tail that was refused is taken to so many executors before the edge finishes at home.
const MOST_ATTEMPTS: u8 = 2;

impl Engine<'_> {
    pub(super) fn tail_there(&mut self, key: JobKey) {
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

    pub(super) fn begin_batch(&mut self, cloud: u32) {
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

    pub(super) fn batch_done(&mut self, cloud: u32, life: u32) {
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
    pub(super) fn refused(&mut self, key: JobKey) {
        let now = self.now_ms();
        let Some(job) = self.job(key) else { return };
        let (edge, refused_by, attempts) = (job.edge, job.cloud, job.attempts);
        let own = &mut self.edges[edge as usize];
        own.see(&self.announced, &self.instances);
        let other = own.state.best_cloud(now).and_then(|position| own.cloud_at(position));
        let other = other.filter(|other| Some(*other) != refused_by && attempts < MOST_ATTEMPTS);
        let Some(job) = self.job(key) else { return };
        job.cloud = other;
        self.send(key);
    }

    /// The cloud executor went down with the tail.
    pub(super) fn no_sign(&mut self, key: JobKey) {
        let Some(job) = self.job(key) else { return };
        job.lost_cloud = job.cloud.take();
        self.go_home(key);
    }
}

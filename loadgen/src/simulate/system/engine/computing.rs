//! The edge's compute thread, and the way from it to the cloud or home.

use schemas::ByteCount;

use super::{Engine, Event, JobKey};
use crate::simulate::system::machine::millis;

impl Engine<'_> {
    /// Lets an idle edge begin with the next request.
    pub(super) fn compute(&mut self, edge: u32) {
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

    pub(super) fn computed(&mut self, key: JobKey) {
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
    pub(super) fn send(&mut self, key: JobKey) {
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
    pub(super) fn go_home(&mut self, key: JobKey) {
        let now = self.now;
        let Some(job) = self.job(key) else { return };
        job.at_home = true;
        job.since = now;
        let edge = job.edge;
        self.edges[edge as usize].waiting.push_front(key);
        self.compute(edge);
    }
}

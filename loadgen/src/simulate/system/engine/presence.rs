//! What schedulers see of cloud executors, and machines that go down and come back.

use schemas::Millis;

use super::{Engine, Event, Job, JobKey};
use crate::simulate::system::edge::Announced;
use crate::simulate::system::machine::{exponential_s, millis, nanos};
use crate::simulate::system::script::SimulatedEnd;
use crate::simulate::system::tally::Ending;

impl Engine<'_> {
    pub(super) fn heartbeat(&mut self) {
        let silence = nanos(self.presence.lost_after_ms);
        let Announced { credits, credits_version, members_version } = &mut self.announced;
        let (mut credits_changed, mut members_changed) = (*credits_version == 0, *members_version == 0);
        for ((cloud, seen_at), announced) in self.clouds.iter().zip(&mut self.last_seen).zip(credits) {
            if cloud.up {
                *seen_at = self.now;
            }
            let seen = cloud.up || self.now - *seen_at < silence;
            let now = seen.then(|| cloud.credits());
            credits_changed |= *announced != now;
            members_changed |= announced.is_some() != seen;
            *announced = now;
        }
        *credits_version += u64::from(credits_changed);
        *members_version += u64::from(members_changed);
        self.after(self.presence.heartbeat_ms, Event::Heartbeat);
    }

    pub(super) fn schedule_cloud_turn(&mut self, cloud: u32) {
        let executor = &mut self.clouds[cloud as usize];
        let Some(failures) = executor.failures else { return };
        let mean_s = if executor.up { failures.up_s } else { failures.down_s };
        let seconds = exponential_s(&mut executor.random, mean_s);
        self.after(seconds * 1e3, Event::CloudTurns { cloud });
    }

    pub(super) fn cloud_turns(&mut self, cloud: u32) {
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

    pub(super) fn schedule_edge_turn(&mut self, edge: u32) {
        let own = &mut self.edges[edge as usize];
        let Some(failures) = own.failures else { return };
        let mean_s = if own.up { failures.up_s } else { failures.down_s };
        let seconds = exponential_s(&mut own.random, mean_s);
        self.after(seconds * 1e3, Event::EdgeTurns { edge });
    }

    pub(super) fn edge_turns(&mut self, edge: u32) {
        let own = &mut self.edges[edge as usize];
        if own.up {
            own.fail();
            let lost: Vec<JobKey> =
                self.jobs.iter().filter(|job| job.live && job.edge == edge).map(|job| job.key).collect();
            let had_requests = !lost.is_empty();
            for key in lost {
                let Job { request, arrived_at, .. } = self.jobs[key.slot as usize];
                self.release(key);
                self.tally.end(Ending::Lost);
                let (arrived, now) = (Millis::saturating(millis(arrived_at)), self.now_ms());
                if let Some(script) = &mut self.script {
                    script.tell(request, arrived, now, SimulatedEnd::Lost);
                }
            }
            // Otherwise its next request is on the way already.
            if self.closed_loop(edge) && had_requests {
                self.after(self.presence.heartbeat_ms, Event::Arrival { edge });
            }
        } else {
            own.up = true;
        }
        self.schedule_edge_turn(edge);
    }
}

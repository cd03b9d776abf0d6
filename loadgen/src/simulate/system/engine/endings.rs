//! The end of a request: what it took, and what its edge learns from it.

use policy::Observation;
use schemas::{Fallback, Joules, Millis};

use super::{Engine, Event, Job, JobKey};
use crate::recording::Side;
use crate::simulate::system::machine::millis;
use crate::simulate::system::script::{SimulatedAnswer, SimulatedEnd};
use crate::simulate::system::tally::Answered;

impl Engine<'_> {
    pub(super) fn release(&mut self, key: JobKey) {
        self.jobs[key.slot as usize].live = false;
        self.free.push(key.slot);
        self.in_flight -= 1;
    }

    pub(super) fn finish(&mut self, key: JobKey) {
        let Some(job) = self.job(key) else { return };
        let job = *job;
        let latency_ms = millis(self.now - job.arrived_at);
        let profiled = self.profile.configuration(job.configuration as usize);
        let cut = profiled.configuration.cut;
        let side = if job.at_home { Side::Edge } else { Side::of(cut, self.last_cut) };
        let edge_j = job.edge_joules(profiled.home_watts);
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
            limit: Some(ms(job.limit_ms)),
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
        own.held = own.held.saturating_sub(1);
        self.tell(&job, side, edge_j);
        self.release(key);
        if self.closed_loop(job.edge) {
            self.schedule(self.now, Event::Arrival { edge: job.edge });
        }
    }
    /// Tells a script's owner of an answer.
    fn tell(&mut self, job: &Job, side: Side, edge_j: f64) {
        let Some(script) = &mut self.script else { return };
        let ms = Millis::saturating;
        let answer = SimulatedAnswer {
            place: job.configuration as usize,
            configuration: self.profile.configuration(job.configuration as usize).configuration,
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
}

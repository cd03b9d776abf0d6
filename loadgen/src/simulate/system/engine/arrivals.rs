//! Requests arrive, are decided on, and are admitted or turned away.

use policy::Decision;
use schemas::{Millis, Qos};

use super::job::{Admitted, Job};
use super::{Engine, Event, JobKey};
use crate::simulate::system::machine::nanos;
use crate::simulate::system::script::SimulatedEnd;
use crate::simulate::system::tally::Ending;

impl Engine<'_> {
    pub(super) fn schedule_arrival(&mut self, edge: u32) {
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

    pub(super) fn arrive(&mut self, edge: u32) {
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
            return self.turn_away(edge, request, SimulatedEnd::Lost);
        }
        if own.held >= own.queue {
            return self.turn_away(edge, request, SimulatedEnd::TurnedAway);
        }
        own.see(&self.announced, &self.instances);
        let front = self.profile.front();
        let decision = match front.decide(self.policy, &qos, &own.state, now) {
            Ok(decision) => decision,
            Err(refusal) => return self.turn_away(edge, request, SimulatedEnd::Refused(refusal)),
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

    pub(super) fn closed_loop(&self, edge: u32) -> bool {
        self.edges[edge as usize].is_closed_loop()
    }

    fn turn_away(&mut self, edge: u32, request: u64, end: SimulatedEnd) {
        self.tally.end(if end == SimulatedEnd::Lost { Ending::Lost } else { Ending::TurnedAway });
        let now = self.now_ms();
        if let Some(script) = &mut self.script {
            script.tell(request, now, now, end);
        }
        if self.closed_loop(edge) {
            // Whoever was turned away tries again, and not at once.
            self.after(self.presence.heartbeat_ms, Event::Arrival { edge });
        } else {
            self.schedule_arrival(edge);
        }
    }

    pub(super) fn admit(&mut self, edge: u32, request: u64, limit: Millis, decision: &Decision) -> JobKey {
        let configuration = self.profile.decided(decision);
        let own = &self.edges[edge as usize];
        let sample = self.profile.sample(configuration, own.run_seed, request);
        let slot = self.free.pop().unwrap_or(self.jobs.len() as u32);
        let use_of_slot = self.jobs.get(slot as usize).map_or(0, |job| job.key.use_of_slot.wrapping_add(1));
        let key = JobKey { slot, use_of_slot };
        let admitted = Admitted {
            edge,
            request,
            reason: decision.reason,
            configuration: configuration as u32,
            cloud: decision.cloud.and_then(|position| own.cloud_at(position)),
            sample,
            limit_ms: limit.get(),
        };
        let job = Job::new(key, admitted, self.now);
        match self.jobs.get_mut(slot as usize) {
            Some(place) => *place = job,
            None => self.jobs.push(job),
        }
        self.in_flight += 1;
        key
    }
}

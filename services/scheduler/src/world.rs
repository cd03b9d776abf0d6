//! What is known now: presences, fronts, and the state of each edge machine under each front.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use broker::{Fronts, Presences};
use policy::plan::Venue;
use policy::{AdaptiveSettings, NoPlan, PreparedFront, State};
use schemas::{FrontId, InstanceId, Millis, ModelName, Plan, PlanRequest, PolicyName};

use crate::settings::Settings;

/// Prepared fronts kept. A front is some kilobytes, and a site has a handful of networks and machines; when fronts
/// that were replaced have filled this up, all are prepared again, which takes microseconds each.
const GREATEST_PREPARED: usize = 256;

/// States kept, one for each edge executor and front; beyond, all begin anew.
const GREATEST_STATES: usize = 1_024;

/// Whose state it is.
type Key = (InstanceId, FrontId);

/// What is known now.
pub(crate) struct World {
    presences: Presences,
    fronts: Fronts,
    prepared: RwLock<HashMap<FrontId, Arc<PreparedFront>>>,
    states: Mutex<HashMap<Key, State>>,
    policy: PolicyName,
    adaptive: AdaptiveSettings,
    since: Instant,
}

impl World {
    pub(crate) fn new(presences: Presences, fronts: Fronts, settings: &Settings) -> Self {
        Self {
            presences,
            fronts,
            prepared: RwLock::default(),
            states: Mutex::default(),
            policy: settings.policy,
            adaptive: settings.adaptive,
            since: Instant::now(),
        }
    }

    /// Plans one request.
    pub(crate) fn plan(&self, request: &PlanRequest) -> Result<Plan, NoPlan> {
        let policy = request.policy.unwrap_or(self.policy);
        let presences = self.presences.snapshot();
        let fronts = self.prepared_fronts(&request.model);
        let venue = Venue::find(&request.model, &presences, &fronts)?;
        let Some(front) = venue.front else { return venue.plan_without_front(&request.qos, policy) };
        let now = self.now();
        let mut states = self.states();
        if states.len() >= GREATEST_STATES {
            states.clear();
        }
        let state = states
            .entry((venue.edge.instance.clone(), front.id()))
            .or_insert_with(|| State::new(front, self.adaptive));
        state.see(&presences, &venue.edge.node, venue.served, front, now);
        let (plan, decision) = venue.plan(&request.qos, policy, front, state, now)?;
        state.commit(front, &decision, now);
        Ok(plan)
    }

    /// Milliseconds since this world began.
    fn now(&self) -> Millis {
        self.since.elapsed().into()
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        // No code panics while it holds the lock: a poisoned one still guards consistent data.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model's fronts as they are now, each sorted the first time it is seen.
    fn prepared_fronts(&self, model: &ModelName) -> Vec<Arc<PreparedFront>> {
        let fronts = self.fronts.for_model(model);
        let known = self.prepared.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = fronts.iter().map(|front| known.get(&front.id).cloned()).collect() {
            return prepared;
        }
        drop(known);
        let mut known = self.prepared.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() + fronts.len() > GREATEST_PREPARED {
            known.clear();
        }
        let prepare = |front: &Arc<schemas::Front>| {
            known.entry(front.id).or_insert_with(|| Arc::new(PreparedFront::new(front))).clone()
        };
        fronts.iter().map(prepare).collect()
    }
}

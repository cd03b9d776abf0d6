//! What is known now: presences, fronts, and the state of each edge machine under each front.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use broker::{Fronts, Presences};
use policy::plan::Venue;
use policy::{AdaptiveSettings, NoPlan, Observation, PreparedFront, State};
use schemas::{FrontId, InstanceId, Millis, ModelName, Plan, PlanRequest, PolicyName, Receipt, RequestId};

use crate::settings::Settings;

/// Prepared fronts kept. A front is some kilobytes, and a site has a handful of networks and machines; when fronts
/// that were replaced have filled this up, all are prepared again, which takes microseconds each.
const GREATEST_PREPARED: usize = 256;

/// States kept, one for each edge executor and front; beyond, all begin anew.
const GREATEST_STATES: usize = 1_024;

/// Plans whose receipt has not come are remembered up to here, the oldest are given up: more than a site's gateways
/// have open at once.
const GREATEST_OPEN: usize = 4_096;

/// Whose state it is.
type Key = (InstanceId, FrontId);

/// The states, and the plans that receipts will tell of.
#[derive(Default)]
struct States {
    by_key: HashMap<Key, State>,
    open: HashMap<RequestId, OpenPlan>,
    /// The open plans, oldest first; some may be closed already.
    order: VecDeque<RequestId>,
}

/// A plan whose receipt has not come.
struct OpenPlan {
    key: Key,
    cloud: Option<InstanceId>,
}

/// What is known now.
pub(crate) struct World {
    presences: Presences,
    fronts: Fronts,
    prepared: RwLock<HashMap<FrontId, Arc<PreparedFront>>>,
    states: Mutex<States>,
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
        let key = (venue.edge.instance.clone(), front.id());
        let mut states = self.states();
        let state = states.of(&key, front, self.adaptive);
        state.see(&presences, &venue.edge.node, venue.served, front, now);
        let (plan, decision) = venue.plan(&request.qos, policy, front, state, now)?;
        state.commit(front, &decision, now);
        states.open(request.id, OpenPlan { key, cloud: plan.cloud.clone() });
        Ok(plan)
    }

    /// Follows a receipt: of a plan made here, or by another scheduler for an edge machine and front known here.
    pub(crate) fn observe(&self, receipt: &Receipt) {
        let now = self.now();
        let mut states = self.states();
        let (key, planned) = match states.open.remove(&receipt.id) {
            Some(open) => (open.key, open.cloud),
            None => match (&receipt.edge, receipt.front) {
                (Some(edge), Some(front)) => ((edge.clone(), front), None),
                _ => return,
            },
        };
        let Some(front) = self.prepared(key.1) else { return };
        let Some(state) = states.by_key.get_mut(&key) else { return };
        let position =
            |instance: &InstanceId| state.clouds().iter().position(|cloud| cloud.instance == *instance);
        if let Some(seen) = Observation::from_receipt(receipt, planned.as_ref(), position, now) {
            state.observe(&front, &seen);
        }
    }

    /// Milliseconds since this world began.
    fn now(&self) -> Millis {
        self.since.elapsed().into()
    }

    fn states(&self) -> MutexGuard<'_, States> {
        // No code panics while it holds the lock: a poisoned one still guards consistent data.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepared(&self, front: FrontId) -> Option<Arc<PreparedFront>> {
        self.prepared.read().unwrap_or_else(PoisonError::into_inner).get(&front).cloned()
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

impl States {
    /// The state of an edge machine under a front. Under a new front of the same machine, what was learned of link,
    /// executors and hardware goes on.
    fn of(&mut self, key: &Key, front: &PreparedFront, settings: AdaptiveSettings) -> &mut State {
        if !self.by_key.contains_key(key) {
            if self.by_key.len() >= GREATEST_STATES {
                self.by_key.clear();
            }
            let before = self.by_key.iter().find(|((edge, _), _)| *edge == key.0);
            let state = before.map_or_else(|| State::new(front, settings), |(_, state)| state.under(front));
            self.by_key.insert(key.clone(), state);
        }
        self.by_key.entry(key.clone()).or_insert_with(|| State::new(front, settings))
    }

    fn open(&mut self, id: RequestId, plan: OpenPlan) {
        if self.order.len() >= GREATEST_OPEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.open.remove(&oldest);
        }
        self.order.push_back(id);
        self.open.insert(id, plan);
    }
}

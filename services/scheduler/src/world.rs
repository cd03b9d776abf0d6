//! What is known now: presences, fronts, and the state of each edge machine under each front.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use broker::{Fronts, PolicyChoices, Presences};
use policy::plan::Venue;
use policy::{AdaptiveSettings, Comparison, NoPlan, Observation, PreparedFront, Sight, State};
use schemas::{
    EdgeOutlook, Front, FrontId, InstanceId, Millis, ModelName, Plan, PlanRequest, PolicyChoice, Presence,
    Receipt, Regret, RequestId, SchedulerReport, UnixMillis,
};

use crate::settings::Settings;

/// Prepared fronts kept. A front is some kilobytes, and a site has a handful of networks and machines; when fronts
/// that were replaced have filled this up, all are prepared again, which takes microseconds each.
const GREATEST_PREPARED: usize = 256;

/// States kept, one for each edge executor and front; beyond, all begin anew.
const GREATEST_STATES: usize = 1_024;

/// Plans whose receipt has not come are remembered up to here, the oldest are given up: more than a site's gateways
/// have open at once.
const GREATEST_OPEN: usize = 4_096;

/// Edge machines that a report tells of at most.
const GREATEST_REPORTED: usize = 64;

/// Whose state it is.
type Key = (InstanceId, FrontId);

/// The states, and the plans that receipts will tell of.
#[derive(Default)]
struct States {
    by_key: HashMap<Key, Known>,
    open: HashMap<RequestId, OpenPlan>,
    /// The open plans, oldest first; some may be closed already.
    order: VecDeque<RequestId>,
    shadowed: Option<Shadowed>,
}

/// What is known of an edge machine under a front.
struct Known {
    model: ModelName,
    state: State,
    decided_at: Millis,
}

/// How the two policies of a choice compare.
struct Shadowed {
    choice: PolicyChoice,
    regret: Regret,
}

/// A plan whose receipt has not come.
struct OpenPlan {
    key: Key,
    cloud: Option<InstanceId>,
    /// What the shadow was asked, under which choice.
    compared: Option<(PolicyChoice, Comparison)>,
}

/// What is watched.
pub(crate) struct Watched {
    pub(crate) presences: Presences,
    pub(crate) fronts: Fronts,
    pub(crate) choices: PolicyChoices,
}

/// What is known now.
pub(crate) struct World {
    watched: Watched,
    prepared: RwLock<HashMap<FrontId, Arc<PreparedFront>>>,
    states: Mutex<States>,
    settings: Settings,
    since: Instant,
}

impl World {
    pub(crate) fn new(watched: Watched, settings: Settings) -> Self {
        Self {
            watched,
            prepared: RwLock::default(),
            states: Mutex::default(),
            settings,
            since: Instant::now(),
        }
    }

    /// Which policies decide now.
    pub(crate) fn choice(&self) -> PolicyChoice {
        self.watched.choices.now().unwrap_or_else(|| self.settings.choice())
    }

    /// Plans one request.
    pub(crate) fn plan(&self, request: &PlanRequest) -> Result<Plan, NoPlan> {
        let choice = self.choice();
        let policy = request.policy.unwrap_or(choice.policy);
        let presences = self.watched.presences.snapshot();
        let fronts = self.prepared_fronts(&request.model);
        let venue = Venue::find(&request.model, &presences, &fronts)?;
        let Some(front) = venue.front else { return venue.plan_without_front(&request.qos, policy) };
        let now = self.now();
        let key = (venue.edge.instance.clone(), front.id());
        let mut states = self.states();
        let state = states.of(&key, front, &request.model, (self.settings.adaptive, now));
        let (edge, served, prices) = (&venue.edge.node, venue.served, &self.settings.prices);
        state.see(&Sight { presences: &presences, edge, served, prices }, front, now);
        let decided = front.decide(policy, &request.qos, state, now);
        // Who names a policy asks for that one, and says nothing of the choice.
        let shadow = choice.shadow.filter(|_| request.policy.is_none());
        let asked = (&**front, &*state, now);
        let compared = shadow.map(|shadow| Comparison::new(shadow, &decided, &request.qos, asked));
        let planned = decided.map(|decision| {
            let plan = venue.plan(&decision, policy, front, state);
            state.commit(front, &decision, now);
            plan
        });
        if let Some(comparison) = &compared {
            comparison.count(&mut states.shadowed(choice).regret);
        }
        let plan = planned?;
        let compared = compared.map(|comparison| (choice, comparison));
        states.open(request.id, OpenPlan { key, cloud: plan.cloud.clone(), compared });
        Ok(plan)
    }

    /// Follows a receipt: of a plan made here, or by another scheduler for an edge machine and front known here.
    pub(crate) fn observe(&self, receipt: &Receipt) {
        let now = self.now();
        let mut states = self.states();
        let (key, planned) = match states.open.remove(&receipt.id) {
            Some(open) => {
                states.compare(open.compared, receipt);
                (open.key, open.cloud)
            }
            None => match (&receipt.edge, receipt.front) {
                (Some(edge), Some(front)) => ((edge.clone(), front), None),
                _ => return,
            },
        };
        let Some(front) = self.prepared(key.1) else { return };
        let Some(Known { state, .. }) = states.by_key.get_mut(&key) else { return };
        let position =
            |instance: &InstanceId| state.clouds().iter().position(|cloud| cloud.instance == *instance);
        if let Some(seen) = Observation::from_receipt(receipt, planned.as_ref(), position, now) {
            state.observe(&front, &seen);
        }
    }

    /// What is true now, as it is taken to be here.
    pub(crate) fn report(&self, scheduler: &InstanceId) -> SchedulerReport {
        let (choice, now, states) = (self.choice(), self.now(), self.states());
        let shadowed = states.shadowed.as_ref().filter(|shadowed| shadowed.choice == choice);
        SchedulerReport {
            scheduler: scheduler.clone(),
            choice,
            regret: choice
                .shadow
                .map(|_| shadowed.map_or_else(Regret::default, |shadowed| shadowed.regret.clone())),
            edges: states.outlooks(now),
            samples: Vec::new(),
            at: UnixMillis::now(),
        }
    }

    /// The fronts that are decided by now.
    pub(crate) fn fronts(&self) -> Vec<Arc<Front>> {
        self.watched.fronts.all()
    }

    /// What is known of each edge machine and network.
    pub(crate) fn outlooks(&self) -> Vec<EdgeOutlook> {
        self.states().outlooks(self.now())
    }

    /// Who is there.
    pub(crate) fn presences(&self) -> Arc<Vec<Presence>> {
        self.watched.presences.snapshot()
    }

    /// Plans whose receipt has not come.
    pub(crate) fn open_plans(&self) -> usize {
        self.states().open.len()
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
        let fronts = self.watched.fronts.for_model(model);
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
    fn of(
        &mut self,
        key: &Key,
        front: &PreparedFront,
        model: &ModelName,
        (settings, now): (AdaptiveSettings, Millis),
    ) -> &mut State {
        if !self.by_key.contains_key(key) && self.by_key.len() >= GREATEST_STATES {
            self.by_key.clear();
        }
        let before = self.by_key.iter().filter(|((edge, _), _)| *edge == key.0);
        let latest = before.max_by(|(_, a), (_, b)| a.decided_at.get().total_cmp(&b.decided_at.get()));
        let fresh = match latest {
            _ if self.by_key.contains_key(key) => None,
            Some((_, known)) => Some(known.state.under(front)),
            None => Some(State::new(front, settings)),
        };
        let known = self.by_key.entry(key.clone()).or_insert_with(|| Known {
            model: model.clone(),
            state: fresh.unwrap_or_else(|| State::new(front, settings)),
            decided_at: now,
        });
        known.decided_at = now;
        &mut known.state
    }

    /// How the policies of a choice compare; another choice begins anew.
    fn shadowed(&mut self, choice: PolicyChoice) -> &mut Shadowed {
        if self.shadowed.as_ref().is_some_and(|shadowed| shadowed.choice != choice) {
            self.shadowed = None;
        }
        self.shadowed.get_or_insert_with(|| Shadowed { choice, regret: Regret::default() })
    }

    /// Counts what came out of a request that two policies were asked for.
    fn compare(&mut self, compared: Option<(PolicyChoice, Comparison)>, receipt: &Receipt) {
        if let Some((choice, comparison)) = compared
            && let Some(shadowed) = self.shadowed.as_mut().filter(|shadowed| shadowed.choice == choice)
        {
            comparison.count_receipt(receipt, &mut shadowed.regret.came_out);
        }
    }

    /// What is known of each edge machine and network, under the front that was decided by last.
    fn outlooks(&self, now: Millis) -> Vec<EdgeOutlook> {
        let mut latest: BTreeMap<(&InstanceId, &ModelName), (FrontId, &Known)> = BTreeMap::new();
        for ((edge, front), known) in &self.by_key {
            let shown = latest.entry((edge, &known.model)).or_insert((*front, known));
            if known.decided_at > shown.1.decided_at {
                *shown = (*front, known);
            }
        }
        let outlook = |((edge, model), (front, known)): ((&InstanceId, &ModelName), (FrontId, &Known))| {
            let link = known.state.link();
            EdgeOutlook {
                edge: edge.clone(),
                model: model.clone(),
                front,
                link_base_ms: link.base(),
                link_mbit: link.megabits_a_second(),
                link_age_ms: link.age(now),
                clock_khz: known.state.clock(),
            }
        };
        latest.into_iter().take(GREATEST_REPORTED).map(outlook).collect()
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

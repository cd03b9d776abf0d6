//! A whole trace from a seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemas::{Millis, ModelName, Qos};

use super::arrivals::{Arrivals, Clock};
use super::limits::{Extremes, Limits};
use super::{Tenant, Trace, TraceRequest};
use crate::error::LoadgenError;

/// Requests of one trace at most: what a file and a replay hold in memory. A simulation takes the requests one by one.
pub const MOST_REQUESTS: u64 = 10_000_000;

/// Names, each with its weight: how often it is chosen compared with the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix<T>(Vec<(Arc<T>, f64)>);

impl<T> Mix<T> {
    /// Takes names with weights above 0; `None` when there are none.
    pub fn new(weighted: Vec<(T, f64)>) -> Option<Self> {
        let usable = !weighted.is_empty() && weighted.iter().all(|(_, weight)| *weight > 0.0);
        usable.then(|| Self(weighted.into_iter().map(|(name, weight)| (Arc::new(name), weight)).collect()))
    }

    fn draw(&self, random: &mut impl Rng) -> &Arc<T> {
        let whole: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut rest = random.random::<f64>() * whole;
        for (name, weight) in &self.0 {
            if rest < *weight {
                return name;
            }
            rest -= weight;
        }
        // Rounding may leave a little of the last weight.
        &self.0[self.0.len() - 1].0
    }
}

/// What a trace is made from. The same recipe gives the same trace on every machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The networks that are asked.
    pub models: Mix<ModelName>,
    /// Who asks.
    pub tenants: Option<Mix<Tenant>>,
    /// When.
    pub arrivals: Arrivals,
    /// Within what.
    pub limits: Limits,
    /// Within what, of the requests to a network or from a tenant of that name; the tenant goes first.
    pub limits_of: BTreeMap<String, Limits>,
    /// How many requests there are.
    pub requests: u64,
    /// The seed.
    pub seed: u64,
}

/// Each kind of choice has a stream of its own, so that another mix changes no time and other arrivals no limit.
#[derive(Clone, Copy)]
enum Stream {
    Limits = 0,
    Arrivals = 1,
    Models = 2,
    Tenants = 3,
}

impl Recipe {
    /// One request after the other to one network, 100 of them.
    pub fn sequential(model: &ModelName, limits: Limits) -> Self {
        Self {
            models: Mix(vec![(Arc::new(model.clone()), 1.0)]),
            tenants: None,
            arrivals: Arrivals::Sequential,
            limits,
            limits_of: BTreeMap::new(),
            requests: 100,
            seed: 1,
        }
    }

    /// The whole trace; at most [`MOST_REQUESTS`].
    pub fn trace(&self) -> Result<Trace, LoadgenError> {
        if self.requests > MOST_REQUESTS {
            let problem = format!("{} requests are more than a trace holds, {MOST_REQUESTS}", self.requests);
            return Err(LoadgenError::InvalidTrace(problem));
        }
        Trace::new(self.requests()?.collect())
    }

    /// The requests one by one, in constant memory: for traces that are not kept.
    pub fn requests(&self) -> Result<Requests<'_>, LoadgenError> {
        let recorded = match &self.arrivals {
            Arrivals::Recorded { file, .. } => recorded(file)?,
            _ => Vec::new(),
        };
        let extremes = self.extremes();
        Ok(Requests { draws: Draws::new(self, recorded), extremes, left: self.requests })
    }

    /// The paper's limits are scaled by the extremes of all that are drawn, so those are drawn once before.
    fn extremes(&self) -> BTreeMap<Whose, Extremes> {
        let mut extremes = BTreeMap::new();
        if self.all_limits().any(|limits| matches!(limits, Limits::Weibull { .. })) {
            let mut draws = Draws::new(self, Vec::new());
            for _ in 0..self.requests {
                let who = draws.who();
                let drawn = draws.limit(&who);
                let of = extremes.entry(who.whose(self)).or_insert(Extremes::NONE);
                *of = of.with(drawn);
            }
        }
        extremes
    }

    fn all_limits(&self) -> impl Iterator<Item = Limits> {
        self.limits_of.values().copied().chain([self.limits])
    }
}

/// Whose limits: of the tenant or network of that name, or those of everybody, apart for each network.
type Whose = String;

#[derive(Debug)]
struct Who {
    model: Arc<ModelName>,
    tenant: Option<Arc<Tenant>>,
}

impl Who {
    fn named<'r>(&self, recipe: &'r Recipe) -> Option<(&'r String, Limits)> {
        let tenant = self.tenant.as_ref().and_then(|tenant| recipe.limits_of.get_key_value(&tenant.0));
        let found = tenant.or_else(|| recipe.limits_of.get_key_value(self.model.as_str()));
        found.map(|(name, limits)| (name, *limits))
    }

    fn limits(&self, recipe: &Recipe) -> Limits {
        self.named(recipe).map_or(recipe.limits, |(_, limits)| limits)
    }

    fn whose(&self, recipe: &Recipe) -> Whose {
        self.named(recipe).map_or_else(|| self.model.as_str().to_owned(), |(name, _)| name.clone())
    }
}

#[derive(Debug)]
struct Draws<'r> {
    recipe: &'r Recipe,
    limits: ChaCha8Rng,
    models: ChaCha8Rng,
    tenants: ChaCha8Rng,
    clock: Clock<ChaCha8Rng>,
}

impl<'r> Draws<'r> {
    fn new(recipe: &'r Recipe, recorded: Vec<(Millis, u64)>) -> Self {
        let stream = |stream: Stream| {
            let mut random = ChaCha8Rng::seed_from_u64(recipe.seed);
            random.set_stream(stream as u64);
            random
        };
        Self {
            recipe,
            limits: stream(Stream::Limits),
            models: stream(Stream::Models),
            tenants: stream(Stream::Tenants),
            clock: recipe.arrivals.clock(stream(Stream::Arrivals), recorded),
        }
    }

    fn who(&mut self) -> Who {
        let model = self.recipe.models.draw(&mut self.models).clone();
        let tenant = self.recipe.tenants.as_ref().map(|tenants| tenants.draw(&mut self.tenants).clone());
        Who { model, tenant }
    }

    fn limit(&mut self, who: &Who) -> f64 {
        who.limits(self.recipe).draw(&mut self.limits)
    }
}

/// The requests of a recipe, one by one.
#[derive(Debug)]
pub struct Requests<'r> {
    draws: Draws<'r>,
    extremes: BTreeMap<Whose, Extremes>,
    left: u64,
}

impl Iterator for Requests<'_> {
    type Item = TraceRequest;

    fn next(&mut self) -> Option<TraceRequest> {
        self.left = self.left.checked_sub(1)?;
        let who = self.draws.who();
        let drawn = self.draws.limit(&who);
        let arrival = self.draws.clock.next_arrival();
        let recipe = self.draws.recipe;
        let extremes = match self.extremes.is_empty() {
            true => Extremes::NONE,
            false => self.extremes.get(&who.whose(recipe)).copied().unwrap_or(Extremes::NONE),
        };
        let latency_ms = who.limits(recipe).limit(drawn, extremes);
        Some(TraceRequest {
            at: arrival.at,
            query: arrival.query,
            model: who.model,
            tenant: who.tenant,
            qos: Qos::within(latency_ms),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

fn recorded(file: &Path) -> Result<Vec<(Millis, u64)>, LoadgenError> {
    let trace = Trace::read(file)?;
    let times = trace.requests().iter().map(|request| request.at.map(|at| (at, request.query)));
    times.collect::<Option<Vec<_>>>().ok_or_else(|| LoadgenError::NoTimes(file.to_path_buf()))
}

#[cfg(test)]
mod tests;

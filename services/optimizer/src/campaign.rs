//! One network measured: what the strategy asks for over the live pipeline, then the front.

use schemas::{
    Configuration, Cut, Expectation, Fault, FaultKind, Front, FrontId, Measurement, OptimizeReply,
    SearchSummary, UnixMillis,
};
use search::Candidate;
use search::strategy::{StopRule, Strategy, StrategyName};
use tokio::task::spawn_blocking;
use tracing::info;

use crate::facts::{self, Ends};
use crate::forecast::{Forecast, expectation};
use crate::front::{Judged, judge};
use crate::guard::Offers;
use crate::objectives::observation;
use crate::sampler::Sampler;
use crate::space::Choices;

/// How a campaign searches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    pub(crate) strategy: StrategyName,
    pub(crate) seed: u64,
    /// The most configurations to measure.
    pub(crate) most: usize,
}

/// The measuring of one network.
pub(crate) struct Campaign<'a> {
    pub(crate) sampler: Sampler<'a>,
    pub(crate) choices: &'a Choices,
    pub(crate) search: Search,
}

/// What chooses, and what says beforehand how it will be.
struct Mind {
    strategy: Box<dyn Strategy>,
    forecast: Option<Forecast>,
}

/// The two baselines, as they were measured.
struct Baselines {
    all_cloud: Measurement,
    all_edge: Measurement,
}

impl Campaign<'_> {
    /// Measures what the strategy asks for and puts the front together. Warns of configurations that did not run; fails when
    /// one of the two baselines did not.
    pub(crate) async fn run(mut self, started_at: UnixMillis) -> Result<OptimizeReply, Fault> {
        let baselines = self.baselines();
        self.sampler.measure(&baselines).await?;
        let mut mind = self.mind(&self.measured(&baselines)?).await?;
        self.tell(&mut mind, &baselines);
        loop {
            let (asked, batch) = self.ask(mind).await?;
            mind = asked;
            if batch.is_empty() {
                break;
            }
            self.sampler.measure(&batch).await?;
            self.tell(&mut mind, &batch);
        }
        self.sampler.look_again().await?;
        let ledger = &self.sampler.ledger;
        let (measurements, resumed_samples) = (ledger.measurements(), ledger.resumed());
        let offers = ledger.offers(self.sampler.probe.settings.greatest_accuracy_loss);
        let front = self.front(&measurements, offers, self.measured(&baselines)?, started_at);
        info!(model = %front.model, points = front.points.len(), measured = front.measured, "measured");
        Ok(OptimizeReply { front, measurements, resumed_samples, notes: self.sampler.notes })
    }

    /// Everything in the cloud and everything on the edge, at the highest clock.
    fn baselines(&self) -> [Configuration; 2] {
        let highest = self.sampler.pairs().first().and_then(|pair| pair.frequencies().last().copied());
        [Cut::ALL_CLOUD, self.sampler.last_cut()]
            .map(|cut| Configuration { edge_frequency_khz: highest, ..Configuration::at(cut) })
    }

    /// The baselines, when both ran.
    fn measured(&self, [all_cloud, all_edge]: &[Configuration; 2]) -> Result<Baselines, Fault> {
        let one = |baseline: &Configuration, name: &str| {
            self.sampler.ledger.measurement(baseline).ok_or_else(|| {
                let notes = &self.sampler.notes;
                let reason = notes.iter().find(|note| note.starts_with(&baseline.to_string()));
                let message = format!(
                    "the baseline \"{name}\" could not be measured, and no front is published without it: {}",
                    reason.map_or("its reason is in the optimizer's log", String::as_str)
                );
                Fault::new(FaultKind::Unavailable, message)
            })
        };
        Ok(Baselines {
            all_cloud: one(all_cloud, "everything in the cloud")?,
            all_edge: one(all_edge, "everything on the edge")?,
        })
    }

    /// The strategy and the forecast, told what the layers take.
    async fn mind(&self, Baselines { all_cloud, all_edge }: &Baselines) -> Result<Mind, Fault> {
        let ledger = &self.sampler.ledger;
        let ends = Ends {
            all_cloud,
            all_edge,
            edge_profiles: ledger.profiles(&all_edge.configuration),
            cloud_profiles: ledger.profiles(&all_cloud.configuration),
        };
        let facts = facts::facts(self.sampler.probe.description, &self.choices.cuts(), &ends);
        let Search { strategy, seed, .. } = self.search;
        let space = self.choices.space().clone();
        let built = spawn_blocking(move || {
            let forecast = Forecast::new(&space, &facts);
            let strategy = strategy.build(&space, &facts, seed, Some(StopRule::default()))?;
            Ok(Mind { strategy, forecast })
        });
        let built = built.await.map_err(|_| internal("building the strategy was interrupted"))?;
        built.map_err(|error: search::Error| Fault::new(FaultKind::BadRequest, error.to_string()))
    }

    /// What to measure next; nothing when it is enough. Gives the mind back.
    async fn ask(&mut self, mut mind: Mind) -> Result<(Mind, Vec<Configuration>), Fault> {
        let room = self.search.most.saturating_sub(self.sampler.ledger.len());
        let at_once = self.sampler.probe.settings.batch as usize * self.sampler.pairs().len();
        let count = room.min(at_once);
        if count == 0 || mind.strategy.is_finished() {
            return Ok((mind, Vec::new()));
        }
        // Choosing takes up to some hundred milliseconds.
        let asked = spawn_blocking(move || {
            let asked = mind.choose(count);
            (mind, asked)
        });
        let (mind, asked) = asked.await.map_err(|_| internal("the strategy was interrupted"))?;
        let batch = asked.into_iter().map(|(candidate, expected)| {
            let configuration = self.choices.configuration(candidate);
            let place = self.sampler.open(&configuration);
            if let Some(expected) = expected {
                self.sampler.ledger.expect(place, expected);
            }
            configuration
        });
        let batch = batch.collect();
        Ok((mind, batch))
    }

    fn tell(&self, mind: &mut Mind, batch: &[Configuration]) {
        for configuration in batch {
            let Some(candidate) = self.choices.candidate(configuration) else { continue };
            match self.sampler.ledger.measurement(configuration) {
                Some(measurement) => {
                    let observation = observation(&measurement);
                    mind.strategy.tell(candidate, &observation);
                    if let Some(forecast) = &mut mind.forecast {
                        forecast.tell(candidate, &observation);
                    }
                }
                None => mind.strategy.failed(candidate),
            }
        }
    }

    fn front(
        &self,
        measurements: &[Measurement],
        offers: Offers,
        baselines: Baselines,
        started_at: UnixMillis,
    ) -> Front {
        let description = self.sampler.probe.description;
        for withheld in &offers.withheld {
            info!(model = %description.name, reason = %withheld, "a codec is not offered");
        }
        let is_offered = |measurement: &&Measurement| {
            let Configuration { cut, codec, .. } = measurement.configuration;
            offers.offered.contains(&(cut, codec))
        };
        let in_space =
            |measurement: &&Measurement| self.choices.candidate(&measurement.configuration).is_some();
        let offered: Vec<Measurement> =
            measurements.iter().filter(is_offered).filter(in_space).cloned().collect();
        let last_cut = self.sampler.last_cut();
        let Judged { points, tied, suspects } = judge(&offered, last_cut);
        let Search { strategy, seed, .. } = self.search;
        let (legal, quantile) = (self.choices.legal() as u64, self.sampler.care().quantile);
        let pair = &self.sampler.pairs()[0];
        Front {
            id: FrontId::fresh(),
            revision: 1,
            model: description.name.clone(),
            digest: description.digest.clone(),
            last_cut,
            edge: pair.edge_node.clone(),
            emulates: pair.emulates().map(str::to_owned),
            cloud: pair.cloud_node.clone(),
            points,
            tied,
            suspects,
            all_cloud: baselines.all_cloud,
            all_edge: baselines.all_edge,
            withheld: offers.withheld,
            hardware_changes: self.sampler.probe.hardware_changes(),
            search: Some(SearchSummary { strategy: strategy.to_string(), seed, legal, quantile }),
            measured: u32::try_from(measurements.len()).unwrap_or(u32::MAX),
            started_at,
            ended_at: UnixMillis::now(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            content: None,
        }
    }
}

impl Mind {
    /// Up to so many candidates, each with what is expected of it.
    fn choose(&mut self, count: usize) -> Vec<(Candidate, Option<Expectation>)> {
        if let Some(forecast) = &mut self.forecast {
            forecast.update();
        }
        let asked = self.strategy.ask(count);
        let expected = |candidate| match &self.forecast {
            Some(forecast) => forecast.of(candidate),
            None => self.strategy.prediction(candidate).and_then(expectation),
        };
        asked.into_iter().map(|candidate| (candidate, expected(candidate))).collect()
    }
}

fn internal(message: &str) -> Fault {
    Fault::new(FaultKind::Internal, message)
}

//! One network measured: what the strategy asks for over the live pipeline, then the front.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use broker::subjects;
use futures::future::join_all;
use schemas::{
    Configuration, Cut, Expectation, Fault, FaultKind, Front, FrontId, Joules, LayerProfile, Measurement,
    Millis, OptimizeProgress, OptimizeReply, OptimizeRequest, SearchSummary, Share, UnixMillis,
};
use search::Candidate;
use search::greybox::Prediction;
use search::strategy::{StopRule, Strategy, StrategyName};
use tokio::task::spawn_blocking;
use tracing::{debug, info, warn};

use crate::front::{Judged, judge};
use crate::guard::{self, Observation, Offers};
use crate::journal::Entry;
use crate::objectives::observation;
use crate::probe::{Probe, Trouble, Visited, is_end};
use crate::record::{AnswerGroup, Answers, Nodes, Record, Sample};
use crate::site::Pair;
use crate::space::{Choices, last_cut};
use crate::{facts, physics, statistics};

/// After so many failed configurations in a row something all of them need is gone; the rest is not tried, as
/// each failure may take seconds.
const FAILURES_IN_A_ROW: u32 = 5;

/// How a campaign searches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    pub(crate) strategy: StrategyName,
    pub(crate) seed: u64,
    /// The most configurations to measure.
    pub(crate) most: usize,
    /// The least and the most samples of a configuration.
    pub(crate) samples: (u32, u32),
    /// The quantile of the latencies that configurations are judged by.
    pub(crate) quantile: Share,
}

/// What an earlier run of the same campaign left.
#[derive(Debug, Default)]
struct Left {
    samples: HashMap<Configuration, (Nodes, Vec<Sample>)>,
    doubted: HashSet<Configuration>,
    answers: Vec<(Configuration, usize, crate::record::Answer)>,
    profiles: HashMap<Configuration, Vec<LayerProfile>>,
}

/// The measuring of one network.
pub(crate) struct Campaign<'a> {
    pub(crate) probe: Probe<'a>,
    pub(crate) request: &'a OptimizeRequest<'a>,
    pub(crate) choices: &'a Choices,
    pub(crate) search: Search,
    pairs: Vec<Pair>,
    left: Left,
    resumed: u32,
    /// In the order of measuring.
    records: Vec<Record>,
    places: HashMap<Configuration, usize>,
    answers: BTreeMap<AnswerGroup, Answers>,
    profiles: HashMap<Configuration, Vec<LayerProfile>>,
    failed: BTreeSet<usize>,
    failures_in_a_row: u32,
    warm: BTreeSet<usize>,
    notes: Vec<String>,
}

impl<'a> Campaign<'a> {
    /// A campaign on some pairs that goes on from what an earlier run left.
    pub(crate) fn new(
        probe: Probe<'a>,
        request: &'a OptimizeRequest<'a>,
        choices: &'a Choices,
        search: Search,
        pairs: Vec<Pair>,
        entries: Vec<Entry>,
    ) -> Self {
        let left = Left::of(entries);
        Self {
            probe,
            request,
            choices,
            search,
            pairs,
            left,
            resumed: 0,
            records: Vec::new(),
            places: HashMap::new(),
            answers: BTreeMap::new(),
            profiles: HashMap::new(),
            failed: BTreeSet::new(),
            failures_in_a_row: 0,
            warm: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// Measures what the strategy asks for and puts the front together. Warns of configurations that did not run; fails when
    /// one of the two baselines did not.
    pub(crate) async fn run(mut self, started_at: UnixMillis) -> Result<OptimizeReply, Fault> {
        let baselines = self.baselines();
        self.measure(&baselines).await?;
        let baselines = self.existing(&baselines)?;
        let mut strategy = self.strategy(&baselines[1]).await?;
        self.tell(strategy.as_mut(), &baselines);
        loop {
            let (asked, batch) = self.ask(strategy).await?;
            strategy = asked;
            if batch.is_empty() {
                break;
            }
            self.measure(&batch).await?;
            self.tell(strategy.as_mut(), &batch);
        }
        self.look_again().await?;
        let (measurements, offers) = self.judged();
        let front = self.front(&measurements, offers, &baselines, started_at)?;
        info!(model = %front.model, points = front.points.len(), measured = front.measured, "measured");
        Ok(OptimizeReply { front, measurements, resumed_samples: self.resumed, notes: self.notes })
    }

    /// Everything in the cloud and everything on the edge, at the highest clock.
    fn baselines(&self) -> [Configuration; 2] {
        let highest = self.pairs.first().and_then(|pair| pair.frequencies().last().copied());
        [Cut::ALL_CLOUD, last_cut(self.probe.description)]
            .map(|cut| Configuration { edge_frequency_khz: highest, ..Configuration::at(cut) })
    }

    /// The baselines, when both ran.
    fn existing(&self, baselines: &[Configuration; 2]) -> Result<[Configuration; 2], Fault> {
        let names = ["everything in the cloud", "everything on the edge"];
        for (baseline, name) in baselines.iter().zip(names) {
            let ran = self.places.get(baseline).is_some_and(|place| !self.failed.contains(place));
            if !ran {
                let reason = self.notes.iter().find(|note| note.starts_with(&baseline.to_string()));
                let message = format!(
                    "the baseline \"{name}\" could not be measured, and no front is published without it: {}",
                    reason.map_or("its reason is in the optimizer's log", String::as_str)
                );
                return Err(Fault::new(FaultKind::Unavailable, message));
            }
        }
        Ok(*baselines)
    }

    /// The strategy, told what the layers take.
    async fn strategy(&self, all_edge: &Configuration) -> Result<Box<dyn Strategy>, Fault> {
        let profiles = self.profiles.get(all_edge).map_or(&[][..], Vec::as_slice);
        let facts = facts::facts(self.probe.description, &self.choices.cuts(), profiles);
        let Search { strategy, seed, .. } = self.search;
        let space = self.choices.space().clone();
        let built =
            spawn_blocking(move || strategy.build(&space, &facts, seed, Some(StopRule::default()))).await;
        let built =
            built.map_err(|_| Fault::new(FaultKind::Internal, "building the strategy was interrupted"))?;
        built.map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))
    }

    /// What to measure next; nothing when it is enough. Gives the strategy back.
    async fn ask(
        &mut self,
        mut strategy: Box<dyn Strategy>,
    ) -> Result<(Box<dyn Strategy>, Vec<Configuration>), Fault> {
        let room = self.search.most.saturating_sub(self.records.len());
        let count = room.min(self.probe.settings.batch as usize * self.pairs.len());
        if count == 0 || strategy.is_finished() {
            return Ok((strategy, Vec::new()));
        }
        // Choosing takes up to some hundred milliseconds.
        let asked = spawn_blocking(move || {
            let asked: Vec<(Candidate, Option<Prediction>)> = strategy
                .ask(count)
                .into_iter()
                .map(|candidate| (candidate, strategy.prediction(candidate)))
                .collect();
            (strategy, asked)
        });
        let (strategy, asked) =
            asked.await.map_err(|_| Fault::new(FaultKind::Internal, "the strategy was interrupted"))?;
        let mut batch = Vec::with_capacity(asked.len());
        for (candidate, prediction) in asked {
            let configuration = self.choices.configuration(candidate);
            let place = self.place(&configuration);
            let expectation = prediction.filter(|_| !self.records.is_empty()).and_then(expectation);
            if let (Some(record), Some(expected)) = (self.records.get_mut(place), expectation) {
                record.expect(expected);
            }
            batch.push(configuration);
        }
        Ok((strategy, batch))
    }

    fn tell(&self, strategy: &mut dyn Strategy, batch: &[Configuration]) {
        for configuration in batch {
            let Some(candidate) = self.choices.candidate(configuration) else { continue };
            match self.measurement(configuration) {
                Some(measurement) => strategy.tell(candidate, &observation(&measurement)),
                None => strategy.failed(candidate),
            }
        }
    }

    /// The place of a configuration's record, made when it is missing: with what an earlier run left.
    fn place(&mut self, configuration: &Configuration) -> usize {
        if let Some(&place) = self.places.get(configuration) {
            return place;
        }
        let place = self.records.len();
        let pair = &self.pairs[place % self.pairs.len()];
        let nodes = Nodes { edge: pair.edge_node.clone(), cloud: pair.cloud_node.clone() };
        let described = self.probe.description.cuts.iter().find(|cut| cut.cut == configuration.cut);
        let name = described.map(|cut| cut.name.clone()).unwrap_or_default();
        let mut record = Record::new(*configuration, name, nodes.clone());
        if self.left.doubted.contains(configuration) {
            record.doubt();
        }
        if let Some((of, samples)) = self.left.samples.remove(configuration)
            && self.pairs.iter().any(|pair| pair.edge_node == of.edge && pair.cloud_node == of.cloud)
        {
            record.begin_again(of);
            self.resumed += u32::try_from(samples.len()).unwrap_or(u32::MAX);
            samples.into_iter().for_each(|sample| record.push(sample));
            self.remember(&record);
        }
        if let Some(profiles) = self.left.profiles.remove(configuration) {
            self.profiles.insert(*configuration, profiles);
        }
        self.records.push(record);
        self.places.insert(*configuration, place);
        place
    }

    /// Samples some configurations until each is sure enough or has had its most, learns their answers, and measures those
    /// again that contradict physics.
    async fn measure(&mut self, batch: &[Configuration]) -> Result<(), Fault> {
        let places: Vec<usize> = batch.iter().map(|configuration| self.place(configuration)).collect();
        self.sample(&places).await?;
        self.learn_answers(&places).await?;
        let doubtful = self.doubtful();
        for &place in &doubtful {
            let record = &mut self.records[place];
            warn!(configuration = %record.configuration(), "what was measured contradicts physics, measuring again");
            record.doubt();
            let configuration = *record.configuration();
            self.probe.write(Entry::SetAside { configuration, doubted: true }).await?;
        }
        self.sample(&doubtful).await
    }

    /// Rounds over the configurations, each the other way round, so that a drift of the machines does not look like an effect
    /// of a knob.
    async fn sample(&mut self, places: &[usize]) -> Result<(), Fault> {
        let slice = self.search.samples.0.div_ceil(2);
        for round in 0_usize.. {
            let mut wanting: Vec<(usize, u32)> = places
                .iter()
                .filter(|place| !self.failed.contains(place))
                .map(|&place| (place, self.wanting(place).min(slice)))
                .filter(|(_, wanting)| *wanting > 0)
                .collect();
            if wanting.is_empty() {
                break;
            }
            if round % 2 == 1 {
                wanting.reverse();
            }
            self.round(&wanting).await?;
        }
        Ok(())
    }

    /// How many more samples a configuration is to have.
    fn wanting(&self, place: usize) -> u32 {
        let (least, most) = self.search.samples;
        let record = &self.records[place];
        let count = record.count();
        if count < least {
            return least - count;
        }
        let is_sure = || {
            let uncertainty = record.uncertainty(self.search.quantile);
            uncertainty.is_some_and(|known| statistics::is_narrow(&known, self.probe.settings.interval))
        };
        if count >= most || is_sure() { 0 } else { most - count }
    }

    /// Visits each of some configurations once, on all pairs at the same time.
    async fn round(&mut self, wanting: &[(usize, u32)]) -> Result<(), Fault> {
        let mut jobs: Vec<Vec<Job>> = self.pairs.iter().map(|_| Vec::new()).collect();
        for &(place, samples) in wanting {
            let record = self.records[place].clone();
            let of_pair = |pair: &Pair| {
                pair.edge_node == record.nodes().edge && pair.cloud_node == record.nodes().cloud
            };
            let pair = self.pairs.iter().position(of_pair).unwrap_or(place % self.pairs.len());
            jobs[pair].push(Job { place, record, samples, is_cold: !self.warm.contains(&place) });
        }
        let all = self.pairs.clone();
        let probe = &self.probe;
        let working = self.pairs.iter_mut().zip(jobs).enumerate().map(|(own, (pair, jobs))| {
            let others: Vec<Pair> = all
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != own)
                .map(|(_, pair)| pair.clone())
                .collect();
            async move {
                let mut done = Vec::with_capacity(jobs.len());
                for mut job in jobs {
                    let Job { record, samples, is_cold, .. } = &mut job;
                    let ended = probe.visit(pair, &others, record, *samples, *is_cold).await;
                    let is_over = matches!(ended, Err(Trouble::Final(_)));
                    done.push((job, ended));
                    if is_over {
                        break;
                    }
                }
                done
            }
        });
        let done: Vec<(Job, Result<Visited, Trouble>)> =
            join_all(working).await.into_iter().flatten().collect();
        for (job, ended) in done {
            self.take_in(job, ended).await?;
        }
        Ok(self.probe.sync().await?)
    }

    async fn take_in(&mut self, job: Job, ended: Result<Visited, Trouble>) -> Result<(), Fault> {
        let Job { place, record, .. } = job;
        let configuration = *record.configuration();
        self.remember(&record);
        self.records[place] = record;
        match ended {
            Ok(Visited { profiles }) => {
                self.failures_in_a_row = 0;
                self.warm.insert(place);
                if !profiles.is_empty() && is_end(configuration.cut, last_cut(self.probe.description)) {
                    self.profiles.insert(configuration, profiles);
                }
                self.report(place).await;
                Ok(())
            }
            Err(Trouble::Final(fault)) => Err(fault),
            Err(Trouble::Configuration(reason) | Trouble::Lost(reason)) => self.leave_out(place, &reason),
        }
    }

    /// Keeps what was answered for the group of the configuration.
    fn remember(&mut self, record: &Record) {
        let group = self.answers.entry(AnswerGroup::of(record.configuration())).or_default();
        for (picture, answer) in record.answers() {
            group.entry(picture).or_insert(answer);
        }
    }

    /// Warns of a configuration that did not run; fails when so many did not that the rest is not worth trying.
    fn leave_out(&mut self, place: usize, reason: &str) -> Result<(), Fault> {
        let (model, configuration) = (&self.request.model, *self.records[place].configuration());
        warn!(%model, %configuration, reason, "a configuration could not be measured and is left out");
        self.notes.push(format!("{configuration} could not be measured: {reason}"));
        self.failed.insert(place);
        self.failures_in_a_row += 1;
        if self.failures_in_a_row < FAILURES_IN_A_ROW {
            return Ok(());
        }
        let count = self.failures_in_a_row;
        let message = format!("{count} configurations in a row could not be measured; the last: {reason}");
        Err(Fault::new(FaultKind::Unavailable, message))
    }

    /// Has every group of answers that is new among these classify the labelled pictures that it has not seen, with the
    /// fastest of its configurations here.
    async fn learn_answers(&mut self, places: &[usize]) -> Result<(), Fault> {
        let mut fastest: BTreeMap<AnswerGroup, (Millis, usize)> = BTreeMap::new();
        for &place in places.iter().filter(|place| !self.failed.contains(place)) {
            let Some(latency) = self.records[place].mean_latency() else { continue };
            let group = AnswerGroup::of(self.records[place].configuration());
            let known = fastest.entry(group).or_insert((latency, place));
            if latency.get() < known.0.get() {
                *known = (latency, place);
            }
        }
        for (group, (_, place)) in fastest {
            let configuration = *self.records[place].configuration();
            self.recall(group);
            for picture in self.unseen(group) {
                let pair = &self.pairs[place % self.pairs.len()];
                match self.probe.answer(pair, &configuration, picture).await {
                    Ok(answer) => drop(self.answers.entry(group).or_default().insert(picture, answer)),
                    Err(Trouble::Final(fault)) => return Err(fault),
                    Err(Trouble::Configuration(reason) | Trouble::Lost(reason)) => {
                        debug!(%configuration, picture, reason, "a picture is not classified");
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes in the answers of a group that an earlier run left.
    fn recall(&mut self, group: AnswerGroup) {
        let known = self.answers.entry(group).or_default();
        for (configuration, picture, answer) in &self.left.answers {
            if AnswerGroup::of(configuration) == group {
                known.entry(*picture).or_insert(*answer);
            }
        }
    }

    /// The labelled pictures, up to as many as are set, whose answer is not known.
    fn unseen(&self, group: AnswerGroup) -> Vec<usize> {
        let seen = self.answers.get(&group);
        let most = self.probe.settings.accuracy_pictures as usize;
        let all: Range<usize> = 0..self.request.pictures.len().min(most);
        let is_unseen = |picture: &usize| {
            self.request.pictures[*picture].class.is_some()
                && !seen.is_some_and(|seen| seen.contains_key(picture))
        };
        all.filter(is_unseen).collect()
    }

    /// What contradicts physics and was not measured again for that yet.
    fn doubtful(&self) -> Vec<usize> {
        let places: Vec<usize> =
            (0..self.records.len()).filter(|place| !self.failed.contains(place)).collect();
        let measured: Vec<(usize, Measurement)> =
            places.into_iter().filter_map(|place| Some((place, self.summary(place)?))).collect();
        let measurements: Vec<Measurement> =
            measured.iter().map(|(_, measurement)| measurement.clone()).collect();
        let suspicions = physics::suspicions(&measurements);
        let is_new = |place: usize| !self.records[place].was_doubted();
        let doubtful =
            measured.iter().zip(suspicions).filter(|((place, _), found)| !found.is_empty() && is_new(*place));
        doubtful.map(|((place, _), _)| *place).collect()
    }

    /// Takes more samples of what looks best: of many that are equally good some look better by luck, and what was
    /// measured early met other machines than what was measured late.
    async fn look_again(&mut self) -> Result<(), Fault> {
        let (least, most) = self.search.samples;
        if most == least {
            return Ok(());
        }
        let (measurements, _) = self.judged();
        let Judged { points, tied, .. } = judge(&measurements, last_cut(self.probe.description));
        let mut wanting: Vec<(usize, u32)> = points
            .iter()
            .chain(&tied)
            .filter_map(|point| self.places.get(&point.configuration).copied())
            .map(|place| (place, least.min(most.saturating_sub(self.records[place].count()))))
            .filter(|(_, wanting)| *wanting > 0)
            .collect();
        wanting.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        if wanting.is_empty() { Ok(()) } else { self.round(&wanting).await }
    }

    /// The summary of a record, without what its suspicions are.
    fn summary(&self, place: usize) -> Option<Measurement> {
        let record = self.records.get(place)?;
        let answers = self.answers.get(&AnswerGroup::of(record.configuration()));
        record.measurement(self.search.quantile, answers.unwrap_or(&Answers::new()))
    }

    fn measurement(&self, configuration: &Configuration) -> Option<Measurement> {
        let place = self.places.get(configuration).filter(|place| !self.failed.contains(place))?;
        self.summary(*place)
    }

    /// Everything that was measured, with what contradicts physics, and which codecs cost little enough.
    fn judged(&self) -> (Vec<Measurement>, Offers) {
        let places: Vec<usize> =
            (0..self.records.len()).filter(|place| !self.failed.contains(place)).collect();
        let mut measurements: Vec<Measurement> =
            places.iter().filter_map(|place| self.summary(*place)).collect();
        let suspicions = physics::suspicions(&measurements);
        for (measurement, found) in measurements.iter_mut().zip(suspicions) {
            if let Some(provenance) = &mut measurement.provenance {
                provenance.suspicions = found;
            }
        }
        let observe = |place: &usize| {
            let configuration = self.records[*place].configuration();
            let answers = self.answers.get(&AnswerGroup::of(configuration)).cloned().unwrap_or_default();
            Observation { cut: configuration.cut, codec: configuration.codec, answers }
        };
        let observations: Vec<Observation> = places.iter().map(observe).collect();
        (measurements, guard::judge(&observations, self.probe.settings.greatest_accuracy_loss))
    }

    fn front(
        &self,
        measurements: &[Measurement],
        offers: Offers,
        baselines: &[Configuration; 2],
        started_at: UnixMillis,
    ) -> Result<Front, Fault> {
        for withheld in &offers.withheld {
            info!(model = %self.request.model, reason = %withheld, "a codec is not offered");
        }
        let is_offered = |measurement: &&Measurement| {
            let Configuration { cut, codec, .. } = measurement.configuration;
            offers.offered.contains(&(cut, codec))
        };
        let in_space =
            |measurement: &&Measurement| self.choices.candidate(&measurement.configuration).is_some();
        let offered: Vec<Measurement> =
            measurements.iter().filter(is_offered).filter(in_space).cloned().collect();
        let description = self.probe.description;
        let last_cut = last_cut(description);
        let Judged { points, tied, suspects } = judge(&offered, last_cut);
        let baseline = |wanted: &Configuration| {
            let found = measurements.iter().find(|measurement| measurement.configuration == *wanted).cloned();
            found.ok_or_else(|| Fault::new(FaultKind::Internal, "a baseline was lost"))
        };
        let Search { strategy, seed, quantile, .. } = self.search;
        let legal = self.choices.legal() as u64;
        let pair = &self.pairs[0];
        Ok(Front {
            id: FrontId::fresh(),
            revision: 1,
            model: self.request.model.clone(),
            digest: description.digest.clone(),
            last_cut,
            edge: pair.edge_node.clone(),
            emulates: pair.emulates().map(str::to_owned),
            cloud: pair.cloud_node.clone(),
            points,
            tied,
            suspects,
            all_cloud: baseline(&baselines[0])?,
            all_edge: baseline(&baselines[1])?,
            withheld: offers.withheld,
            search: Some(SearchSummary { strategy: strategy.to_string(), seed, legal, quantile }),
            measured: u32::try_from(measurements.len()).unwrap_or(u32::MAX),
            started_at,
            ended_at: UnixMillis::now(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Says how far it is; nobody has to listen, so a failure is not one of the measuring.
    async fn report(&self, place: usize) {
        let Some(last) = self.summary(place) else { return };
        let done = self.records.iter().filter(|record| record.count() >= self.search.samples.0).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let total = count(self.search.most.min(self.choices.legal()).max(done));
        let progress = OptimizeProgress { model: self.request.model.clone(), done: count(done), total, last };
        let published = match schemas::encode(&progress) {
            Ok(body) => self.probe.bus.publish(subjects::event("optimize"), body).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = published {
            debug!(%error, "progress was not published");
        }
    }
}

/// A visit to make.
struct Job {
    place: usize,
    record: Record,
    samples: u32,
    is_cold: bool,
}

impl Left {
    fn of(entries: Vec<Entry>) -> Self {
        let mut left = Self::default();
        for entry in entries {
            match entry {
                Entry::Sample { configuration, nodes, sample } => {
                    let known =
                        left.samples.entry(configuration).or_insert_with(|| (nodes.clone(), Vec::new()));
                    known.0 = nodes;
                    known.1.push(sample);
                }
                Entry::SetAside { configuration, doubted } => {
                    left.samples.remove(&configuration);
                    if doubted {
                        left.doubted.insert(configuration);
                    }
                }
                Entry::Answered { configuration, picture, answer } => {
                    left.answers.push((configuration, picture, answer));
                }
                Entry::Profiled { configuration, profiles } => {
                    drop(left.profiles.insert(configuration, profiles))
                }
                Entry::Campaign { .. } | Entry::Ended { .. } => {}
            }
        }
        left
    }
}

/// What a model believes, in quantities.
fn expectation(prediction: Prediction) -> Option<Expectation> {
    let Prediction { log_latency, log_energy, .. } = prediction;
    let reach = 1.96 * log_latency.variance.max(0.0).sqrt();
    let known = log_latency.mean != 0.0 || log_latency.variance != 0.0;
    known.then(|| Expectation {
        latency_ms: Millis::saturating(log_latency.mean.exp()),
        low_ms: Millis::saturating((log_latency.mean - reach).exp()),
        high_ms: Millis::saturating((log_latency.mean + reach).exp()),
        energy_j: (log_energy.variance > 0.0).then(|| Joules::saturating(log_energy.mean.exp())),
    })
}

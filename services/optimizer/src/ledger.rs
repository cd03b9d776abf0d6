//! What a campaign has measured so far, configuration by configuration. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schemas::{
    Configuration, Cut, Expectation, LabelledPicture, LayerProfile, Measurement, Millis, ModelDescription,
    Share,
};

use crate::guard::{self, Observation, Offers};
use crate::journal::Left;
use crate::physics;
use crate::record::{AnswerGroup, Answers, Nodes, Record};

/// Records of configurations, each at its place in the order of measuring.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The quantile of the latencies that configurations are judged by.
    quantile: Share,
    cut_names: HashMap<Cut, String>,
    left: Left,
    resumed: u32,
    records: Vec<Record>,
    places: HashMap<Configuration, usize>,
    answers: BTreeMap<AnswerGroup, Answers>,
    profiles: HashMap<Configuration, Vec<LayerProfile>>,
    failed: BTreeSet<usize>,
}

impl Ledger {
    /// An empty one that takes over what an earlier run left of each configuration when its turn comes.
    pub(crate) fn new(quantile: Share, description: &ModelDescription, left: Left) -> Self {
        Self {
            quantile,
            cut_names: description.cuts.iter().map(|cut| (cut.cut, cut.name.clone())).collect(),
            left,
            resumed: 0,
            records: Vec::new(),
            places: HashMap::new(),
            answers: BTreeMap::new(),
            profiles: HashMap::new(),
            failed: BTreeSet::new(),
        }
    }

    /// The place of a configuration's record, made when it is missing, with what an earlier run left. `machines` are the
    /// pairs that measure, in turn; at least one.
    pub(crate) fn open(&mut self, configuration: &Configuration, machines: &[Nodes]) -> usize {
        if let Some(&place) = self.places.get(configuration) {
            return place;
        }
        let place = self.records.len();
        let name = self.cut_names.get(&configuration.cut).cloned().unwrap_or_default();
        let mut record = Record::new(*configuration, name, machines[place % machines.len()].clone());
        if self.left.doubted.contains(configuration) {
            record.doubt();
        }
        if let Some((of, samples)) = self.left.samples.remove(configuration)
            && machines.contains(&of)
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

    /// Configurations that have a record.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Samples that an earlier run left.
    pub(crate) fn resumed(&self) -> u32 {
        self.resumed
    }

    /// Configurations with so many samples at least.
    pub(crate) fn sampled(&self, least: u32) -> usize {
        self.records.iter().filter(|record| record.count() >= least).count()
    }

    pub(crate) fn record(&self, place: usize) -> &Record {
        &self.records[place]
    }

    /// What a record has become; its answers count for its whole group.
    pub(crate) fn put(&mut self, place: usize, record: Record) {
        self.remember(&record);
        self.records[place] = record;
    }

    /// Notes what is expected of a configuration.
    pub(crate) fn expect(&mut self, place: usize, expected: Expectation) {
        self.records[place].expect(expected);
    }

    /// Sets aside what was measured of a configuration, because it contradicts physics.
    pub(crate) fn doubt(&mut self, place: usize) -> Configuration {
        self.records[place].doubt();
        *self.records[place].configuration()
    }

    /// The configuration could not be measured.
    pub(crate) fn fail(&mut self, place: usize) {
        self.failed.insert(place);
    }

    pub(crate) fn has_failed(&self, place: usize) -> bool {
        self.failed.contains(&place)
    }

    /// The place of a configuration that was measured; `None` of one that was not, or could not be.
    pub(crate) fn place(&self, configuration: &Configuration) -> Option<usize> {
        self.places.get(configuration).copied().filter(|place| !self.has_failed(*place))
    }

    /// Keeps the time of each layer.
    pub(crate) fn profile(&mut self, configuration: Configuration, profiles: Vec<LayerProfile>) {
        self.profiles.insert(configuration, profiles);
    }

    /// The time of each layer, as a configuration ran; empty where nobody timed them.
    pub(crate) fn profiles(&self, configuration: &Configuration) -> &[LayerProfile] {
        self.profiles.get(configuration).map_or(&[], Vec::as_slice)
    }

    fn remember(&mut self, record: &Record) {
        let group = self.answers.entry(AnswerGroup::of(record.configuration())).or_default();
        for (picture, answer) in record.answers() {
            group.entry(picture).or_insert(answer);
        }
    }

    /// The answers of a configuration's group.
    pub(crate) fn answers(&mut self, group: AnswerGroup) -> &mut Answers {
        self.answers.entry(group).or_default()
    }

    /// Of some places, the fastest one of each group of answers.
    pub(crate) fn fastest(&self, places: &[usize]) -> BTreeMap<AnswerGroup, usize> {
        let mut fastest: BTreeMap<AnswerGroup, (Millis, usize)> = BTreeMap::new();
        for &place in places.iter().filter(|place| !self.has_failed(**place)) {
            let Some(latency) = self.records[place].mean_latency() else { continue };
            let group = AnswerGroup::of(self.records[place].configuration());
            let known = fastest.entry(group).or_insert((latency, place));
            if latency.get() < known.0.get() {
                *known = (latency, place);
            }
        }
        fastest.into_iter().map(|(group, (_, place))| (group, place)).collect()
    }

    /// The labelled pictures among the first `most` whose answer by a group is not known, nor left by an earlier run.
    pub(crate) fn unseen(
        &mut self,
        group: AnswerGroup,
        pictures: &[LabelledPicture<'_>],
        most: usize,
    ) -> Vec<usize> {
        let known = self.answers.entry(group).or_default();
        for (configuration, picture, answer) in &self.left.answers {
            if AnswerGroup::of(configuration) == group {
                known.entry(*picture).or_insert(*answer);
            }
        }
        let labelled = pictures.iter().take(most).enumerate().filter(|(_, picture)| picture.class.is_some());
        labelled.map(|(place, _)| place).filter(|place| !known.contains_key(place)).collect()
    }

    /// What contradicts physics and was not measured again for that yet.
    pub(crate) fn doubtful(&self) -> Vec<usize> {
        let (places, measurements): (Vec<usize>, Vec<Measurement>) = self.measured().unzip();
        let suspicions = physics::suspicions(&measurements);
        let doubtful = places
            .into_iter()
            .zip(suspicions)
            .filter(|(place, found)| !found.is_empty() && !self.records[*place].was_doubted());
        doubtful.map(|(place, _)| place).collect()
    }

    /// The summary of a record, without what its suspicions are; `None` before its first sample.
    pub(crate) fn summary(&self, place: usize) -> Option<Measurement> {
        let record = self.records.get(place)?;
        let answers = self.answers.get(&AnswerGroup::of(record.configuration()));
        record.measurement(self.quantile, answers.unwrap_or(&Answers::new()))
    }

    /// The summary of a configuration that was measured.
    pub(crate) fn measurement(&self, configuration: &Configuration) -> Option<Measurement> {
        self.summary(self.place(configuration)?)
    }

    /// The places of what was measured, with their summaries.
    fn measured(&self) -> impl Iterator<Item = (usize, Measurement)> + '_ {
        let places = (0..self.records.len()).filter(|place| !self.has_failed(*place));
        places.filter_map(|place| Some((place, self.summary(place)?)))
    }

    /// Everything that was measured, in order, with what contradicts physics.
    pub(crate) fn measurements(&self) -> Vec<Measurement> {
        let mut measurements: Vec<Measurement> =
            self.measured().map(|(_, measurement)| measurement).collect();
        let suspicions = physics::suspicions(&measurements);
        for (measurement, found) in measurements.iter_mut().zip(suspicions) {
            if let Some(provenance) = &mut measurement.provenance {
                provenance.suspicions = found;
            }
        }
        measurements
    }

    /// Which codecs cost little enough.
    pub(crate) fn offers(&self, greatest_loss: Share) -> Offers {
        let observe = |(place, _): (usize, Measurement)| {
            let configuration = self.records[place].configuration();
            let answers = self.answers.get(&AnswerGroup::of(configuration)).cloned().unwrap_or_default();
            Observation { cut: configuration.cut, codec: configuration.codec, answers }
        };
        let observations: Vec<Observation> = self.measured().map(observe).collect();
        guard::judge(&observations, greatest_loss)
    }
}

//! Measures configurations until each is sure enough: the shell around the ledger.

use std::collections::BTreeSet;

use broker::subjects;
use futures::future::join_all;
use schemas::{Configuration, Cut, Fault, FaultKind, OptimizeProgress, Share};
use tracing::{debug, warn};

use crate::front::{Judged, judge};
use crate::journal::Entry;
use crate::ledger::Ledger;
use crate::probe::{Probe, Trouble, Visited, is_end};
use crate::record::{AnswerGroup, Nodes, Record};
use crate::site::Pair;
use crate::space::last_cut;
use crate::statistics;

/// After so many failed configurations in a row something all of them need is gone; the rest is not tried, as
/// each failure may take seconds.
const FAILURES_IN_A_ROW: u32 = 5;

/// How well configurations are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Care {
    /// The least and the most samples of a configuration.
    pub(crate) samples: (u32, u32),
    /// The quantile of the latencies that configurations are judged by.
    pub(crate) quantile: Share,
}

/// Takes samples on some pairs of machines.
pub(crate) struct Sampler<'a> {
    pub(crate) probe: Probe<'a>,
    pub(crate) ledger: Ledger,
    pairs: Vec<Pair>,
    care: Care,
    /// Configurations that are to be measured at most, for those who look on.
    total: usize,
    failures_in_a_row: u32,
    warm: BTreeSet<usize>,
    /// What could not be measured, in words.
    pub(crate) notes: Vec<String>,
}

/// A visit to make.
struct Job {
    place: usize,
    record: Record,
    samples: u32,
    is_cold: bool,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(probe: Probe<'a>, ledger: Ledger, pairs: Vec<Pair>, care: Care, total: usize) -> Self {
        Self {
            probe,
            ledger,
            pairs,
            care,
            total,
            failures_in_a_row: 0,
            warm: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// The pairs that measure side by side; at least one.
    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    pub(crate) fn care(&self) -> Care {
        self.care
    }

    /// The network's last cut.
    pub(crate) fn last_cut(&self) -> Cut {
        last_cut(self.probe.description)
    }

    /// The place of a configuration in the ledger.
    pub(crate) fn open(&mut self, configuration: &Configuration) -> usize {
        let machines: Vec<Nodes> = self.pairs.iter().map(Nodes::of).collect();
        self.ledger.open(configuration, &machines)
    }

    /// Samples some configurations until each is sure enough or has had its most, learns their answers, and measures those
    /// again that contradict physics.
    pub(crate) async fn measure(&mut self, batch: &[Configuration]) -> Result<(), Fault> {
        let places: Vec<usize> = batch.iter().map(|configuration| self.open(configuration)).collect();
        self.sample(&places).await?;
        self.learn_answers(&places).await?;
        let doubtful = self.ledger.doubtful();
        for &place in &doubtful {
            let configuration = self.ledger.doubt(place);
            warn!(%configuration, "what was measured contradicts physics, measuring again");
            self.probe.write(Entry::SetAside { configuration, doubted: true }).await?;
        }
        self.sample(&doubtful).await
    }

    /// Takes more samples of what looks best: of many that are equally good some look better by luck, and what was
    /// measured early met other machines than what was measured late.
    pub(crate) async fn look_again(&mut self) -> Result<(), Fault> {
        let (least, most) = self.care.samples;
        if most == least {
            return Ok(());
        }
        let Judged { points, tied, .. } = judge(&self.ledger.measurements(), self.last_cut());
        let mut wanting: Vec<(usize, u32)> = points
            .iter()
            .chain(&tied)
            .filter_map(|point| self.ledger.place(&point.configuration))
            .map(|place| (place, least.min(most.saturating_sub(self.ledger.record(place).count()))))
            .filter(|(_, wanting)| *wanting > 0)
            .collect();
        wanting.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        if wanting.is_empty() { Ok(()) } else { self.round(&wanting).await }
    }

    /// Rounds over the configurations, each the other way round, so that a drift of the machines does not look like an effect
    /// of a knob.
    async fn sample(&mut self, places: &[usize]) -> Result<(), Fault> {
        let slice = self.care.samples.0.div_ceil(2);
        for round in 0_usize.. {
            let mut wanting: Vec<(usize, u32)> = places
                .iter()
                .filter(|place| !self.ledger.has_failed(**place))
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
        let (least, most) = self.care.samples;
        let record = self.ledger.record(place);
        let count = record.count();
        if count < least {
            return least - count;
        }
        let is_sure = || {
            let uncertainty = record.uncertainty(self.care.quantile);
            uncertainty.is_some_and(|known| statistics::is_narrow(&known, self.probe.settings.interval))
        };
        if count >= most || is_sure() { 0 } else { most - count }
    }

    /// Visits each of some configurations once, on all pairs at the same time.
    async fn round(&mut self, wanting: &[(usize, u32)]) -> Result<(), Fault> {
        let jobs = self.jobs(wanting);
        let (probe, all) = (&self.probe, self.pairs.clone());
        let working = self.pairs.iter_mut().zip(jobs).enumerate().map(|(own, (pair, jobs))| {
            let others = all.iter().enumerate().filter(|(other, _)| *other != own);
            let others: Vec<Pair> = others.map(|(_, pair)| pair.clone()).collect();
            work(probe, pair, others, jobs)
        });
        let done: Vec<(Job, Result<Visited, Trouble>)> =
            join_all(working).await.into_iter().flatten().collect();
        for (job, ended) in done {
            self.take_in(job, ended).await?;
        }
        Ok(self.probe.sync().await?)
    }

    /// What each pair has to do: to go on with what it began, and its part of the rest.
    fn jobs(&self, wanting: &[(usize, u32)]) -> Vec<Vec<Job>> {
        let mut jobs: Vec<Vec<Job>> = self.pairs.iter().map(|_| Vec::new()).collect();
        for &(place, samples) in wanting {
            let record = self.ledger.record(place).clone();
            let own = self.pairs.iter().position(|pair| Nodes::of(pair) == *record.nodes());
            let own = own.unwrap_or(place % self.pairs.len());
            jobs[own].push(Job { place, record, samples, is_cold: !self.warm.contains(&place) });
        }
        jobs
    }

    async fn take_in(&mut self, job: Job, ended: Result<Visited, Trouble>) -> Result<(), Fault> {
        let Job { place, record, .. } = job;
        let configuration = *record.configuration();
        self.ledger.put(place, record);
        match ended {
            Ok(Visited { profiles }) => {
                self.failures_in_a_row = 0;
                self.warm.insert(place);
                if !profiles.is_empty() && is_end(configuration.cut, self.last_cut()) {
                    self.ledger.profile(configuration, profiles);
                }
                self.report(place).await;
                Ok(())
            }
            Err(Trouble::Final(fault)) => Err(fault),
            Err(Trouble::Configuration(reason) | Trouble::Lost(reason)) => self.leave_out(place, &reason),
        }
    }

    /// Warns of a configuration that did not run; fails when so many did not that the rest is not worth trying.
    fn leave_out(&mut self, place: usize, reason: &str) -> Result<(), Fault> {
        let (model, configuration) =
            (&self.probe.description.name, *self.ledger.record(place).configuration());
        warn!(%model, %configuration, reason, "a configuration could not be measured and is left out");
        self.notes.push(format!("{configuration} could not be measured: {reason}"));
        self.ledger.fail(place);
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
        for (group, place) in self.ledger.fastest(places) {
            let most = self.probe.settings.accuracy_pictures as usize;
            for picture in self.ledger.unseen(group, self.probe.pictures, most) {
                if !self.learn_answer(group, place, picture).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether the picture could be classified.
    async fn learn_answer(
        &mut self,
        group: AnswerGroup,
        place: usize,
        picture: usize,
    ) -> Result<bool, Fault> {
        let configuration = *self.ledger.record(place).configuration();
        let pair = &self.pairs[place % self.pairs.len()];
        match self.probe.answer(pair, &configuration, picture).await {
            Ok(answer) => {
                self.ledger.answers(group).insert(picture, answer);
                Ok(true)
            }
            Err(Trouble::Final(fault)) => Err(fault),
            Err(Trouble::Configuration(reason) | Trouble::Lost(reason)) => {
                debug!(%configuration, picture, reason, "a picture is not classified");
                Ok(false)
            }
        }
    }

    /// Says how far it is; nobody has to listen, so a failure is not one of the measuring.
    async fn report(&self, place: usize) {
        let Some(last) = self.ledger.summary(place) else { return };
        let done = self.ledger.sampled(self.care.samples.0);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (done, total) = (count(done), count(self.total.max(done)));
        let progress = OptimizeProgress { model: self.probe.description.name.clone(), done, total, last };
        self.probe.metrics.measured(&progress);
        let published = match schemas::encode(&progress) {
            Ok(body) => self.probe.bus.publish(subjects::event("optimize"), body).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = published {
            debug!(%error, "progress was not published");
        }
    }
}

/// Makes visits one after the other, up to the first after which no other can be made.
async fn work(
    probe: &Probe<'_>,
    pair: &mut Pair,
    others: Vec<Pair>,
    jobs: Vec<Job>,
) -> Vec<(Job, Result<Visited, Trouble>)> {
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

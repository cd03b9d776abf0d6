//! A front kept true: what live requests show to have drifted is measured again.

use std::collections::HashSet;

use schemas::{
    Configuration, Fault, FaultKind, Front, Measurement, ModelDescription, OptimizeReply, OptimizeRequest,
    Place, UnixMillis,
};
use tracing::info;

use crate::drift::{self, Drift, LEAST_RECEIPTS, Quantity, Shift};
use crate::front::{everything, renewed};
use crate::journal::{CampaignKey, Left};
use crate::ledger::Ledger;
use crate::measure::key;
use crate::probe::Probe;
use crate::publish;
use crate::sampler::Sampler;
use crate::service::{Optimizer, lock, refused};
use crate::site::{self, Pair, Site, Wanted};

impl Optimizer {
    /// Refreshes the front of each pair of machines that a campaign would measure, one after the other. The reply holds the
    /// first one's front, as it is when nothing of it has drifted.
    pub(crate) async fn refresh(
        &self,
        asked: &OptimizeRequest<'_>,
        description: &ModelDescription,
        deadline: UnixMillis,
    ) -> Result<OptimizeReply, Fault> {
        let wanted = Wanted { edge: asked.search.edge.as_ref(), cloud: asked.search.cloud.as_ref() };
        let Site { pairs, .. } = site::choose(&self.presences.snapshot(), description, wanted)?;
        let mut replies = Vec::with_capacity(pairs.len());
        for pair in &pairs {
            let front = self.front_of(pair, description).await?;
            replies.push(self.refresh_one(asked, description, deadline, pair, front).await?);
        }
        let mut replies = replies.into_iter();
        let mut first =
            replies.next().ok_or_else(|| Fault::new(FaultKind::Internal, "no pair was chosen"))?;
        for other in replies {
            first.measurements.extend(other.measurements);
            first.resumed_samples += other.resumed_samples;
            first.notes.extend(other.notes);
        }
        Ok(first)
    }

    /// The front that is published of a pair, of the file that is served.
    async fn front_of(&self, pair: &Pair, description: &ModelDescription) -> Result<Front, Fault> {
        let (model, edge, cloud) = (&description.name, &pair.edge_node, &pair.cloud_node);
        let published = self.bus.published_front(model, edge, cloud).await;
        let published = published.map_err(|error| {
            Fault::new(FaultKind::Unavailable, format!("the published front cannot be read: {error}"))
        })?;
        let front = published.front.ok_or_else(|| {
            refused(format!(
                "{model} has no front on {edge} and {cloud} that could be refreshed: measure it first, without --refresh"
            ))
        })?;
        if front.digest != description.digest {
            return Err(refused(format!(
                "the front of {model} on {edge} and {cloud} is of another file than the one that is served: measure it anew, \
                 without --refresh"
            )));
        }
        Ok(front)
    }

    async fn refresh_one(
        &self,
        asked: &OptimizeRequest<'_>,
        description: &ModelDescription,
        deadline: UnixMillis,
        pair: &Pair,
        front: Front,
    ) -> Result<OptimizeReply, Fault> {
        let started_at = UnixMillis::now();
        let (drifts, mut notes) = self.look_at(&front);
        if drifts.is_empty() {
            return Ok(OptimizeReply { front, measurements: Vec::new(), resumed_samples: 0, notes });
        }
        let wanted = drift::to_measure(&front, &drifts);
        let key = CampaignKey {
            space: format!("front {}", front.id),
            strategy: "refresh".to_owned(),
            ..key(asked, pair, description)
        };
        let (journal, entries) = self.open_journal(key, false).await?;
        let probe = self.probe(asked, description, deadline, journal.clone());
        let probe = Probe { yields: true, ..probe };
        let care = self.care(asked);
        let ledger = Ledger::new(care.quantile, description, Left::of(entries));
        let mut sampler = Sampler::new(probe, ledger, vec![pair.clone()], care, wanted.len());
        sampler.measure(&wanted).await?;
        let (measurements, resumed_samples) = (sampler.ledger.measurements(), sampler.ledger.resumed());
        let is_lost = |one: &&Configuration| sampler.ledger.place(one).is_none();
        let lost: Vec<Configuration> = wanted.iter().filter(is_lost).copied().collect();
        let next = renewed(&front, &measurements, &lost, started_at).ok_or_else(|| {
            let message = "a baseline, or all that is on the front, could not be measured any more: the front stays as it is";
            Fault::new(FaultKind::Unavailable, format!("{message}; {}", sampler.notes.join("; ")))
        })?;
        let front = publish::publish(&self.bus, next).await?;
        self.end_journal(journal, front.id).await;
        notes.extend(sampler.notes);
        notes.push(summary(&front, &measurements));
        info!(model = %front.model, revision = front.revision, measured = measurements.len(), "the front is refreshed");
        Ok(OptimizeReply { front, measurements, resumed_samples, notes })
    }

    /// What of a front has drifted, and what a person should know of that.
    pub(crate) fn look_at(&self, front: &Front) -> (Vec<Drift>, Vec<String>) {
        let receipts = lock(&self.receipts);
        let costs = |configuration: &Configuration| receipts.of(front, configuration);
        let drifts = drift::drifts(front, costs, self.settings.drift);
        let (count, configurations) = receipts.count(front);
        let looked_at = format!(
            "{count} receipts of {configurations} configurations of revision {} on {} and {}",
            front.revision, front.edge, front.cloud
        );
        if drifts.is_empty() {
            let least = self.settings.drift.get() * 100.0;
            let note = format!(
                "nothing has drifted by {least:.0} % or more, by {looked_at} (a configuration is judged from {LEAST_RECEIPTS} on)"
            );
            return (drifts, vec![note]);
        }
        let all = everything(front).map(|one| one.configuration).collect::<HashSet<_>>().len();
        let mut notes =
            vec![format!("{} of {all} configurations have drifted, by {looked_at}", drifts.len())];
        notes.extend(drifts.iter().map(in_words));
        if drifts.len() * 2 > all {
            notes.push(
                "most of the front has drifted: what was dominated before may be better now, so measure it anew, without \
                 --refresh"
                    .to_owned(),
            );
        }
        (drifts, notes)
    }
}

fn in_words(drift: &Drift) -> String {
    let shift = |shift: &Shift| match shift.of {
        Quantity::Time(place) => format!("{} of the latency {}", percent(shift.share), at(place)),
        Quantity::Energy => format!("{} of the energy", percent(shift.share)),
    };
    let shifts: Vec<String> = drift.shifts.iter().map(shift).collect();
    format!("{}: {} by {} receipts", drift.configuration, shifts.join(", "), drift.receipts)
}

fn percent(share: f64) -> String {
    format!("{:+.0} %", share * 100.0)
}

fn at(place: Place) -> &'static str {
    match place {
        Place::Edge => "on the edge",
        Place::Wire => "on the wire",
        Place::Cloud => "in the cloud",
    }
}

fn summary(front: &Front, measured: &[Measurement]) -> String {
    format!("{} configurations were measured again for revision {}", measured.len(), front.revision)
}

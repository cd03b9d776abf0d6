//! What of the measured configurations is a front, and what becomes of two fronts of the same machines. Pure.

use std::collections::HashMap;

use schemas::{Configuration, Cut, Front, FrontId, Measurement, UnixMillis};
use search::front::{NOISE, Standing, standings};

use crate::objectives::estimates;

/// The measured configurations, sorted by what they are good for; each list in the order of measuring.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// None is nowhere worse and somewhere better.
    pub points: Vec<Measurement>,
    /// Some are, but by no more than the noise of the measurements.
    pub tied: Vec<Measurement>,
    /// They would be points if their measurements did not contradict physics.
    pub suspects: Vec<Measurement>,
}

/// Judges measurements of one network. A suspect measurement beats no other.
pub fn judge(measurements: &[Measurement], last_cut: Cut) -> Judged {
    let (suspected, believed): (Vec<Measurement>, Vec<Measurement>) =
        measurements.iter().cloned().partition(is_suspect);
    let mut judged = Judged::default();
    let stand = standings(&estimates(&believed, last_cut), NOISE);
    for (measurement, standing) in believed.iter().zip(stand) {
        match standing {
            Standing::Best => judged.points.push(measurement.clone()),
            Standing::Tied { .. } => judged.tied.push(measurement.clone()),
            Standing::Dominated { .. } => {}
        }
    }
    for suspect in suspected {
        let with: Vec<Measurement> = judged.points.iter().cloned().chain([suspect.clone()]).collect();
        let standing = standings(&estimates(&with, last_cut), NOISE).pop();
        if standing == Some(Standing::Best) {
            judged.suspects.push(suspect);
        }
    }
    judged
}

/// Whether a measurement contradicts physics.
pub fn is_suspect(measurement: &Measurement) -> bool {
    measurement.provenance.as_ref().is_some_and(|provenance| !provenance.suspicions.is_empty())
}

/// Why a front is not published over another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The other one is of another file.
    #[error(
        "a front of another file of {model} was published while this one was measured (SHA-256 {theirs:.12}…, this is of \
         {ours:.12}…): nothing was published; ask again to measure what is served now"
    )]
    OtherFile {
        /// The network.
        model: String,
        /// The other's digest.
        theirs: String,
        /// This one's digest.
        ours: String,
    },
}

/// The front to publish where another one is published now: the next revision, with the other's points where those were
/// measured after this campaign began. What both measured counts as measured last.
///
/// # Errors
/// The other one is of another file of the network and younger.
pub fn succeed(front: Front, published: Option<&Front>) -> Result<Front, Conflict> {
    let Some(theirs) = published else { return Ok(Front { revision: front.revision.max(1), ..front }) };
    let revision = theirs.revision + 1;
    if theirs.ended_at < front.started_at || theirs.id == front.id {
        return Ok(Front { revision, ..front });
    }
    if theirs.digest != front.digest {
        return Err(Conflict::OtherFile {
            model: front.model.to_string(),
            theirs: theirs.digest.to_string(),
            ours: front.digest.to_string(),
        });
    }
    Ok(Front { revision, ..merged(front, theirs) })
}

/// Both fronts' measurements judged together.
fn merged(front: Front, theirs: &Front) -> Front {
    let together = latest(everything(theirs).chain(everything(&front)));
    let measured = front.measured.max(theirs.measured);
    Front { measured, ..judged_anew(front, together) }
}

/// Of measurements of the same configuration the one that was taken last, at the place of the first.
fn latest<'m>(measurements: impl Iterator<Item = &'m Measurement>) -> Vec<Measurement> {
    let mut together: Vec<Measurement> = Vec::new();
    let mut places: HashMap<Configuration, usize> = HashMap::new();
    for measurement in measurements {
        match places.get(&measurement.configuration) {
            Some(&place) if measured_at(&together[place]) > measured_at(measurement) => {}
            Some(&place) => together[place] = measurement.clone(),
            None => {
                places.insert(measurement.configuration, together.len());
                together.push(measurement.clone());
            }
        }
    }
    together
}

/// The front that some measurements make, but for codecs that are not offered.
fn judged_anew(front: Front, mut together: Vec<Measurement>) -> Front {
    let withheld = |one: &Measurement| {
        let Configuration { cut, codec, .. } = one.configuration;
        front.withheld.iter().any(|withheld| (withheld.cut, withheld.codec) == (cut, codec))
    };
    together.retain(|one| !withheld(one));
    let Judged { points, tied, suspects } = judge(&together, front.last_cut);
    Front { id: FrontId::fresh(), points, tied, suspects, ..front }
}

/// A front some of whose configurations were measured again; `lost` are those that could not be, which are on the front no
/// longer.
///
/// `None` when a baseline was lost, or nothing is left: then the old front is all there is.
pub fn renewed(
    front: &Front,
    again: &[Measurement],
    lost: &[Configuration],
    started_at: UnixMillis,
) -> Option<Front> {
    let is_left = |one: &&Measurement| !lost.contains(&one.configuration);
    let together = latest(everything(front).chain(again).filter(is_left));
    let baseline =
        |old: &Measurement| together.iter().find(|one| one.configuration == old.configuration).cloned();
    let (all_cloud, all_edge) = (baseline(&front.all_cloud)?, baseline(&front.all_edge)?);
    let (ended_at, software) = (UnixMillis::now(), env!("CARGO_PKG_VERSION").to_owned());
    let base = Front { all_cloud, all_edge, started_at, ended_at, software, ..front.clone() };
    let renewed = judged_anew(base, together);
    (!renewed.points.is_empty()).then_some(renewed)
}

/// Every measurement that a front holds; the baselines may be there twice.
pub fn everything(front: &Front) -> impl Iterator<Item = &Measurement> {
    [&front.all_cloud, &front.all_edge]
        .into_iter()
        .chain(&front.points)
        .chain(&front.tied)
        .chain(&front.suspects)
}

fn measured_at(measurement: &Measurement) -> UnixMillis {
    measurement.provenance.as_ref().map_or(UnixMillis(0), |provenance| provenance.last_at)
}

#[cfg(test)]
pub(crate) mod tests;

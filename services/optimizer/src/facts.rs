//! What is known of the cuts before the search begins. Pure.

use schemas::{
    Cut, CutDescription, LayerProfile, Measurement, Millis, ModelDescription, Place, Share, Stage, StageTime,
};
use search::CutFacts;

/// What was measured at the two ends of a network.
pub(crate) struct Ends<'m> {
    /// Everything in the cloud.
    pub(crate) all_cloud: &'m Measurement,
    /// Everything on the edge.
    pub(crate) all_edge: &'m Measurement,
    /// The time of each layer on the edge, where it was timed.
    pub(crate) edge_profiles: &'m [LayerProfile],
    /// The same in the cloud.
    pub(crate) cloud_profiles: &'m [LayerProfile],
}

/// The facts of some cuts, in their order: the bytes that cross, the share of the work before, and where the layers were timed,
/// what the edge and the cloud will take.
///
/// The work is the time of the layers where one run of the whole network on the edge timed them, and their
/// multiply-accumulates otherwise.
pub(crate) fn facts(description: &ModelDescription, cuts: &[Cut], ends: &Ends<'_>) -> Vec<CutFacts> {
    let whole = description.cuts.first().map_or(0, |first| first.macs_after);
    let on_edge = whole_profile(ends.edge_profiles, Place::Edge);
    let in_cloud = whole_profile(ends.cloud_profiles, Place::Cloud);
    let described = |cut: &Cut| description.cuts.iter().find(|described| described.cut == *cut);
    let of_cut = |cut: &CutDescription| {
        let before = on_edge.and_then(|profile| share_before(profile, cut.cut));
        let by_macs = || (whole > 0).then(|| Share::saturating(cut.macs_before as f64 / whole as f64));
        CutFacts {
            bytes: cut.bytes,
            work_before: before.or_else(by_macs),
            edge_time: before.map(|share| edge_time(ends, cut.cut, share)),
            cloud_time: in_cloud
                .and_then(|profile| share_before(profile, cut.cut))
                .map(|share| cloud_time(ends.all_cloud, cut.cut, share)),
        }
    };
    cuts.iter().filter_map(described).map(of_cut).collect()
}

/// The profile of the whole network at one place.
fn whole_profile(profiles: &[LayerProfile], place: Place) -> Option<&LayerProfile> {
    profiles.iter().find(|profile| profile.place == place && profile.from == Cut::ALL_CLOUD)
}

/// The share of the time of the layers before a cut; `None` when so many were not timed, or none took any time.
fn share_before(profile: &LayerProfile, cut: Cut) -> Option<Share> {
    let times = &profile.times_ms;
    let before: f64 = times.get(..usize::from(cut.0))?.iter().map(|time| time.get()).sum();
    let whole: f64 = times.iter().map(|time| time.get()).sum();
    (whole > 0.0).then(|| Share::saturating(before / whole))
}

/// What the edge takes at a cut: what it took for the whole network, less its layers after the cut.
///
/// The profile gives the layers' shares only: it is of one run, and of the first one at that.
fn edge_time(ends: &Ends<'_>, cut: Cut, before: Share) -> Millis {
    let elsewhere = |stage: &StageTime| matches!(stage.place, Place::Wire | Place::Cloud);
    let (whole, end) = match cut {
        // No layer runs there; what is left is the way of the picture.
        Cut::ALL_CLOUD => (ends.all_cloud, 0.0),
        _ => (ends.all_edge, 1.0 - before.get()),
    };
    let all = whole.latency.mean_ms - sum(whole, elsewhere);
    all - sum(whole, |stage| stage.stage == Stage::Head) * end
}

/// What the cloud takes at a cut: what it took for the whole network, less the picture's preparation and its layers before the
/// cut.
fn cloud_time(all_cloud: &Measurement, cut: Cut, before: Share) -> Millis {
    let all = sum(all_cloud, |stage| stage.place == Place::Cloud);
    if cut == Cut::ALL_CLOUD {
        return all;
    }
    let of_cloud = |wanted: Stage| sum(all_cloud, |one| one.place == Place::Cloud && one.stage == wanted);
    all - of_cloud(Stage::Preprocess) - of_cloud(Stage::Tail) * before.get()
}

fn sum(measurement: &Measurement, counts: impl Fn(&StageTime) -> bool) -> Millis {
    measurement.stages.iter().filter(|stage| counts(stage)).map(|stage| stage.time_ms).sum()
}

#[cfg(test)]
mod tests;

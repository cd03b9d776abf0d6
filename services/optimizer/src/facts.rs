//! What is known of the cuts before the search begins. Pure.

use schemas::LayerProfile;
use schemas::{Cut, CutDescription, Millis, ModelDescription, Place, Share};
use search::CutFacts;

/// The facts of some cuts, in their order: the bytes that cross, and the share of the work before.
///
/// The work is the time of the layers where one run of the whole network on the edge timed them, and their
/// multiply-accumulates otherwise.
pub fn facts(description: &ModelDescription, cuts: &[Cut], profiles: &[LayerProfile]) -> Vec<CutFacts> {
    let whole = description.cuts.first().map_or(0, |first| first.macs_after);
    let profile =
        profiles.iter().find(|profile| profile.place == Place::Edge && profile.from == Cut::ALL_CLOUD);
    let before = |cut: &CutDescription| {
        let timed = profile.and_then(|profile| share_before(&profile.times_ms, usize::from(cut.cut.0)));
        timed.or_else(|| (whole > 0).then(|| Share::saturating(cut.macs_before as f64 / whole as f64)))
    };
    let described = |cut: &Cut| description.cuts.iter().find(|described| described.cut == *cut);
    cuts.iter()
        .filter_map(described)
        .map(|cut| CutFacts { bytes: cut.bytes, work_before: before(cut) })
        .collect()
}

/// The share of the time of the first `count` layers; `None` when so many were not timed, or none took any time.
fn share_before(times: &[Millis], count: usize) -> Option<Share> {
    let before: f64 = times.get(..count)?.iter().map(|time| time.get()).sum();
    let whole: f64 = times.iter().map(|time| time.get()).sum();
    (whole > 0.0).then(|| Share::saturating(before / whole))
}

#[cfg(test)]
mod tests {
    use schemas::{Cut, LayerProfile, Millis, Place, TimeSource};

    use super::facts;
    use crate::site::tests::description_of;

    #[test]
    fn work_is_timed_where_it_was() {
        let description = description_of(4, &[]);
        let cuts = [0, 2, 4].map(Cut);
        let shares = |profiles: &[LayerProfile]| -> Vec<f64> {
            facts(&description, &cuts, profiles).iter().map(|cut| cut.work_before.unwrap().get()).collect()
        };
        assert_eq!(shares(&[]), [0.0, 0.5, 1.0], "by multiply-accumulates");
        let times_ms = [6.0, 2.0, 1.0, 1.0].map(Millis::saturating).to_vec();
        let profile =
            LayerProfile { place: Place::Edge, source: TimeSource::Measured, from: Cut(0), times_ms };
        assert_eq!(shares(std::slice::from_ref(&profile)), [0.0, 0.8, 1.0]);
        let of_tail = LayerProfile { place: Place::Cloud, ..profile.clone() };
        assert_eq!(shares(&[of_tail]), [0.0, 0.5, 1.0], "the cloud's layers are no heads");
        let short = LayerProfile { times_ms: vec![Millis::ZERO; 3], ..profile };
        assert_eq!(shares(&[short]), [0.0, 0.5, 1.0], "of another network");
    }
}

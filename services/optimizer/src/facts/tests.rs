use schemas::{Cut, LayerProfile, Measurement, Millis, Place, Share, Stage, StageTime, TimeSource};
use search::CutFacts;

use super::{Ends, facts};
use crate::record::tests::measured;
use crate::site::tests::description_of;

const CUTS: [Cut; 4] = [Cut(0), Cut(2), Cut(3), Cut(4)];

fn profile(place: Place, times: &[f64]) -> LayerProfile {
    let times_ms = times.iter().copied().map(Millis::saturating).collect();
    LayerProfile { place, source: TimeSource::Measured, from: Cut(0), times_ms }
}

fn of_stages(latency: f64, stages: &[(Stage, Place, f64)]) -> Measurement {
    let stage = |&(stage, place, time): &(Stage, Place, f64)| StageTime {
        stage,
        place,
        time_ms: Millis::saturating(time),
        source: TimeSource::Measured,
    };
    let mut one = measured(latency);
    one.stages = stages.iter().map(stage).collect();
    one
}

fn of(edge: &[LayerProfile], cloud: &[LayerProfile]) -> Vec<CutFacts> {
    let all_edge =
        of_stages(110.0, &[(Stage::Preprocess, Place::Edge, 8.0), (Stage::Head, Place::Edge, 100.0)]);
    let all_cloud = of_stages(
        30.0,
        &[
            (Stage::Encode, Place::Edge, 1.0),
            (Stage::Transfer, Place::Wire, 12.0),
            (Stage::Preprocess, Place::Cloud, 4.0),
            (Stage::Tail, Place::Cloud, 10.0),
        ],
    );
    let ends =
        Ends { all_cloud: &all_cloud, all_edge: &all_edge, edge_profiles: edge, cloud_profiles: cloud };
    facts(&description_of(4, &[]), &CUTS, &ends)
}

fn shares(facts: &[CutFacts]) -> Vec<f64> {
    facts.iter().map(|cut| cut.work_before.map_or(-1.0, Share::get)).collect()
}

#[test]
fn work_is_timed_where_it_was() {
    assert_eq!(shares(&of(&[], &[])), [0.0, 0.5, 0.75, 1.0], "by multiply-accumulates");
    let timed = profile(Place::Edge, &[6.0, 2.0, 1.0, 1.0]);
    assert_eq!(shares(&of(std::slice::from_ref(&timed), &[])), [0.0, 0.8, 0.9, 1.0]);
    let of_tail = LayerProfile { place: Place::Cloud, ..timed.clone() };
    assert_eq!(shares(&of(&[of_tail], &[])), [0.0, 0.5, 0.75, 1.0], "the cloud's layers are no heads");
    let short = profile(Place::Edge, &[0.0; 3]);
    assert_eq!(shares(&of(&[short], &[])), [0.0, 0.5, 0.75, 1.0], "of another network");
}

/// By hand: of the edge's 110 ms, 100 are its layers, 20 % and 10 % of them after the cuts; of the cloud's 14 ms, 4 prepare the
/// picture and 10 are its layers, 50 % and 90 % of them before the cuts.
#[test]
fn one_run_of_each_end_tells_of_every_cut() {
    let found =
        of(&[profile(Place::Edge, &[6.0, 2.0, 1.0, 1.0])], &[profile(Place::Cloud, &[1.0, 4.0, 4.0, 1.0])]);
    let rounded = |time: Option<Millis>| (time.map_or(-1.0, Millis::get) * 1e6).round() / 1e6;
    let edge: Vec<f64> = found.iter().map(|cut| rounded(cut.edge_time)).collect();
    // At the first cut the edge only passes the picture on: 30 − 12 − 14.
    assert_eq!(edge, [4.0, 90.0, 100.0, 110.0]);
    let cloud: Vec<f64> = found.iter().map(|cut| rounded(cut.cloud_time)).collect();
    assert_eq!(cloud, [14.0, 5.0, 1.0, 0.0]);
    let untimed = of(&[], &[]);
    assert!(untimed.iter().all(|cut| cut.edge_time.is_none() && cut.cloud_time.is_none()));
}

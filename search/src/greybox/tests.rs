use schemas::{ByteCount, Joules, Millis, Share};

use super::Model;
use crate::knob::Knob;
use crate::observation::{CutFacts, Observation, Parts};
use crate::space::{Candidate, Space, SpaceFile};

/// What each layer of a network takes on the edge at its highest clock: nothing that a smooth curve would find.
const LAYERS: [f64; 10] = [2.0, 40.0, 1.0, 1.0, 30.0, 1.0, 2.0, 60.0, 1.0, 12.0];

/// What it takes beside the layers, at either place.
const BESIDE: f64 = 5.0;

fn space() -> Space {
    let text = "[knobs]\ncut = { from = 0, to = 10 }\nedge-frequency = [\"600 MHz\", \"1800 MHz\"]\n";
    SpaceFile::parse(text, "space.toml").unwrap().space().unwrap()
}

/// As many at every cut: the wire is no matter here.
fn bytes(cut: usize) -> ByteCount {
    ByteCount(if cut == LAYERS.len() { 0 } else { 10_000 })
}

/// The cloud is ten times faster; a third of the clock takes three times as long.
fn times(cut: usize, clock: usize) -> [f64; 3] {
    let before: f64 = LAYERS[..cut].iter().sum();
    let after: f64 = LAYERS[cut..].iter().sum();
    let slowdown = if clock == 0 { 3.0 } else { 1.0 };
    let in_cloud = if cut == LAYERS.len() { 0.0 } else { BESIDE + after / 10.0 };
    [(BESIDE + before) * slowdown, bytes(cut).0 as f64 / 10_000.0, in_cloud]
}

fn observe(candidate: Candidate) -> Observation {
    let [edge, wire, cloud] =
        times(candidate.place(Knob::Cut), candidate.place(Knob::EdgeFrequency)).map(Millis::saturating);
    let parts = Parts {
        edge_time: edge,
        wire_time: wire,
        cloud_time: cloud,
        edge_energy: Joules::saturating(edge.get() * 3e-3),
        cloud_energy: Joules::saturating(cloud.get() * 0.1),
    };
    let energy = parts.edge_energy + parts.cloud_energy;
    Observation {
        latency: edge + wire + cloud,
        energy: Some(energy),
        accuracy: Some(Share::saturating(0.9)),
        parts: Some(parts),
    }
}

/// As a profile of one run gives them, times a factor: it may have been taken on a busy machine.
fn profiled(factor: f64) -> Vec<CutFacts> {
    let of_cut = |cut: usize| {
        let [edge, _, cloud] = times(cut, 1);
        CutFacts {
            edge_time: Some(Millis::saturating(edge * factor)),
            cloud_time: Some(Millis::saturating(cloud * factor)),
            ..CutFacts::of_bytes(bytes(cut))
        }
    };
    (0..=LAYERS.len()).map(of_cut).collect()
}

/// By what share the latencies of what was not measured are predicted too high or too low, after four cuts were measured at both
/// clocks; ascending.
fn errors(facts: &[CutFacts]) -> Vec<f64> {
    let space = space();
    let candidates: Vec<Candidate> = space.candidates().collect();
    let mut model = Model::new(&space, &candidates, facts);
    let known = |candidate: &Candidate| [0, 3, 6, LAYERS.len()].contains(&candidate.place(Knob::Cut));
    for (place, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| known(candidate)) {
        model.observe(place, &observe(*candidate));
    }
    model.update();
    let off = |(place, candidate): (usize, &Candidate)| {
        (model.predict(place).latency().get() / observe(*candidate).latency.get() - 1.0).abs()
    };
    let unknown = candidates.iter().enumerate().filter(|(_, candidate)| !known(candidate));
    let mut errors: Vec<f64> = unknown.map(off).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

#[test]
fn a_profile_of_the_layers_tells_of_every_cut() {
    let bytes_alone: Vec<CutFacts> = (0..=LAYERS.len()).map(|cut| CutFacts::of_bytes(bytes(cut))).collect();
    // Of the second one only the level is off: how fast the machine was that day is learned.
    let [without, with, busy] = [&bytes_alone, &profiled(1.0), &profiled(1.7)].map(|facts| errors(facts));
    let (median, worst) =
        (|errors: &[f64]| errors[errors.len() / 2], |errors: &[f64]| errors[errors.len() - 1]);
    assert!(median(&without) > 0.2 && worst(&without) > 1.0, "nobody can guess uneven layers: {without:?}");
    for errors in [with, busy] {
        assert!(median(&errors) < 0.1 && worst(&errors) < 0.2, "{errors:?}");
    }
}

#[test]
fn half_a_profile_is_none() {
    let mut facts = profiled(1.0);
    facts[3].edge_time = None;
    facts[4].cloud_time = None;
    let bare: Vec<CutFacts> = (0..=LAYERS.len()).map(|cut| CutFacts::of_bytes(bytes(cut))).collect();
    assert_eq!(errors(&facts), errors(&bare));
}

//! What every strategy promises, whatever it searches by.

use std::collections::HashSet;

use proptest::prelude::{any, prop, prop_assert, proptest};
use schemas::{Joules, Millis, Share};

use super::{StopRule, Strategy, StrategyName};
use crate::anchors;
use crate::knob::Knob;
use crate::observation::{Observation, Parts};
use crate::space::{Candidate, Space, SpaceFile};

/// 5 cuts, 3 clocks, two accelerators, with the paper's rules: 3 × 2 + 3 × 12 + 3 × 2 legal configurations.
fn space() -> Space {
    let text = "[knobs]\ncut = { from = 0, to = 4 }\nedge-frequency = [\"600 MHz\", \"1200 MHz\", \"1800 MHz\"]\n\
                edge-accelerator = [\"off\", \"max\"]\ncloud-accelerator = [\"off\", \"on\"]\n\
                [[rule]]\nwhen = { cut = 0 }\nonly = { edge-accelerator = \"off\" }\n\
                [[rule]]\nwhen = { cut = 4 }\nonly = { cloud-accelerator = \"off\" }\n";
    SpaceFile::parse(text, "space.toml").unwrap().space().unwrap()
}

/// Faster and hungrier with the clock; more on the edge is cheaper and slower.
fn observe(candidate: Candidate) -> Observation {
    let [cut, clock, edge, cloud] =
        [Knob::Cut, Knob::EdgeFrequency, Knob::EdgeAccelerator, Knob::CloudAccelerator]
            .map(|knob| candidate.place(knob) as f64);
    let edge_time = 5.0 + 60.0 * cut / (1.0 + clock) / (1.0 + 2.0 * edge);
    let wire_time = if cut < 4.0 { 30.0 / (1.0 + cut) } else { 0.0 };
    let cloud_time = if cut < 4.0 { 10.0 * (5.0 - cut) / (1.0 + 3.0 * cloud) } else { 0.0 };
    let latency = edge_time + wire_time + cloud_time;
    let edge_energy = latency * (2.0 + clock + edge) / 1000.0;
    let cloud_energy = 0.3 * cloud_time;
    Observation {
        latency: Millis::saturating(latency),
        energy: Some(Joules::saturating(edge_energy + cloud_energy)),
        accuracy: Some(Share::saturating(0.7 - 0.01 * edge * f64::from(u8::from(cut > 0.0)))),
        parts: Some(Parts {
            edge_time: Millis::saturating(edge_time),
            wire_time: Millis::saturating(wire_time),
            cloud_time: Millis::saturating(cloud_time),
            edge_energy: Joules::saturating(edge_energy),
            cloud_energy: Joules::saturating(cloud_energy),
        }),
    }
}

fn build(name: StrategyName, seed: u64) -> Box<dyn Strategy> {
    name.build(&space(), &[], seed, None).unwrap()
}

/// Asks for `batch` at once until there is nothing more, or `most` were asked for; `answer` tells, or not.
fn run(
    strategy: &mut dyn Strategy,
    batch: usize,
    most: usize,
    mut answer: impl FnMut(&mut dyn Strategy, Candidate),
) -> Vec<Candidate> {
    let mut all = Vec::new();
    while all.len() < most {
        let asked = strategy.ask(batch);
        assert!(asked.len() <= batch);
        if asked.is_empty() {
            assert!(strategy.is_finished(), "nothing is under way, nothing is asked, and it is not done");
            break;
        }
        // In another order than they were asked for, as several machines answer.
        for &candidate in asked.iter().rev() {
            answer(strategy, candidate);
        }
        all.extend(asked);
    }
    all
}

fn tell(strategy: &mut dyn Strategy, candidate: Candidate) {
    strategy.tell(candidate, &observe(candidate));
}

fn assert_distinct_and_legal(name: StrategyName, asked: &[Candidate]) {
    let space = space();
    assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len(), "{name} asks twice");
    assert!(asked.iter().all(|&candidate| space.is_legal(candidate)), "{name} asks for what is not legal");
}

/// How many of the space's 48 each ends with: all but the line and the paper's search want everything.
fn wanted(name: StrategyName) -> std::ops::RangeInclusive<usize> {
    match name {
        StrategyName::Dynasplit => 10..=10,
        StrategyName::Line => 5..=47,
        _ => 48..=48,
    }
}

#[test]
fn nothing_is_asked_twice_and_everything_is_legal() {
    assert_eq!(space().count(), 48);
    for name in StrategyName::ALL {
        for (batch, seed) in [(1, 1), (1, 2), (3, 3), (7, 4), (100, 5)] {
            let mut strategy = build(name, seed);
            let asked = run(strategy.as_mut(), batch, usize::MAX, tell);
            assert_distinct_and_legal(name, &asked);
            assert!(wanted(name).contains(&asked.len()), "{name}, {batch} at once: {}", asked.len());
            assert!(strategy.is_finished() && strategy.ask(1).is_empty(), "{name}");
        }
    }
}

#[test]
fn a_seed_decides() {
    let first = |name, seed| run(build(name, seed).as_mut(), 2, 40, tell);
    for name in StrategyName::ALL {
        assert_eq!(first(name, 7), first(name, 7), "{name}");
        // Of so few cuts, greybox begins with every one, and the rest follows from what it measured.
        let is_fixed = matches!(name, StrategyName::Line | StrategyName::Grid | StrategyName::Greybox);
        let others = (8..12).any(|seed| first(name, seed) != first(name, 7));
        assert_eq!(others, !is_fixed, "{name}");
    }
}

/// A strategy that is told what another one measured goes on where that stopped.
#[test]
fn a_search_resumes_from_what_was_measured() {
    for name in StrategyName::ALL {
        let mut before = Vec::new();
        run(build(name, 1).as_mut(), 1, 9, |strategy, candidate| {
            tell(strategy, candidate);
            before.push(candidate);
        });
        let mut strategy = build(name, 1);
        for &candidate in &before {
            tell(strategy.as_mut(), candidate);
        }
        let after = run(strategy.as_mut(), 2, usize::MAX, tell);
        let all = [before, after].concat();
        assert_distinct_and_legal(name, &all);
        assert!(wanted(name).contains(&all.len()), "{name}: {}", all.len());
    }
}

/// What was measured by others counts: of candidates that were never asked for, none is asked for.
#[test]
fn what_was_never_asked_for_may_be_told() {
    let imported: Vec<Candidate> = space().candidates().step_by(3).collect();
    for name in StrategyName::ALL {
        let mut strategy = build(name, 1);
        imported.iter().for_each(|&candidate| tell(strategy.as_mut(), candidate));
        let asked = run(strategy.as_mut(), 1, 20, tell);
        assert_distinct_and_legal(name, &[imported.clone(), asked].concat());
    }
}

#[test]
fn what_the_space_does_not_have_is_ignored() {
    let beyond = space().candidate(&[]).unwrap().with(Knob::Cut, 9);
    let illegal = space().candidate(&[]).unwrap().with(Knob::EdgeAccelerator, 1);
    for name in StrategyName::ALL {
        let mut strategy = build(name, 1);
        for stranger in [beyond, illegal] {
            strategy.failed(stranger);
            tell(strategy.as_mut(), stranger);
        }
        assert_distinct_and_legal(name, &run(strategy.as_mut(), 1, 20, tell));
    }
}

#[test]
fn failures_are_borne() {
    for name in StrategyName::ALL {
        let mut count = 0;
        let asked = run(build(name, 1).as_mut(), 2, usize::MAX, |strategy, candidate| {
            count += 1;
            if count % 3 == 0 { strategy.failed(candidate) } else { tell(strategy, candidate) }
        });
        assert_distinct_and_legal(name, &asked);
        assert!(asked.len() >= *wanted(name).start(), "{name}: {}", asked.len());
        let asked =
            run(build(name, 1).as_mut(), 2, usize::MAX, |strategy, candidate| strategy.failed(candidate));
        assert_distinct_and_legal(name, &asked);
        assert!(asked.len() >= *wanted(name).start(), "{name}, all failing: {}", asked.len());
    }
}

/// A machine that never answers takes its candidate with it, and the others go on.
#[test]
fn what_is_never_told_holds_nobody_up() {
    for name in StrategyName::ALL {
        let mut strategy = build(name, 1);
        let lost = strategy.ask(1)[0];
        let rest = run(strategy.as_mut(), 1, 9, tell);
        assert!(!rest.contains(&lost), "{name}");
        assert_eq!(rest.len(), 9, "{name}");
    }
}

#[test]
fn baselines_are_measured_first() {
    let corners = anchors::corners(&space());
    assert!(corners.len() >= 6, "{}", corners.len());
    use StrategyName::{AgeMoea, Greybox, Line, Nsga2, Nsga3, Spea2};
    for name in [Greybox, Nsga3, Nsga2, Spea2, AgeMoea, Line] {
        let asked = run(build(name, 3).as_mut(), 1, corners.len(), tell);
        assert_eq!(asked, corners, "{name}");
    }
}

#[test]
fn greybox_stops_when_more_is_not_worth_it() {
    let rule = StopRule { share: 0.01, in_a_row: 3 };
    let mut strategy = StrategyName::Greybox.build(&space(), &[], 1, Some(rule)).unwrap();
    let asked = run(strategy.as_mut(), 1, usize::MAX, tell);
    assert!(strategy.is_finished() && asked.len() < 48, "{}", asked.len());
    assert!(strategy.expected_gain().unwrap() < rule.share);
    // It is the beginning of what it would have asked for without the rule.
    let without = run(build(StrategyName::Greybox, 1).as_mut(), 1, asked.len(), tell);
    assert_eq!(asked, without);
}

#[test]
fn greybox_predicts_what_it_did_not_measure() {
    let mut strategy = build(StrategyName::Greybox, 1);
    let asked = run(strategy.as_mut(), 1, 24, tell);
    let off = |candidate: Candidate| {
        let predicted = strategy.prediction(candidate).unwrap().latency().get();
        (predicted / observe(candidate).latency.get() - 1.0).abs()
    };
    let mut errors: Vec<f64> =
        space().candidates().filter(|candidate| !asked.contains(candidate)).map(off).collect();
    errors.sort_by(f64::total_cmp);
    assert!(errors[errors.len() / 2] < 0.1, "{errors:?}");
    assert!(strategy.prediction(space().candidate(&[]).unwrap().with(Knob::Cut, 9)).is_none());
    assert!(build(StrategyName::Random, 1).prediction(asked[0]).is_none());
}

proptest! {
    /// Zeros, extremes, all equal, without parts: whatever is measured, it goes on.
    #[test]
    fn anything_may_be_measured(
        values in prop::collection::vec((0_u8..6, 0_u8..6, 0_u8..3, any::<bool>()), 48),
        batch in 1_usize..4,
        name in prop::sample::select(StrategyName::ALL.to_vec()),
    ) {
        let value = |kind: u8| [0.0, 1e-12, 1.0, 1.0 + 1e-12, 1e9, f64::MAX][usize::from(kind)];
        let places: Vec<Candidate> = space().candidates().collect();
        let mut strategy = build(name, 1);
        let asked = run(strategy.as_mut(), batch, 40, |strategy, candidate| {
            let place = places.iter().position(|&known| known == candidate).unwrap();
            let (latency, energy, accuracy, apart) = values[place];
            let latency = Millis::saturating(value(latency));
            let energy = Joules::saturating(value(energy));
            let parts = Parts {
                edge_time: latency,
                wire_time: Millis::ZERO,
                cloud_time: Millis::ZERO,
                edge_energy: energy,
                cloud_energy: Joules::ZERO,
            };
            let observation = Observation {
                latency,
                energy: (accuracy < 2).then_some(energy),
                accuracy: Some(Share::saturating(f64::from(accuracy) / 2.0)),
                parts: apart.then_some(parts),
            };
            strategy.tell(candidate, &observation);
        });
        prop_assert!(asked.len() >= *wanted(name).start().min(&40));
    }
}

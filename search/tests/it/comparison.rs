//! How good the strategies are. Few seeds, as these are tests; `splinter optimize --pool` prints the figures of twenty.

use std::path::{Path, PathBuf};

use search::comparison::{Outcome, Plan, compare};
use search::pool::Pool;
use search::space::SpaceFile;
use search::strategy::StrategyName;

use crate::synthetic::Kind;

/// All but the grid, which takes everything in order.
fn strategies() -> Vec<StrategyName> {
    StrategyName::ALL.into_iter().filter(|name| *name != StrategyName::Grid).collect()
}

fn plan(pool: &Pool, shares: &[f64], seeds: u32) -> Plan {
    let measured = pool.recorded().len() as f64;
    let budgets = shares.iter().map(|share| (share * measured).round() as usize).collect();
    Plan { budgets, seeds, first_seed: 123_456_789, batch: 1 }
}

/// The default strategy is the first of the list, and nowhere behind another by more than `margin` per cent.
fn assert_best(name: &str, outcomes: &[Outcome], margin: f64) {
    let (greybox, others) = outcomes.split_first().unwrap();
    assert_eq!(greybox.strategy, StrategyName::Greybox);
    for other in others {
        for (ours, theirs) in greybox.at.iter().zip(&other.at) {
            assert!(
                ours.hypervolume.mean >= theirs.hypervolume.mean - margin
                    && ours.log_hypervolume.mean >= theirs.log_hypervolume.mean - margin,
                "{name}, {}: {ours:?} against {theirs:?}",
                other.strategy
            );
        }
    }
}

/// The pool of the paper; `None`, said loudly, where this machine has none.
fn vgg16(test: &str) -> Option<Pool> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from);
    let file = folder.join("reference/simulation_pool_vgg16.csv");
    if !file.is_file() {
        eprintln!("SKIPPED {test}: there is no {}; set SPLINTER_SHARED", file.display());
        return None;
    }
    Some(Pool::read(&file, Some(SpaceFile::preset("dynasplit-vgg16").unwrap())).unwrap())
}

/// What issue 4 asks for on the published pool.
#[test]
fn greybox_needs_few_measurements_of_the_published_pool() {
    let Some(pool) = vgg16("greybox_needs_few_measurements_of_the_published_pool") else { return };
    let outcomes = compare(&pool, &strategies(), &plan(&pool, &[0.05, 0.1, 0.2], 5)).unwrap();
    assert_best("VGG16", &outcomes, 0.0);
    let greybox = &outcomes[0];
    assert!(greybox.to_99.median.is_some_and(|median| median <= 26), "{greybox:?}");
    assert!(greybox.to_99_9.median.is_some_and(|median| median <= 61), "{greybox:?}");
    assert!(greybox.at[2].front_found.mean >= 88.0, "{greybox:?}");
    let stop = greybox.stop.unwrap();
    assert_eq!(stop.runs, 5, "the stop rule ends every run");
    assert!(stop.evaluations.mean <= 75.0 && stop.hypervolume.mean >= 99.5, "{stop:?}");
}

/// No search was tuned to any of these.
#[test]
fn greybox_holds_where_the_published_pool_says_nothing() {
    for kind in Kind::ALL {
        let pool = kind.pool();
        let outcomes = compare(&pool, &strategies(), &plan(&pool, &[0.05, 0.1], 2)).unwrap();
        // Of the pool with the most noise, five per cent are little more than the corners, which others take too.
        assert_best(&format!("{kind:?}"), &outcomes, 0.2);
        assert!(outcomes[0].at[1].hypervolume.mean >= 99.0, "{kind:?}: {:?}", outcomes[0]);
    }
}

/// Pairs of machines that measure side by side know less of each other, and lose little by it.
#[test]
fn a_batch_costs_little() {
    let pool = Kind::Overlapping.pool();
    let of = |batch: usize| {
        let plan = Plan { batch, ..plan(&pool, &[0.1], 2) };
        compare(&pool, &[StrategyName::Greybox], &plan).unwrap()[0].at[0].hypervolume.mean
    };
    let (alone, four) = (of(1), of(4));
    assert!(four > alone - 0.5, "{four} instead of {alone}");
}

/// The figures are of the runs, not of the cores that computed them.
#[test]
fn the_same_comparison_has_the_same_result() {
    let pool = Kind::Noisy.pool();
    let run = || {
        let mut outcomes = compare(&pool, &strategies(), &plan(&pool, &[0.1], 3)).unwrap();
        outcomes.iter_mut().for_each(|outcome| outcome.own_seconds = search::comparison::Spread::of(&[]));
        outcomes
    };
    assert_eq!(run(), run());
}

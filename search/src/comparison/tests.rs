use proptest::prelude::{prop, prop_assert_eq, proptest};

use super::{AtStop, Plan, Reached, Spread, Yardstick, add, compare, reached};
use crate::error::Error;
use crate::objectives::{Objectives, non_dominated};
use crate::pool::Pool;
use crate::pool::tests::vgg16;
use crate::strategy::StrategyName;

const ABSOLUTE_TOLERANCE: f64 = 5e-6;

/// Of everything measured, as pymoo's `HV(ref_point=[1.1] * 3)` has it for objectives laid to 0 … 1 by the pool's least
/// and greatest: linear, and with logarithmic latency and energy.
#[test]
fn the_whole_pool_has_the_hypervolume_that_pymoo_finds() {
    let Some(pool) = vgg16("the_whole_pool_has_the_hypervolume_that_pymoo_finds") else { return };
    let [linear, logarithmic] = Yardstick::of(&pool).whole;
    assert!((linear - 0.97233).abs() < ABSOLUTE_TOLERANCE, "{linear}");
    assert!((logarithmic - 0.47798).abs() < ABSOLUTE_TOLERANCE, "{logarithmic}");
}

/// Twelve cuts, faster and hungrier one after the other; the last two are worse than the first.
fn small() -> Pool {
    let row = |cut: u32| match cut {
        0..10 => format!("{cut},{},{}\n", 100 - 5 * cut, 1 + cut),
        _ => format!("{cut},200,20\n"),
    };
    let text: String = std::iter::once("layer,latency,energy\n".to_owned()).chain((0..12).map(row)).collect();
    Pool::from_reader(text.as_bytes(), std::path::Path::new("small.csv"), None).unwrap()
}

fn plan(budgets: &[usize]) -> Plan {
    Plan { budgets: budgets.to_vec(), seeds: 3, first_seed: 1, batch: 1 }
}

#[test]
fn everything_is_a_hundred_per_cent() -> Result<(), Error> {
    let pool = small();
    assert_eq!(pool.front().len(), 10);
    for outcome in compare(&pool, &StrategyName::ALL, &plan(&[12]))? {
        if outcome.strategy == StrategyName::Dynasplit {
            continue;
        }
        let at = outcome.at[0];
        let all = [at.hypervolume, at.log_hypervolume, at.front_found];
        for spread in all {
            assert!((spread.mean - 100.0).abs() < 1e-9 && spread.deviation < 1e-9, "{outcome:?}");
        }
        assert!(outcome.to_99_9.median.is_some_and(|median| median <= 12), "{outcome:?}");
    }
    Ok(())
}

#[test]
fn a_strategy_that_ends_early_keeps_what_it_has() {
    let outcomes = compare(&small(), &[StrategyName::Dynasplit], &plan(&[3, 12])).unwrap();
    let [early, late] = [0, 1].map(|budget| outcomes[0].at[budget]);
    assert_eq!((early.evaluations, late.evaluations), (3, 12));
    assert_eq!(early.hypervolume, late.hypervolume, "a fifth of twelve is three");
    assert_eq!(outcomes[0].stop, None::<AtStop>);
}

#[test]
fn nothing_to_do_is_nothing_done() {
    assert_eq!(compare(&small(), &[], &plan(&[3])).unwrap(), []);
    let none = compare(&small(), &[StrategyName::Random], &Plan { seeds: 0, ..plan(&[3]) }).unwrap();
    assert!(none.is_empty());
    let unbudgeted = compare(&small(), &[StrategyName::Random], &plan(&[])).unwrap();
    assert!(unbudgeted[0].at.is_empty() && unbudgeted[0].to_99.median.is_none());
}

#[test]
fn ranks_count_those_that_never_came() {
    let cases = [
        (vec![Some(3), Some(1), Some(2)], Some(2), Some(3)),
        (vec![Some(3), None, Some(2), Some(1)], Some(2), None),
        (vec![None, None, Some(1)], None, None),
        (vec![Some(5)], Some(5), Some(5)),
        (vec![], None, None),
    ];
    for (evaluations, median, ninetieth) in cases {
        assert_eq!(reached(evaluations.clone()), Reached { median, ninetieth }, "{evaluations:?}");
    }
}

/// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares 32, so the sample deviation is √(32 / 7).
#[test]
fn spreads_known_by_hand() {
    let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
    assert_eq!(spread.mean, 5.0);
    assert!((spread.deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
    assert_eq!(Spread::of(&[3.0]), Spread { mean: 3.0, deviation: 0.0 });
    assert_eq!(Spread::of(&[]), Spread { mean: 0.0, deviation: 0.0 });
}

proptest! {
    /// Adding one by one leaves the front of all.
    #[test]
    fn a_front_grows_to_that_of_all(points in prop::collection::vec([0_u8..6, 0_u8..6, 0_u8..6], 0..40)) {
        let all: Vec<Objectives> =
            points.iter().map(|point| Objectives::from_array(point.map(f64::from))).collect();
        let mut front = Vec::new();
        all.iter().for_each(|&point| add(&mut front, point));
        let order = |front: &mut Vec<Objectives>| front.sort_by(|a, b| a.total_cmp(b));
        let mut expected: Vec<Objectives> = non_dominated(&all).into_iter().map(|place| all[place]).collect();
        order(&mut front);
        order(&mut expected);
        prop_assert_eq!(front, expected);
    }
}

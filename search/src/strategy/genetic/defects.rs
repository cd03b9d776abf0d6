//! The known defects of `moors` 0.2.11, each shown, and that none of them reaches a search. `docs/moors.md` reports them.
//!
//! When one of these tests fails after an update of `moors`, a defect is gone, and so may its guard be.

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::Arc;

use moors::operators::evolve::EvolveBuilder;
use moors::operators::repair::RepairOperator;
use moors::selection::moo::{RandomSelection, RankAndScoringSelection, Spea2ScoringSelection};
use moors::survival::moo::SurvivalScoringComparison;
use moors::{
    AgeMoeaSurvival, DanAndDenisReferencePoints, ExactDuplicatesCleaner, MOORandomGenerator, NoConstraints,
    Nsga2Builder, Nsga2RankCrowdingSurvival, Nsga3ReferencePointsSurvival, Population, PopulationMOO,
    RandomGenerator as _, RandomSamplingInt, SamplingOperator as _, SelectionOperator, Spea2KnnSurvival,
    StructuredReferencePoints as _, SurvivalOperator, UniformBinaryCrossover,
};
use ndarray::{Array2, ArrayViewMut1, array};

use super::operators::{Genome, Resample};
use super::survival::Survival;
use super::{Algorithm, Genetic, Settings};
use crate::objectives::{Axis, Objectives};
use crate::space::SpaceFile;
use crate::strategy::Strategy;

fn random(seed: u64) -> MOORandomGenerator {
    MOORandomGenerator::new_from_seed(Some(seed))
}

/// Numbered individuals: the only gene is the number.
fn numbered(fitness: Array2<f64>) -> PopulationMOO {
    let genes = Array2::from_shape_fn((fitness.nrows(), 1), |(row, _)| row as f64);
    PopulationMOO::new_unconstrained(genes, fitness)
}

/// Whole numbers in sixteenths, so that adding a constant is exact.
fn exact_fitness(rows: usize, seed: u64) -> Array2<f64> {
    let mut random = random(seed);
    Array2::from_shape_simple_fn((rows, 3), || random.gen_range_usize(0, 160) as f64 / 16.0)
}

fn numbers(population: &PopulationMOO) -> Vec<usize> {
    let mut numbers: Vec<usize> = population.genes.iter().map(|&number| number as usize).collect();
    numbers.sort_unstable();
    numbers
}

fn nsga3() -> Nsga3ReferencePointsSurvival {
    Nsga3ReferencePointsSurvival::new(DanAndDenisReferencePoints::new(20, 3).generate(), false)
}

/// How many of 20 populations lose other members when a constant is added to every objective.
fn changed_by_a_constant(survivors: impl Fn(Array2<f64>, u64) -> Vec<usize>) -> usize {
    let is_changed = |&seed: &u64| {
        let fitness = exact_fitness(40, seed);
        survivors(fitness.clone(), seed) != survivors(fitness + 64.0, seed)
    };
    (0..20).filter(is_changed).count()
}

#[test]
fn defect_1_nsga3_subtracts_the_ideal_twice() {
    let plain = |fitness, seed| numbers(&nsga3().operate(numbered(fitness), 20, &mut random(seed)));
    assert!(changed_by_a_constant(plain) > 10, "the defect is gone");
    let crowding = |fitness, seed| {
        numbers(&Nsga2RankCrowdingSurvival::new().operate(numbered(fitness), 20, &mut random(seed)))
    };
    assert_eq!(changed_by_a_constant(crowding), 0, "the experiment itself is sound");
    let guarded = |fitness: Array2<f64>, seed| {
        let objectives: Vec<Objectives> =
            fitness.outer_iter().map(|row| Objectives::from_array([row[0], row[1], row[2]])).collect();
        let survival = Survival::new(Algorithm::Nsga3, 20);
        let genes = numbered(fitness).genes;
        numbers(&survival.survivors(genes, &objectives, 20, Axis::Linear, &mut random(seed)))
    };
    assert_eq!(changed_by_a_constant(guarded), 0);
}

#[test]
fn defect_2_it_panics_instead_of_failing() {
    let mut with_nan = exact_fitness(40, 1);
    // Best in one objective, so that it is in the first front.
    with_nan.row_mut(3).assign(&array![0.0, f64::NAN, 10.0]);
    let fitness = with_nan.clone();
    let crowding = move || Nsga2RankCrowdingSurvival::new().operate(numbered(fitness), 20, &mut random(1));
    assert!(catch_unwind(crowding).is_err(), "NSGA-II, not a number");
    assert!(
        catch_unwind(move || nsga3().operate(numbered(with_nan), 20, &mut random(1))).is_err(),
        "NSGA-III, too"
    );
    // The middle of this front is on an axis.
    let few = array![[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [2.0, 2.0, 2.0]];
    let geometry = move || AgeMoeaSurvival::new().operate(numbered(few), 3, &mut random(1));
    assert!(catch_unwind(geometry).is_err(), "AGE-MOEA, few members");
    let alone = || Spea2KnnSurvival::new().operate(numbered(array![[1.0, 2.0, 3.0]]), 1, &mut random(1));
    assert!(catch_unwind(alone).is_err(), "SPEA-2, one member");
}

/// Whatever the objectives, each survival answers, with as many as were asked for.
#[test]
fn no_panic_reaches_a_search() {
    let rows: [&[[f64; 3]]; 7] = [
        &[[1.0, 2.0, 3.0]; 30],
        &[[1.0, 2.0, 3.0]],
        &[],
        &[[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [2.0, 2.0, 2.0]],
        &[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [2.0, 2.0, 0.0]],
        // One objective varies, for which there is no number of directions.
        &[[0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 3.0, 0.0], [0.0, 4.0, 0.0]],
        // One optimum.
        &[[0.0, 0.0, 0.0], [1.0, 3.0, 1.0], [2.0, 2.0, 1.0], [3.0, 1.0, 1.0]],
    ];
    for algorithm in [Algorithm::Nsga3, Algorithm::Nsga2, Algorithm::Spea2, Algorithm::AgeMoea] {
        for rows in rows {
            for most in [1, 2, 3, 20] {
                let objectives: Vec<Objectives> =
                    rows.iter().map(|&row| Objectives::from_array(row)).collect();
                let genes = Array2::zeros((rows.len(), 1));
                let survival = Survival::new(algorithm, 20);
                let left = survival.survivors(genes, &objectives, most, Axis::Logarithmic, &mut random(1));
                assert_eq!(left.len(), rows.len().min(most), "{algorithm:?} of {rows:?}");
            }
        }
    }
}

/// A search never has constraints: what is illegal is repaired or thrown away before it is measured.
#[test]
fn defect_3_survival_ignores_constraints() {
    let (genes, fitness) = (array![[0.0], [1.0]], array![[1.0, 1.0], [2.0, 2.0]]);
    let infeasible_first = array![[5.0], [-1.0]];
    let population = Population::new(genes, fitness, infeasible_first);
    let survivors = Nsga2RankCrowdingSurvival::new().operate(population, 1, &mut random(1));
    assert_eq!(survivors.genes, array![[0.0]], "the infeasible one survives: the defect is there");
}

/// Puts every gene to 7.
#[derive(Debug)]
struct Seven;

impl RepairOperator for Seven {
    fn repair(&self, mut individual: ArrayViewMut1<f64>) {
        individual.fill(7.0);
    }
}

/// A search begins with candidates that are legal by themselves.
#[test]
fn defect_4_the_first_population_is_not_repaired() {
    let unrepaired = evaluated(Some(Seven)).iter().flatten().any(|&gene| gene != 7.0);
    assert!(unrepaired, "the defect is gone");
}

/// Individuals of a plain run.
const INDIVIDUALS: usize = 10;

/// Every row that a plain run of NSGA-II evaluates in 5 generations.
fn evaluated(repair: Option<Seven>) -> Vec<Vec<f64>> {
    evaluated_in_runs(repair, 1).concat()
}

/// The same, of several runs one after the other.
fn evaluated_in_runs(repair: Option<Seven>, runs: usize) -> Vec<Vec<Vec<f64>>> {
    let rows: RefCell<Vec<Vec<f64>>> = RefCell::default();
    let fitness = |genes: &Array2<f64>| {
        rows.borrow_mut().extend(genes.outer_iter().map(|genes| genes.to_vec()));
        Array2::from_shape_fn((genes.nrows(), 2), |(row, objective)| genes[[row, objective]])
    };
    let genome = Arc::new(Genome::of(&SpaceFile::preset("dynasplit-vit").unwrap().space().unwrap()));
    let builder = Nsga2Builder::default()
        .sampler(RandomSamplingInt::new(0, 7))
        .crossover(UniformBinaryCrossover::new())
        .mutation(Resample(genome))
        .fitness_fn(fitness)
        .constraints_fn(NoConstraints)
        .num_vars(3)
        .population_size(INDIVIDUALS)
        .num_offsprings(INDIVIDUALS)
        .num_iterations(5)
        .mutation_rate(0.5)
        .crossover_rate(0.9)
        .seed(1);
    let builder = match repair {
        Some(repair) => builder.repair(repair),
        None => builder,
    };
    let mut algorithm = builder.build().unwrap();
    let mut run = |_| {
        algorithm.run().unwrap();
        rows.take()
    };
    (0..runs).map(&mut run).collect()
}

/// A search asks and tells itself, and asks for nothing twice.
#[test]
fn parents_are_measured_again_in_each_generation() {
    let all = evaluated(None);
    let distinct: HashSet<Vec<u64>> =
        all.iter().map(|genes| genes.iter().map(|gene| gene.to_bits()).collect()).collect();
    assert!(
        all.len() as f64 > 1.5 * distinct.len() as f64,
        "{} rows, {} distinct",
        all.len(),
        distinct.len()
    );
}

/// A search draws whole numbers itself.
#[test]
fn samples_of_integers_are_not_whole() {
    let sample = RandomSamplingInt::new(0, 7).operate(10, 3, &mut random(1));
    assert!(sample.iter().any(|gene| gene.fract() != 0.0), "the defect is gone");
}

/// Parents that a selection picks from two individuals, the first with the better score of SPEA-2.
fn picked(selection: impl SelectionOperator<FDim = ndarray::Ix2>) -> Vec<usize> {
    let mut pair = numbered(array![[0.0, 1.0], [5.0, 5.0]]);
    // Zero-based rank and density: below 1 is not dominated.
    pair.set_survival_score(array![0.3, 7.4]);
    let (fathers, mothers) = selection.operate(&pair, 20, &mut random(1));
    [numbers(&fathers), numbers(&mothers)].concat()
}

/// A search selects by the score that is least.
#[test]
fn spea2_selects_the_worse_parent() {
    assert!(picked(Spea2ScoringSelection::new()).iter().all(|&parent| parent == 1), "the defect is gone");
    let ours = RankAndScoringSelection::new(false, true, SurvivalScoringComparison::Minimize);
    assert!(picked(ours).iter().all(|&parent| parent == 0));
}

/// A search gives it only those that are not dominated when there are more of them than places.
#[test]
fn spea2_keeps_what_is_dominated_but_lonely() {
    let crowd = array![[0.0, 1.0], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [90.0, 90.0]];
    let survivors = Spea2KnnSurvival::new().operate(numbered(crowd.clone()), 3, &mut random(1));
    assert!(numbers(&survivors).contains(&4), "the defect is gone");
    let objectives: Vec<Objectives> =
        crowd.outer_iter().map(|row| Objectives::from_array([row[0], row[1], 0.0])).collect();
    let survival = Survival::new(Algorithm::Spea2, 20);
    let ours = survival.survivors(numbered(crowd).genes, &objectives, 3, Axis::Linear, &mut random(1));
    assert!(!numbers(&ours).contains(&4));
}

/// `moors` holds its cleaner and repair in `Arc`s that may not leave a thread; a search makes them anew for each mating.
#[test]
fn a_search_may_go_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    let space = SpaceFile::preset("dynasplit-vit").unwrap().space().unwrap();
    let mut search = Genetic::new(&space, Settings::steady(Algorithm::AgeMoea), 1);
    is_send(&search);
    let asked = std::thread::spawn(move || search.ask(3)).join().unwrap();
    assert_eq!(asked.len(), 3);
}

/// With one optimum, every other front is given as many scores as the first has members. No such panic reaches a search
/// (`no_panic_reaches_a_search` has an optimum too).
#[test]
fn age_moea_gives_other_fronts_too_few_scores() {
    let one_optimum = array![[0.0, 0.0], [1.0, 3.0], [2.0, 2.0], [3.0, 1.0]];
    let split = move || AgeMoeaSurvival::new().operate(numbered(one_optimum), 3, &mut random(1));
    assert!(catch_unwind(split).is_err(), "the defect is gone");
}

/// Set where the next test runs this one in a process of its own.
const ALONE: &str = "SPLINTER_TEST_ALONE";

/// Two combinations, one of which is known: of three children that are asked for, one can be had. Then a search of the same
/// space.
#[test]
fn fewer_children_than_asked_for() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    let space = SpaceFile::parse("[knobs]\ncut = [0, 1]\n", "space.toml").unwrap().space().unwrap();
    let genome = Arc::new(Genome::of(&space));
    let evolve = EvolveBuilder::default()
        .selection(RandomSelection::new())
        .crossover(UniformBinaryCrossover::new())
        .mutation(Resample(genome))
        .duplicates_cleaner(Arc::new(ExactDuplicatesCleaner::new()))
        .mutation_rate(1.0)
        .crossover_rate(0.9)
        .lower_bound(None)
        .upper_bound(None)
        .build()
        .unwrap();
    let known = PopulationMOO::new_unconstrained(array![[0.0]], array![[1.0, 1.0]]);
    let children = evolve.evolve(&known, 3, 50, &mut random(1)).unwrap();
    assert_eq!(children, array![[1.0]]);
    let mut search = Genetic::new(&space, Settings::steady(Algorithm::Nsga2), 1);
    assert_eq!(search.ask(3).len(), 2);
}

/// A search asks for one child at a time, so nothing of it gets among what a program prints.
#[test]
fn a_warning_goes_to_standard_output() {
    let own = std::env::current_exe().unwrap();
    let test = concat!(module_path!(), "::fewer_children_than_asked_for");
    let test = test.split_once("::").unwrap().1;
    let ran = Command::new(own).args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && printed.contains("1 passed"), "{printed}");
    assert_eq!(printed.matches("Warning").count(), 1, "{printed}");
    assert!(printed.contains("Only 1 offspring"), "the defect is gone: {printed}");
}

/// A search is told what was measured before.
#[test]
fn a_second_run_begins_anew() {
    let runs = evaluated_in_runs(None, 2);
    let [first, second] = runs.as_slice() else { panic!("two runs") };
    let anew = &second[..INDIVIDUALS];
    assert!(anew.iter().all(|row| !first.contains(row)), "the defect is gone: it goes on from what it had");
}

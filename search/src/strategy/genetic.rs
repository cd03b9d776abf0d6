//! Genetic searches with the operators of `moors`, asked and told one candidate at a time.
//!
//! `moors` runs whole generations and measures parents again in each; here its operators are called one by one instead:
//! selection, crossover and mutation propose a candidate that was never asked for, and its survival takes in what was
//! measured, as soon as it is there. So nothing is measured twice, several pairs of machines never wait for each other, and
//! what was measured before a restart is simply told again. `docs/moors.md` lists what is guarded against, and why.

#[cfg(test)]
mod defects;
mod operators;
mod survival;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use moors::operators::Evolve;
use moors::operators::evolve::EvolveBuilder;
use moors::selection::moo::{RandomSelection, RankAndScoringSelection};
use moors::survival::moo::SurvivalScoringComparison;
use moors::{MOORandomGenerator, PopulationMOO, SelectionOperator, UniformBinaryCrossover};

use super::Strategy;
use crate::anchors;
use crate::objectives::{Axis, Objectives};
use crate::observation::Observation;
use crate::space::{Candidate, Space};
use operators::{Genome, Resample, Snap, Unseen};
use survival::Survival;

/// Which genetic search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// K. Deb, H. Jain, 2014: niches around reference directions.
    Nsga3,
    /// K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, 2002: crowding distance.
    Nsga2,
    /// E. Zitzler, M. Laumanns, L. Thiele, 2001: the distance to near neighbours.
    Spea2,
    /// A. Panichella, 2019: the front's geometry is estimated.
    AgeMoea,
}

/// How a genetic search is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Candidates that survive.
    pub population: usize,
    /// Measurements after which the survivors are chosen anew.
    pub generation: usize,
    /// Directions that NSGA-III keeps a survivor near, at least.
    pub directions: usize,
    /// Whether the corners of the space are measured first.
    pub begins_with_corners: bool,
    /// What becomes of a candidate that is illegal.
    pub illegal: Illegal,
    /// How latency and energy are laid out for survival.
    pub axis: Axis,
    /// Ends after so many candidates; `None` when the space is exhausted.
    pub most: Option<usize>,
}

/// What becomes of a proposed candidate that the space does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Illegal {
    /// The nearest legal one takes its place.
    Snapped,
    /// It is thrown away.
    Rejected,
}

impl Settings {
    /// Of the strategies that bear the algorithms' names: small populations, as tens of measurements are all there is,
    /// renewed with each measurement.
    pub const fn steady(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            population: 20,
            generation: 1,
            directions: 20,
            begins_with_corners: true,
            illegal: Illegal::Snapped,
            axis: Axis::Logarithmic,
            most: None,
        }
    }

    /// The offline phase of the DynaSplit paper: Optuna's NSGA-III with a population of 50 and 10 directions, illegal and
    /// repeated candidates thrown away, a fifth of the space.
    pub fn dynasplit(space: &Space) -> Self {
        let fifth = space.count().div_ceil(5);
        Self {
            population: 50,
            generation: 50,
            directions: 10,
            begins_with_corners: false,
            illegal: Illegal::Rejected,
            axis: Axis::Linear,
            most: Some(fifth),
            ..Self::steady(Algorithm::Nsga3)
        }
    }
}

/// Offspring are tried so often before a random candidate takes their place.
const MOST_MATINGS: usize = 50;
/// Random candidates are tried so often before the next one in order is taken.
const MOST_DRAWS: usize = 200;
/// The share of matings in which genes are exchanged: Optuna's and the field's usual one.
const CROSSOVER_RATE: f64 = 0.9;

/// The strategy.
pub struct Genetic {
    space: Space,
    settings: Settings,
    genome: Arc<Genome>,
    survival: Survival,
    random: MOORandomGenerator,
    /// Asked for or told of.
    seen: Arc<HashSet<Candidate>>,
    begin: VecDeque<Candidate>,
    /// Corners at the front of `begin`.
    corners_left: usize,
    known: BTreeMap<Candidate, Objectives>,
    population: Option<PopulationMOO>,
    newcomers: Vec<Candidate>,
    pending: HashSet<Candidate>,
    is_exhausted: bool,
}

impl Genetic {
    /// A search of a space.
    pub fn new(space: &Space, settings: Settings, seed: u64) -> Self {
        let genome = Arc::new(Genome::of(space));
        let mut search = Self {
            survival: Survival::new(settings.algorithm, settings.directions),
            random: MOORandomGenerator::new_from_seed(Some(seed)),
            seen: Arc::default(),
            begin: if settings.begins_with_corners {
                anchors::corners(space).into()
            } else {
                VecDeque::new()
            },
            corners_left: 0,
            known: BTreeMap::new(),
            population: None,
            newcomers: Vec::new(),
            pending: HashSet::new(),
            is_exhausted: false,
            space: space.clone(),
            genome,
            settings,
        };
        search.corners_left = search.begin.len();
        search
    }

    /// The next of those that begin: what is left of the corners, then random ones until there is a population.
    fn beginner(&mut self) -> Option<Candidate> {
        while let Some(corner) = self.begin.pop_front() {
            if !self.seen.contains(&corner) {
                return Some(corner);
            }
        }
        (self.seen.len() < self.settings.population).then(|| self.any_unseen()).flatten()
    }

    /// A random candidate that was never seen; `None` when there is none.
    fn any_unseen(&mut self) -> Option<Candidate> {
        for _ in 0..MOST_DRAWS {
            let drawn = self.genome.random(&mut self.random);
            let drawn = match self.settings.illegal {
                Illegal::Snapped => self.space.snap(drawn),
                Illegal::Rejected => Some(drawn).filter(|&drawn| self.space.is_legal(drawn)),
            };
            if let Some(unseen) = drawn.filter(|drawn| !self.seen.contains(drawn)) {
                return Some(unseen);
            }
        }
        self.space.candidates().find(|candidate| !self.seen.contains(candidate))
    }

    /// A child of the population that was never seen; a random candidate where the population has none.
    fn child(&mut self) -> Option<Candidate> {
        let population = self.population.take()?;
        let ranked = |use_score, comparison| RankAndScoringSelection::new(true, use_score, comparison);
        let child = match self.settings.algorithm {
            // The paper's search picks parents by rank, the plain NSGA-III at random.
            Algorithm::Nsga3 if self.settings.generation > 1 => {
                self.mate(&population, ranked(false, SurvivalScoringComparison::Maximize))
            }
            Algorithm::Nsga3 => self.mate(&population, RandomSelection::new()),
            Algorithm::Nsga2 | Algorithm::AgeMoea => {
                self.mate(&population, ranked(true, SurvivalScoringComparison::Maximize))
            }
            // `moors` has it the wrong way round: its score is the better the smaller it is.
            Algorithm::Spea2 => {
                let by_score = RankAndScoringSelection::new(false, true, SurvivalScoringComparison::Minimize);
                self.mate(&population, by_score)
            }
        };
        self.population = Some(population);
        child.or_else(|| self.any_unseen())
    }

    /// One child, as more at once would let `moors` print a warning when there are fewer.
    fn mate<S>(&mut self, population: &PopulationMOO, selection: S) -> Option<Candidate>
    where
        S: SelectionOperator<FDim = ndarray::Ix2>,
    {
        let evolve: Evolve<S, UniformBinaryCrossover, Resample> = EvolveBuilder::default()
            .selection(selection)
            .crossover(UniformBinaryCrossover::new())
            .mutation(Resample(Arc::clone(&self.genome)))
            .duplicates_cleaner(Arc::new(Unseen {
                genome: Arc::clone(&self.genome),
                seen: Arc::clone(&self.seen),
                legal_in: (self.settings.illegal == Illegal::Rejected).then(|| self.space.clone()),
            }))
            .repair(Arc::new(Snap {
                genome: Arc::clone(&self.genome),
                space: (self.settings.illegal == Illegal::Snapped).then(|| self.space.clone()),
            }))
            .mutation_rate(1.0)
            .crossover_rate(CROSSOVER_RATE)
            .lower_bound(None)
            .upper_bound(None)
            .build()
            .ok()?;
        let random = &mut self.random;
        let genes =
            survival::caught(move || evolve.evolve(population, 1, MOST_MATINGS, random).ok()).flatten()?;
        genes.outer_iter().next().map(|genes| self.genome.candidate(genes))
    }

    /// Takes what was measured since into the population.
    fn renew(&mut self) {
        let is_due = self.population.is_none() || self.newcomers.len() >= self.settings.generation;
        if self.newcomers.is_empty() || !is_due {
            return;
        }
        let survivors = self.population.iter().flat_map(|population| population.genes.outer_iter());
        let mut members: Vec<Candidate> = survivors.map(|genes| self.genome.candidate(genes)).collect();
        members.append(&mut self.newcomers);
        let objectives: Vec<Objectives> =
            members.iter().filter_map(|member| self.known.get(member).copied()).collect();
        let genes = self.genome.genes(&members);
        let population = self.survival.survivors(
            genes,
            &objectives,
            self.settings.population,
            self.settings.axis,
            &mut self.random,
        );
        self.population = Some(population);
    }
}

impl Strategy for Genetic {
    fn ask(&mut self, count: usize) -> Vec<Candidate> {
        self.renew();
        let mut asked = Vec::new();
        while asked.len() < count && !self.is_finished() {
            let next = match self.beginner() {
                Some(beginner) => Some(beginner),
                // Everything so far failed: there is nothing to breed from.
                None if self.population.is_none() && self.pending.is_empty() => self.any_unseen(),
                None if self.population.is_none() => break,
                None => self.child(),
            };
            let Some(candidate) = next else {
                self.is_exhausted = true;
                break;
            };
            Arc::make_mut(&mut self.seen).insert(candidate);
            self.pending.insert(candidate);
            asked.push(candidate);
        }
        asked
    }

    fn tell(&mut self, candidate: Candidate, observation: &Observation) {
        if !self.space.is_legal(candidate) {
            return;
        }
        self.pending.remove(&candidate);
        Arc::make_mut(&mut self.seen).insert(candidate);
        if self.known.insert(candidate, observation.objectives()).is_none() {
            self.newcomers.push(candidate);
        }
    }

    fn failed(&mut self, candidate: Candidate) {
        self.pending.remove(&candidate);
    }

    fn is_finished(&self) -> bool {
        self.is_exhausted
            || self.settings.most.is_some_and(|most| self.known.len() + self.pending.len() >= most)
    }
}

//! Who survives, by the operators of `moors`, with a guard around each of their defects.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use moors::{
    AgeMoeaSurvival, DanAndDenisReferencePoints, MOORandomGenerator, Nsga2RankCrowdingSurvival,
    Nsga3ReferencePointsSurvival, PopulationMOO, Spea2KnnSurvival, StructuredReferencePoints as _,
    SurvivalOperator,
};
use ndarray::{Array2, Axis as Along};

use super::Algorithm;
use crate::objectives::{Axis, Objectives, Scale, non_dominated};

/// The survival of one algorithm.
#[derive(Debug)]
pub(super) struct Survival {
    algorithm: Algorithm,
    directions: usize,
}

impl Survival {
    pub(super) const fn new(algorithm: Algorithm, directions: usize) -> Self {
        Self { algorithm, directions }
    }

    /// Up to `most` of the members: one row of genes each, and their objectives in the same order.
    ///
    /// `moors` is called only when there is something to choose: its operators panic or loop for ever on the fewest of
    /// members and objectives.
    pub(super) fn survivors(
        &self,
        genes: Array2<f64>,
        objectives: &[Objectives],
        most: usize,
        axis: Axis,
        random: &mut MOORandomGenerator,
    ) -> PopulationMOO {
        let fitness = fitness(objectives, axis);
        let varying = fitness.ncols();
        let members = PopulationMOO::new_unconstrained(genes, fitness);
        if members.len() <= most || varying < 2 {
            let order = by_layers(objectives);
            let kept: Vec<usize> = order.into_iter().take(most).collect();
            return members.selected(&kept);
        }
        let chosen = caught(|| self.choose(members.clone(), objectives, most, random));
        // Crowding asks for nothing that these numbers could lack.
        let chosen = chosen
            .or_else(|| caught(|| Nsga2RankCrowdingSurvival::new().operate(members.clone(), most, random)));
        chosen.unwrap_or_else(|| {
            let kept: Vec<usize> = by_layers(objectives).into_iter().take(most).collect();
            members.selected(&kept)
        })
    }

    fn choose(
        &self,
        members: PopulationMOO,
        objectives: &[Objectives],
        most: usize,
        random: &mut MOORandomGenerator,
    ) -> PopulationMOO {
        match self.algorithm {
            Algorithm::Nsga2 => Nsga2RankCrowdingSurvival::new().operate(members, most, random),
            Algorithm::AgeMoea => AgeMoeaSurvival::new().operate(members, most, random),
            Algorithm::Nsga3 => {
                let directions = DanAndDenisReferencePoints::new(self.directions, members.fitness.ncols());
                Nsga3ReferencePointsSurvival::new(directions.generate(), false).operate(members, most, random)
            }
            Algorithm::Spea2 => {
                // With more non-dominated members than places, `moors` would choose lonely dominated ones.
                let best = non_dominated(objectives);
                let members = if best.len() > most { members.selected(&best) } else { members };
                Spea2KnnSurvival::new().operate(members, most, random)
            }
        }
    }
}

/// The objectives that differ, each from 0, its best among these, to 1: finite, and with the ideal at 0.
fn fitness(objectives: &[Objectives], axis: Axis) -> Array2<f64> {
    let scale = Scale::of(objectives.iter().copied(), axis);
    let placed = Array2::from_shape_fn((objectives.len(), Objectives::COUNT), |(row, objective)| {
        scale.place(objectives[row])[objective]
    });
    let columns = placed.axis_iter(Along(1)).enumerate();
    let varying = columns.filter(|(_, column)| column.iter().any(|value| *value != column[0]));
    let varying: Vec<usize> = varying.map(|(place, _)| place).collect();
    placed.select(Along(1), &varying)
}

/// The members front by front: those that none dominates, those that only they dominate, and so on.
fn by_layers(objectives: &[Objectives]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..objectives.len()).collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let values: Vec<Objectives> = left.iter().map(|&place| objectives[place]).collect();
        let layer: Vec<usize> = non_dominated(&values).into_iter().map(|place| left[place]).collect();
        left.retain(|place| !layer.contains(place));
        order.extend(layer);
    }
    order
}

thread_local! {
    /// Whether a panic of this thread is expected, and so not worth a message.
    static IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// The result, or `None` when it panicked; such a panic is no news and prints nothing.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_EXPECTED.get() {
                before(info);
            }
        }));
    });
    IS_EXPECTED.set(true);
    // What is passed in is given up, but for the random numbers, which are as good after a panic as before.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    IS_EXPECTED.set(false);
    result.ok()
}

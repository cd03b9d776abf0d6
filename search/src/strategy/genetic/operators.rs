//! Candidates as the genes of `moors`, and what it does not have for whole numbers: mutation, repair, and a cleaner that
//! remembers everything.

use std::collections::HashSet;
use std::sync::Arc;

use moors::operators::repair::RepairOperator;
use moors::{MutationOperator, PopulationCleaner, RandomGenerator};
use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis};

use crate::knob::Knob;
use crate::space::{Candidate, Space};

/// Which knobs are genes: those with more than one value. A gene is a value's place in its list.
#[derive(Debug)]
pub(super) struct Genome {
    genes: Vec<(Knob, usize)>,
    first: Candidate,
}

impl Genome {
    pub(super) fn of(space: &Space) -> Self {
        let sizes = Knob::ALL.into_iter().map(|knob| (knob, space.values(knob).len()));
        Self { genes: sizes.filter(|(_, size)| *size > 1).collect(), first: Candidate::FIRST }
    }

    pub(super) fn candidate(&self, genes: ArrayView1<'_, f64>) -> Candidate {
        let turned = self.genes.iter().zip(genes);
        turned.fold(self.first, |candidate, (&(knob, size), &gene)| {
            candidate.with(knob, (gene.max(0.0) as usize).min(size - 1))
        })
    }

    /// One row a candidate.
    pub(super) fn genes(&self, candidates: &[Candidate]) -> Array2<f64> {
        Array2::from_shape_fn((candidates.len(), self.genes.len()), |(row, gene)| {
            candidates[row].place(self.genes[gene].0) as f64
        })
    }

    /// Any combination, legal or not.
    pub(super) fn random(&self, random: &mut impl RandomGenerator) -> Candidate {
        let turn = |candidate: Candidate, &(knob, size): &(Knob, usize)| {
            candidate.with(knob, random.gen_range_usize(0, size))
        };
        self.genes.iter().fold(self.first, turn)
    }
}

/// Each gene is drawn anew with a chance of one in as many as there are genes.
#[derive(Debug, Clone)]
pub(super) struct Resample(pub(super) Arc<Genome>);

impl MutationOperator for Resample {
    fn mutate<'a>(&self, mut individual: ArrayViewMut1<'a, f64>, random: &mut impl RandomGenerator) {
        let chance = 1.0 / self.0.genes.len().max(1) as f64;
        for (gene, (_, size)) in individual.iter_mut().zip(&self.0.genes) {
            if random.gen_bool(chance) {
                *gene = random.gen_range_usize(0, *size) as f64;
            }
        }
    }
}

/// Puts the nearest legal candidate in the place of one that is not.
#[derive(Debug)]
pub(super) struct Snap {
    pub(super) genome: Arc<Genome>,
    /// `None` leaves it as it is.
    pub(super) space: Option<Space>,
}

impl RepairOperator for Snap {
    fn repair(&self, mut individual: ArrayViewMut1<f64>) {
        let Some(space) = &self.space else { return };
        if let Some(legal) = space.snap(self.genome.candidate(individual.view())) {
            for (gene, (knob, _)) in individual.iter_mut().zip(&self.genome.genes) {
                *gene = legal.place(*knob) as f64;
            }
        }
    }
}

/// Takes out every candidate that was ever seen, not only those of the living population.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) genome: Arc<Genome>,
    pub(super) seen: Arc<HashSet<Candidate>>,
    /// Takes out those too that this space does not have.
    pub(super) legal_in: Option<Space>,
}

impl PopulationCleaner for Unseen {
    fn remove(&self, population: Array2<f64>, reference: Option<&Array2<f64>>) -> Array2<f64> {
        let others = reference.into_iter().flat_map(|others| others.outer_iter());
        let mut taken: HashSet<Candidate> = others.map(|genes| self.genome.candidate(genes)).collect();
        let mut is_new = |genes: ArrayView1<'_, f64>| {
            let candidate = self.genome.candidate(genes);
            let is_legal = self.legal_in.as_ref().is_none_or(|space| space.is_legal(candidate));
            is_legal && !self.seen.contains(&candidate) && taken.insert(candidate)
        };
        let rows = population.outer_iter().enumerate();
        let kept: Vec<usize> = rows.filter(|(_, genes)| is_new(*genes)).map(|(row, _)| row).collect();
        population.select(Axis(0), &kept)
    }
}

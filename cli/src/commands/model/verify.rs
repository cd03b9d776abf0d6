//! `splinter model verify`: whether head and tail are the whole network, wherever it is cut.

use std::path::Path;

use anyhow::bail;
use models::{Accelerator, Network};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemas::{Cut, ModelName, Tensor};
use serde::Serialize;

use super::read;
use crate::arguments::VerifyArguments;
use crate::output;

/// The rule by which head∘tail counts as the whole network: |a − b| ≤ this × (1 + |b|) for each output.
const SAME_RESULT: f32 = 1e-4;

/// What was found.
#[derive(Debug, Serialize)]
struct Verification {
    model: ModelName,
    digest: String,
    /// Seed of the input.
    seed: u64,
    cuts: usize,
    /// Greatest |head∘tail − whole| ÷ (1 + |whole|) over all outputs and cuts; `null` where it is beyond all numbers.
    greatest_difference: f32,
    /// What is still taken as equal.
    tolerance: f32,
    at_cut: Cut,
    /// The node after which that cut lies.
    at_name: String,
    /// The greatest difference at each cut.
    differences: Vec<f32>,
    holds: bool,
}

/// Runs the network whole and in two at every cut, and fails where they differ.
pub async fn run(arguments: VerifyArguments) -> anyhow::Result<()> {
    let VerifyArguments { path, seed, output } = arguments;
    let found = tokio::task::spawn_blocking(move || verify(&path, seed)).await??;
    output::print(output.json, &found, Verification::text)?;
    if found.holds {
        Ok(())
    } else {
        bail!("head and tail differ from the whole network at cut {} ({})", found.at_cut, found.at_name)
    }
}

impl Verification {
    fn text(&self) -> String {
        let verdict = if self.holds { "equal" } else { "DIFFER FROM" };
        format!(
            "{}: digests match; head and tail {verdict} the whole network at {} cuts on random input (seed {}; greatest \
             difference {:.1e} of {:.0e} allowed, at cut {} after {})",
            self.model,
            self.cuts,
            self.seed,
            self.greatest_difference,
            self.tolerance,
            self.at_cut,
            self.at_name,
        )
    }
}

fn verify(path: &Path, seed: u64) -> anyhow::Result<Verification> {
    let bundle = read(path)?;
    let network = Network::load(&bundle, Accelerator::Cpu)?;
    let description = network.describe(bundle.name(), bundle.labels());
    let input = random_input(&description.input.shape, seed)?;
    let whole = network.run(&input)?.to_f32()?;
    let bar = output::progress(description.cuts.len() as u64, "verifying");
    let mut differences = Vec::with_capacity(description.cuts.len());
    for cut in description.cuts.iter().map(|cut| cut.cut) {
        let parts = network.tail(cut, &network.head(cut, &input)?)?.to_f32()?;
        differences.push(greatest_difference(&parts, &whole));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let worst = (0..differences.len()).rev().max_by(|a, b| differences[*a].total_cmp(&differences[*b]));
    let worst = worst.unwrap_or_default();
    let greatest_difference = differences[worst];
    Ok(Verification {
        model: bundle.name().clone(),
        digest: bundle.digest().to_string(),
        seed,
        cuts: differences.len(),
        greatest_difference,
        tolerance: SAME_RESULT,
        at_cut: description.cuts[worst].cut,
        at_name: description.cuts[worst].name.clone(),
        differences,
        holds: greatest_difference <= SAME_RESULT,
    })
}

/// Infinite when the lengths differ, or where one is a number and the other is not.
fn greatest_difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return f32::INFINITY;
    }
    a.iter().zip(b).fold(0.0, |greatest: f32, (a, b)| {
        if a.to_bits() == b.to_bits() {
            return greatest;
        }
        let difference = (a - b).abs() / (1.0 + b.abs());
        if difference.is_nan() { f32::INFINITY } else { greatest.max(difference) }
    })
}

fn random_input(shape: &[u64], seed: u64) -> anyhow::Result<Tensor<'static>> {
    let elements: u64 = shape.iter().product();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..elements).map(|_| random.random_range(-1.0..1.0)).collect();
    Ok(Tensor::from_f32(shape.to_vec(), &values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_strange_number_is_the_greatest_difference() {
        assert_eq!(greatest_difference(&[1.0], &[1.0, 2.0]), f32::INFINITY);
        assert_eq!(greatest_difference(&[f32::NAN], &[1.0]), f32::INFINITY);
        assert_eq!(greatest_difference(&[3.0], &[1.0]), 1.0);
        assert_eq!(greatest_difference(&[f32::NAN, f32::INFINITY], &[f32::NAN, f32::INFINITY]), 0.0);
    }

    #[test]
    fn a_seed_gives_one_input() {
        let of = |seed| random_input(&[1, 3, 2, 2], seed).unwrap().to_f32().unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(of(1).iter().all(|value| (-1.0..1.0).contains(value)));
    }
}

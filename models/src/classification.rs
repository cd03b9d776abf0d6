//! From a network's output to classes.

use schemas::{Classification, Share, Tensor};

use crate::error::ModelError;

/// Most classes that an answer lists.
pub const GREATEST_CLASSES_LISTED: usize = 5;

/// The best classes of an output of logits, best first, at most [`GREATEST_CLASSES_LISTED`].
///
/// Probabilities are the softmax over all values of `output`. A class without a label is called by its index.
///
/// # Errors
/// When `output` is not `f32`, is empty, or holds a value that is not finite.
pub fn classify(output: &Tensor<'_>, labels: &[String]) -> Result<Vec<Classification>, ModelError> {
    let logits = output.to_f32()?;
    if logits.is_empty() || logits.iter().any(|logit| !logit.is_finite()) {
        return Err(ModelError::Computation("the output is empty or not finite".to_owned()));
    }
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = logits.iter().map(|logit| f64::from(logit - greatest).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut best: Vec<(usize, f64)> = weights.into_iter().enumerate().collect();
    // Stable: of equal classes the one with the lower index comes first.
    best.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    best.truncate(GREATEST_CLASSES_LISTED);
    best.into_iter()
        .map(|(index, weight)| {
            let number = u32::try_from(index)
                .map_err(|_| ModelError::Computation("the output has too many classes".to_owned()))?;
            Ok(Classification {
                index: number,
                label: labels.get(index).cloned().unwrap_or_else(|| index.to_string()),
                probability: Share::saturating(weight / total),
            })
        })
        .collect()
}

//! The accuracy guard: a codec that costs too many of the answers at a cut is not offered there. Pure.

use std::collections::{BTreeMap, BTreeSet};

use schemas::{Codec, CodecLoss, Cut, LossBasis, Share, WithheldCodec};

use crate::record::{Answer, Answers};

/// What was answered with a codec at a cut; several of one pair (at other clocks) are judged by the worst.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The cut.
    pub cut: Cut,
    /// The codec.
    pub codec: Codec,
    /// The answers.
    pub answers: Answers,
}

/// What the guard decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offers {
    /// The codecs that may be used, cut by cut.
    pub offered: BTreeSet<(Cut, Codec)>,
    /// The others, with the reason; ascending.
    pub withheld: Vec<WithheldCodec>,
}

/// Decides on every pair of a cut and a codec that was observed.
///
/// A codec that keeps every bit is always offered. Another one is offered when it costs at most `greatest_loss`,
/// compared with the answers of an exact codec at the same cut or, where there are none, at another cut: wherever a
/// network is cut, it gives the same output on its exact frontier. The cost is lost accuracy on the pictures with a
/// known class; where there are none, the share of changed answers. Answers that cannot be compared are no proof of
/// harmlessness: such a codec is withheld.
pub fn judge(observations: &[Observation], greatest_loss: Share) -> Offers {
    let mut losses: BTreeMap<(Cut, Codec), Vec<Option<CodecLoss>>> = BTreeMap::new();
    for observation in observations {
        let loss =
            exact_answers(observations, observation.cut).and_then(|exact| loss(exact, &observation.answers));
        losses.entry((observation.cut, observation.codec)).or_default().push(loss);
    }
    let mut offers = Offers::default();
    for ((cut, codec), losses) in losses {
        let worst = worst(&losses);
        if codec.is_exact() || worst.is_some_and(|loss| loss.share.get() <= greatest_loss.get()) {
            offers.offered.insert((cut, codec));
        } else {
            offers.withheld.push(WithheldCodec { cut, codec, loss: worst, greatest_loss });
        }
    }
    offers
}

/// The answers on the exact frontier of a cut, or of another one.
fn exact_answers(observations: &[Observation], cut: Cut) -> Option<&Answers> {
    let exact = || observations.iter().filter(|observation| observation.codec.is_exact());
    let here = exact().find(|observation| observation.cut == cut);
    here.or_else(|| exact().next()).map(|observation| &observation.answers)
}

/// Unknown is worse than every known loss.
fn worst(losses: &[Option<CodecLoss>]) -> Option<CodecLoss> {
    let known: Option<Vec<CodecLoss>> = losses.iter().copied().collect();
    known?.into_iter().max_by(|a, b| a.share.get().total_cmp(&b.share.get()))
}

/// What the answers lost against the exact ones, on the pictures that both saw; `None` without such pictures.
fn loss(exact: &Answers, answers: &Answers) -> Option<CodecLoss> {
    let both = || answers.iter().filter_map(|(picture, answer)| Some((exact.get(picture)?, answer)));
    let rights: Vec<(bool, bool)> =
        both().filter_map(|(exact, answer)| exact.right.zip(answer.right)).collect();
    if !rights.is_empty() {
        let (before, after) = rights.iter().fold((0_u32, 0_u32), |(before, after), &(exact, answer)| {
            (before + u32::from(exact), after + u32::from(answer))
        });
        return Some(share(before.saturating_sub(after), rights.len(), LossBasis::Accuracy));
    }
    let compared: Vec<(&Answer, &Answer)> = both().filter(|(exact, _)| exact.best.is_some()).collect();
    let changed = compared.iter().filter(|(exact, answer)| exact.best != answer.best).count();
    let changed = u32::try_from(changed).unwrap_or(u32::MAX);
    (!compared.is_empty()).then(|| share(changed, compared.len(), LossBasis::Agreement))
}

fn share(lost: u32, pictures: usize, basis: LossBasis) -> CodecLoss {
    CodecLoss {
        share: Share::saturating(f64::from(lost) / pictures as f64),
        basis,
        pictures: u32::try_from(pictures).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests;

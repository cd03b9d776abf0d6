//! Which configurations are measured, and in what order. Pure.

use std::collections::BTreeSet;

use schemas::{Codec, Configuration, Cut, KiloHertz};

/// The configurations to measure, without repetition, in the order of their cuts.
///
/// Always in: the two ends (everything in the cloud, everything on the edge) at every clock, and every cut
/// with every codec at the highest clock. Every cut with every codec at every clock is in when that is at most
/// `budget` configurations. At the ends no codec is used, so they are there once. A machine whose clock cannot be set
/// (no `frequencies`) is measured as it is.
pub fn configurations(
    cuts: &[Cut],
    codecs: &[Codec],
    frequencies: &[KiloHertz],
    budget: usize,
) -> Vec<Configuration> {
    let cuts: BTreeSet<Cut> = cuts.iter().copied().collect();
    let codecs: BTreeSet<Codec> = codecs.iter().copied().collect();
    let mut clocks: Vec<Option<KiloHertz>> = frequencies.iter().copied().map(Some).collect();
    clocks.sort_unstable();
    clocks.dedup();
    if clocks.is_empty() {
        clocks.push(None);
    }
    let ends = [cuts.first().copied(), cuts.last().copied()];
    let is_end = |cut: Cut| ends.contains(&Some(cut));
    let written: Vec<(Cut, Codec)> = cuts
        .iter()
        .flat_map(|&cut| {
            let used = if is_end(cut) { BTreeSet::from([Codec::default()]) } else { codecs.clone() };
            used.into_iter().map(move |codec| (cut, codec))
        })
        .collect();
    let everything = written.len() * clocks.len() <= budget;
    let wanted = |cut: Cut, clock| everything || Some(&clock) == clocks.last() || is_end(cut);
    written
        .iter()
        .flat_map(|&(cut, codec)| clocks.iter().map(move |&clock| (cut, codec, clock)))
        .filter(|&(cut, _, clock)| wanted(cut, clock))
        .map(|(cut, codec, edge_frequency_khz)| Configuration {
            codec,
            edge_frequency_khz,
            ..Configuration::at(cut)
        })
        .collect()
}

/// The order of one pass: a permutation of `0..count` in which neighbours in time are far apart in the
/// list, so that a drift of the machine (heat, other load) does not look like an effect of the cut or clock.
///
/// A second pass in the reverse of this order gives every configuration the same mean moment, so that a
/// steady drift cancels.
pub fn interleaved(count: usize) -> Vec<usize> {
    let step = stride(count);
    (0..count).map(|turn| (turn * step) % count).collect()
}

/// The number nearest above 0.618 × count that shares no factor with it: such steps visit every place once.
fn stride(count: usize) -> usize {
    let golden = (count as f64 * 0.618) as usize;
    (golden.max(1)..).find(|&step| shares_no_factor(step, count)).unwrap_or(1)
}

fn shares_no_factor(mut a: usize, mut b: usize) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
    use schemas::{Codec, Cut, KiloHertz};

    use super::{configurations, interleaved};

    fn cuts(count: u16) -> Vec<Cut> {
        (0..count).map(Cut).collect()
    }

    fn clocks(count: u64) -> Vec<KiloHertz> {
        (0..count).map(|step| KiloHertz::from_megahertz(600 + 200 * step)).collect()
    }

    #[test]
    fn counts_of_configurations() {
        struct Case {
            name: &'static str,
            cuts: u16,
            codecs: usize,
            clocks: u64,
            budget: usize,
            expected: usize,
        }
        let cases = [
            Case { name: "all of them fit", cuts: 20, codecs: 1, clocks: 7, budget: 400, expected: 140 },
            Case { name: "just fit", cuts: 20, codecs: 1, clocks: 7, budget: 140, expected: 140 },
            // 20 cuts at the highest clock, and the two ends at the six other clocks.
            Case { name: "one too many", cuts: 20, codecs: 1, clocks: 7, budget: 139, expected: 32 },
            Case { name: "no clock to set", cuts: 20, codecs: 1, clocks: 0, budget: 1, expected: 20 },
            Case { name: "one clock", cuts: 20, codecs: 1, clocks: 1, budget: 1, expected: 20 },
            Case { name: "no cut but the ends", cuts: 2, codecs: 1, clocks: 3, budget: 1, expected: 6 },
            // 18 cuts with 12 codecs and the two ends with one.
            Case { name: "codecs, all fit", cuts: 20, codecs: 12, clocks: 7, budget: 1526, expected: 1526 },
            Case {
                name: "codecs, one too many",
                cuts: 20,
                codecs: 12,
                clocks: 7,
                budget: 1525,
                expected: 230,
            },
            Case { name: "codecs, no clock to set", cuts: 20, codecs: 3, clocks: 0, budget: 1, expected: 56 },
            Case { name: "no cut between the ends", cuts: 2, codecs: 12, clocks: 3, budget: 1, expected: 6 },
        ];
        for case in cases {
            let planned = configurations(
                &cuts(case.cuts),
                &Codec::ALL[..case.codecs],
                &clocks(case.clocks),
                case.budget,
            );
            assert_eq!(planned.len(), case.expected, "{}", case.name);
        }
    }

    #[test]
    fn a_machine_without_clocks_is_left_as_it_is() {
        assert!(
            configurations(&cuts(3), &[Codec::F32], &[], 400).iter().all(|c| c.edge_frequency_khz.is_none())
        );
    }

    proptest! {
        #[test]
        fn anchors_are_always_in(
            cut_count in 2_u16..80,
            codec_count in 1_usize..=12,
            clock_count in 1_u64..12,
            budget in 0_usize..500,
        ) {
            let codecs = &Codec::ALL[..codec_count];
            let planned = configurations(&cuts(cut_count), codecs, &clocks(clock_count), budget);
            let highest = clocks(clock_count).pop();
            for clock in clocks(clock_count) {
                for cut in [Cut(0), Cut(cut_count - 1)] {
                    prop_assert!(planned.iter().any(|c| c.cut == cut && c.edge_frequency_khz == Some(clock)));
                }
            }
            for cut in cuts(cut_count) {
                let is_end = cut == Cut(0) || cut == Cut(cut_count - 1);
                for &codec in codecs {
                    let is_it = |c: &schemas::Configuration| {
                        c.cut == cut && c.codec == codec && c.edge_frequency_khz == highest
                    };
                    let expected = !is_end || codec == Codec::F32;
                    prop_assert_eq!(planned.iter().any(is_it), expected, "{} at cut {}", codec, cut);
                }
            }
            let mut unique = std::collections::HashSet::new();
            prop_assert!(planned.iter().all(|c| unique.insert(*c)));
        }

        #[test]
        fn an_order_visits_every_place_once(count in 0_usize..1000) {
            let mut order = interleaved(count);
            order.sort_unstable();
            prop_assert_eq!(order, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn neighbours_in_time_are_apart(count in 8_usize..1000) {
            let order = interleaved(count);
            prop_assert!(order.windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 1));
        }

        #[test]
        fn doubled_cuts_are_measured_once(doubled in prop::collection::vec(0_u16..5, 1..20)) {
            let given: Vec<Cut> = doubled.into_iter().map(Cut).collect();
            let planned = configurations(&given, &[Codec::F32, Codec::F32], &clocks(2), 400);
            let mut unique = std::collections::HashSet::new();
            prop_assert!(planned.iter().all(|c| unique.insert(*c)));
        }
    }
}

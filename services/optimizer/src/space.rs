//! Which configurations are measured, and in what order. Pure.

use std::collections::BTreeSet;

use schemas::{Codec, Configuration, Cut, KiloHertz};

/// The configurations to measure, without repetition, in the order of their cuts.
///
/// Always in: the two ends (everything in the cloud, everything on the edge) at every clock, and every cut
/// at the highest clock. Every cut at every clock is in when that is at most `budget` configurations. A
/// machine whose clock cannot be set (no `frequencies`) is measured as it is.
pub fn configurations(cuts: &[Cut], frequencies: &[KiloHertz], budget: usize) -> Vec<Configuration> {
    let cuts: BTreeSet<Cut> = cuts.iter().copied().collect();
    let clocks: BTreeSet<KiloHertz> = frequencies.iter().copied().collect();
    let Some(&highest) = clocks.last() else {
        return cuts.into_iter().map(|cut| configuration(cut, None)).collect();
    };
    let everything = cuts.len() * clocks.len() <= budget;
    let ends = [cuts.first().copied(), cuts.last().copied()];
    let wanted = |cut: Cut, clock: KiloHertz| everything || clock == highest || ends.contains(&Some(cut));
    cuts.iter()
        .flat_map(|&cut| clocks.iter().map(move |&clock| (cut, clock)))
        .filter(|&(cut, clock)| wanted(cut, clock))
        .map(|(cut, clock)| configuration(cut, Some(clock)))
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

fn configuration(cut: Cut, clock: Option<KiloHertz>) -> Configuration {
    Configuration { cut, codec: Codec::default(), edge_frequency_khz: clock }
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
    use schemas::{Cut, KiloHertz};

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
            clocks: u64,
            budget: usize,
            expected: usize,
        }
        let cases = [
            Case { name: "all of them fit", cuts: 20, clocks: 7, budget: 400, expected: 140 },
            Case { name: "just fit", cuts: 20, clocks: 7, budget: 140, expected: 140 },
            // 20 cuts at the highest clock, and the two ends at the six other clocks.
            Case { name: "one too many", cuts: 20, clocks: 7, budget: 139, expected: 32 },
            Case { name: "no clock to set", cuts: 20, clocks: 0, budget: 1, expected: 20 },
            Case { name: "one clock", cuts: 20, clocks: 1, budget: 1, expected: 20 },
            Case { name: "no cut but the ends", cuts: 2, clocks: 3, budget: 1, expected: 6 },
        ];
        for case in cases {
            let planned = configurations(&cuts(case.cuts), &clocks(case.clocks), case.budget);
            assert_eq!(planned.len(), case.expected, "{}", case.name);
        }
    }

    #[test]
    fn a_machine_without_clocks_is_left_as_it_is() {
        assert!(configurations(&cuts(3), &[], 400).iter().all(|c| c.edge_frequency_khz.is_none()));
    }

    proptest! {
        #[test]
        fn anchors_are_always_in(cut_count in 2_u16..80, clock_count in 1_u64..12, budget in 0_usize..500) {
            let planned = configurations(&cuts(cut_count), &clocks(clock_count), budget);
            let highest = clocks(clock_count).pop();
            for clock in clocks(clock_count) {
                for cut in [Cut(0), Cut(cut_count - 1)] {
                    prop_assert!(planned.iter().any(|c| c.cut == cut && c.edge_frequency_khz == Some(clock)));
                }
            }
            for cut in cuts(cut_count) {
                prop_assert!(planned.iter().any(|c| c.cut == cut && c.edge_frequency_khz == highest));
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
            let planned = configurations(&given, &clocks(2), 400);
            let mut unique = std::collections::HashSet::new();
            prop_assert!(planned.iter().all(|c| unique.insert(*c)));
        }
    }
}

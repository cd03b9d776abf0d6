//! Head times against clocks.
//!
//! Where the processor runs the head, time × clock is a property of the head: the same at every clock, but for a factor of the
//! clock that all heads share (memory does not slow down with the processor), which is estimated. A row is compared with the
//! median of the other rows of its cut. Where there are fewer than two of those, heads of other cuts bear witness: heads nest,
//! so time × clock cannot fall along the cuts. The worst row is taken out and the rest judged again, until none is left that stands out:
//! one wrong row must not put its neighbours in doubt.

use std::collections::BTreeMap;

use schemas::Cut;
use search::knob::{Knob, Value};

use super::{Finding, Kind};
use crate::recording::Recording;

/// Deviations below this are never a doubt: an eighth of the clock's factor between neighbouring clocks of a small board.
const LEAST_DEVIATION: f64 = 0.15;
/// In robust standard deviations of the rows of a cut.
const DEVIATIONS: f64 = 6.0;
/// So many nearest cuts on each side bear witness where a cut cannot speak for itself.
const WITNESSES: usize = 3;
/// From so many rows on, a cut speaks for itself.
const ENOUGH_ROWS: usize = 5;

/// A head that the processor ran.
#[derive(Debug, Clone, Copy)]
struct Head {
    row: usize,
    cut: Cut,
    megahertz: f64,
    /// ln(time × clock).
    work: f64,
}

/// Finds heads that are faster or slower than their clock allows.
pub fn check(recording: &Recording) -> Vec<Finding> {
    let mut heads = heads(recording);
    let mut taken_out: Vec<(Head, f64)> = Vec::new();
    loop {
        let residuals = residuals(&heads);
        let worst = worst(&heads, &residuals);
        if worst.is_empty() {
            break;
        }
        for &place in worst.iter().rev() {
            taken_out.push((heads.remove(place), residuals[place].deviation));
        }
    }
    let clocks: Vec<f64> =
        recording.space().values(Knob::EdgeFrequency).iter().filter_map(megahertz).collect();
    let cuts = by_cut(&heads, |head| head.work);
    let centres: BTreeMap<Cut, f64> = cuts.iter().map(|(cut, works)| (*cut, middle(works))).collect();
    let finding = |(head, deviation): (Head, f64)| {
        // Against the rows that are left: those that were taken out no longer blur what is expected.
        let expected = expected(head.cut, &centres).map_or(deviation, |expected| head.work - expected);
        let deviation = if expected.signum() == deviation.signum() { expected } else { deviation };
        finding(recording, &head, deviation, &clocks)
    };
    taken_out.into_iter().map(finding).collect()
}

/// The work of a cut's head: its median, or between those of the nearest cuts on both sides.
fn expected(cut: Cut, centres: &BTreeMap<Cut, f64>) -> Option<f64> {
    if let Some(centre) = centres.get(&cut) {
        return Some(*centre);
    }
    let (below, shorter) = centres.range(..cut).next_back()?;
    let (above, longer) = centres.range(cut..).next()?;
    let share = f64::from(cut.0 - below.0) / f64::from(above.0 - below.0);
    Some((shorter.exp() * (1.0 - share) + longer.exp() * share).ln())
}

fn heads(recording: &Recording) -> Vec<Head> {
    let space = recording.space();
    let head = |row: usize| {
        let configuration = recording.configuration_of(row);
        let candidate = recording.configurations()[configuration].candidate;
        let on_processor = match space.value(candidate, Knob::EdgeAccelerator) {
            Value::Accelerator(name) => name == "off" || name == "cpu",
            _ => true,
        };
        let cut = recording.cut(configuration);
        let time = recording.rows()[row].parts?.edge_time.get();
        let megahertz = megahertz(space.value(candidate, Knob::EdgeFrequency))?;
        let counts = on_processor && cut > Cut::ALL_CLOUD && time > 0.0;
        counts.then(|| Head { row, cut, megahertz, work: (time * megahertz).ln() })
    };
    (0..recording.rows().len()).filter_map(head).collect()
}

fn megahertz(value: &Value) -> Option<f64> {
    if let Value::Frequency(clock) = value { Some(clock.0 as f64 / 1e3) } else { None }
}

/// How far a head is from what is expected, and how far it may be.
#[derive(Debug, Clone, Copy)]
struct Residual {
    deviation: f64,
    allowed: f64,
    /// Whether the cut has enough rows to be sure without the others.
    sure: bool,
}

fn residuals(heads: &[Head]) -> Vec<Residual> {
    let own_cut = by_cut(heads, |head| head.work);
    let effects = clock_effects(heads, &own_cut);
    let corrected = |head: &Head| head.work - effects.get(&head.megahertz.to_bits()).copied().unwrap_or(0.0);
    let cuts = by_cut(heads, corrected);
    let centres: BTreeMap<Cut, f64> = cuts.iter().map(|(cut, works)| (*cut, middle(works))).collect();
    let pooled = spread(heads.iter().map(|head| corrected(head) - centres[&head.cut]).collect());
    let spreads: BTreeMap<Cut, f64> = cuts
        .iter()
        .filter(|(_, works)| works.len() >= ENOUGH_ROWS)
        .map(|(cut, works)| (*cut, spread(works.iter().map(|work| work - centres[cut]).collect())))
        .collect();
    let residual = |head: &Head| {
        let works = &cuts[&head.cut];
        let work = corrected(head);
        let deviation = if works.len() > 2 {
            work - middle_without(works, work)
        } else {
            beyond_neighbours(head.cut, work, &centres, works)
        };
        let spread = spreads.get(&head.cut).copied().unwrap_or(pooled);
        let allowed = (DEVIATIONS * spread).max(LEAST_DEVIATION);
        Residual { deviation, allowed, sure: works.len() >= ENOUGH_ROWS }
    };
    heads.iter().map(residual).collect()
}

/// The factor that each clock has beside its rate: the median over cuts that have rows of several clocks.
fn clock_effects(heads: &[Head], cuts: &BTreeMap<Cut, Vec<f64>>) -> BTreeMap<u64, f64> {
    let mut deviations: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for head in heads {
        let works = &cuts[&head.cut];
        if works.len() >= ENOUGH_ROWS {
            deviations.entry(head.megahertz.to_bits()).or_default().push(head.work - middle(works));
        }
    }
    let enough = deviations.into_iter().filter(|(_, deviations)| deviations.len() >= ENOUGH_ROWS);
    enough
        .map(|(clock, mut deviations)| {
            deviations.sort_by(f64::total_cmp);
            (clock, middle(&deviations))
        })
        .collect()
}

/// By how much a head contradicts both the other row of its cut, if there is one, and the heads of other cuts.
fn beyond_neighbours(cut: Cut, work: f64, centres: &BTreeMap<Cut, f64>, works: &[f64]) -> f64 {
    let shorter: Vec<f64> = centres.range(..cut).rev().take(WITNESSES).map(|(_, centre)| *centre).collect();
    let after = Cut(cut.0.saturating_add(1));
    let longer: Vec<f64> = centres.range(after..).take(WITNESSES).map(|(_, centre)| -centre).collect();
    let fallen = second_greatest(shorter).map_or(0.0, |shorter| (work - shorter).min(0.0));
    let risen = second_greatest(longer).map_or(0.0, |longer| (work + longer).max(0.0));
    let against_cuts = if fallen == 0.0 { risen } else { fallen };
    // With a second row of the same cut, it must disagree as well, and in the same direction.
    let other = works.iter().copied().find(|other| *other != work);
    match (works.len(), other) {
        (2, Some(other)) if (work - other).signum() == against_cuts.signum() => {
            if (work - other).abs() < against_cuts.abs() { work - other } else { against_cuts }
        }
        (2, _) => 0.0,
        _ => against_cuts,
    }
}

/// The second greatest, so that one of the witnesses may be wrong itself; one alone is not believed.
fn second_greatest(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(|one, other| other.total_cmp(one));
    values.get(1).copied()
}

/// The places, ascending, of the rows that are taken out now: of each cut that can be sure the worst, and of all others the worst.
fn worst(heads: &[Head], residuals: &[Residual]) -> Vec<usize> {
    let mut worst: BTreeMap<Option<Cut>, (f64, usize)> = BTreeMap::new();
    for (place, (head, residual)) in heads.iter().zip(residuals).enumerate() {
        let excess = residual.deviation.abs() / residual.allowed;
        if excess <= 1.0 {
            continue;
        }
        let key = residual.sure.then_some(head.cut);
        let entry = worst.entry(key).or_insert((excess, place));
        if excess > entry.0 {
            *entry = (excess, place);
        }
    }
    let mut places: Vec<usize> = worst.into_values().map(|(_, place)| place).collect();
    places.sort_unstable();
    places
}

fn finding(recording: &Recording, head: &Head, deviation: f64, clocks: &[f64]) -> Finding {
    let ratio = deviation.exp();
    let likely = clocks
        .iter()
        .map(|&clock| (clock, (deviation - (head.megahertz / clock).ln()).abs()))
        .filter(|(clock, apart)| *clock != head.megahertz && *apart < deviation.abs() / 2.0)
        .min_by(|one, other| one.1.total_cmp(&other.1));
    let ran_at = likely.map_or(String::new(), |(clock, _)| format!("; as if at {clock} MHz"));
    let kind = if deviation < 0.0 { Kind::ClockNotApplied } else { Kind::SlowHead };
    let why = format!("head time × clock is {ratio:.2} of what this cut takes at its other clocks{ran_at}");
    Finding::of(recording, head.row, kind, Some(ratio), why)
}

/// Values of the heads by cut, ascending.
fn by_cut(heads: &[Head], value: impl Fn(&Head) -> f64) -> BTreeMap<Cut, Vec<f64>> {
    let mut cuts: BTreeMap<Cut, Vec<f64>> = BTreeMap::new();
    for head in heads {
        cuts.entry(head.cut).or_default().push(value(head));
    }
    cuts.values_mut().for_each(|works| works.sort_by(f64::total_cmp));
    cuts
}

/// The median of ascending values; 0 of none.
fn middle(sorted: &[f64]) -> f64 {
    let count = sorted.len();
    match count {
        0 => 0.0,
        _ if count % 2 == 1 => sorted[count / 2],
        _ => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// The median of ascending values without one of them.
fn middle_without(sorted: &[f64], value: f64) -> f64 {
    let place = sorted.partition_point(|other| *other < value);
    let at = |index: usize| sorted[if index < place { index } else { index + 1 }];
    let count = sorted.len() - 1;
    if count % 2 == 1 { at(count / 2) } else { f64::midpoint(at(count / 2 - 1), at(count / 2)) }
}

/// A robust standard deviation: 1.4826 × the median distance from zero.
fn spread(mut deviations: Vec<f64>) -> f64 {
    deviations.iter_mut().for_each(|deviation| *deviation = deviation.abs());
    deviations.sort_by(f64::total_cmp);
    1.4826 * middle(&deviations)
}

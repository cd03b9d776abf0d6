use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use schemas::{
    Accelerator, Configuration, Cut, EnergyEntry, EnergySource, Fallback, FaultKind, Front, Joules,
    KiloHertz, Measurement, Millis, Outcome, Place, Receipt, Share, Stage, StageTime, TimeSource,
};

use super::{Cost, Drift, LEAST_RECEIPTS, Quantity, Shift, drifts, to_measure};
use crate::front::tests::{front, measurement};
use crate::receipts::tests::receipt;

fn least() -> Share {
    Share::new(0.1).unwrap()
}

fn stage(stage: Stage, place: Place, ms: f64) -> StageTime {
    StageTime { stage, place, time_ms: Millis::new(ms).unwrap(), source: TimeSource::Measured }
}

/// The front says: 40 ms on the edge, 20 on the wire, 20 in the cloud, with 8 ms spread over 16 samples; 2 J.
fn said() -> Measurement {
    let mut one = measurement(3, 80.0, &[(Place::Edge, 2.0)], None);
    one.stages = vec![
        stage(Stage::Queue, Place::Edge, 5.0),
        stage(Stage::Head, Place::Edge, 40.0),
        stage(Stage::Transfer, Place::Wire, 20.0),
        stage(Stage::Tail, Place::Cloud, 20.0),
    ];
    one.samples = 16;
    one.latency.deviation_ms = Millis::new(8.0).unwrap();
    one
}

fn cost(times: [f64; 3], joules: f64) -> Cost {
    Cost { times: times.map(|ms| Millis::new(ms).unwrap()), energy: Some(Joules::new(joules).unwrap()) }
}

fn of(costs: &[Cost]) -> Vec<Drift> {
    let front = front(vec![said()], 0, 1);
    let is_said = |one: &Configuration| *one == said().configuration;
    drifts(&front, |one| if is_said(one) { costs.iter().collect() } else { Vec::new() }, least())
}

fn found(costs: &[Cost]) -> Vec<(Quantity, i64)> {
    let shifts: Vec<Shift> = of(costs).into_iter().flat_map(|drift| drift.shifts).collect();
    shifts.iter().map(|shift| (shift.of, (shift.share * 1e3).round() as i64)).collect()
}

#[test]
fn receipts_that_contradict_the_front_are_found() {
    use Quantity::{Energy, Time};
    let as_said = cost([40.0, 20.0, 20.0], 2.0);
    let slower = cost([52.0, 20.0, 20.0], 2.0);
    let many = |one: Cost| vec![one; 20];
    let cases = [
        ("none", vec![], vec![]),
        ("as the front says", many(as_said), vec![]),
        // 12 of the 80 ms.
        ("a slower edge", many(slower), vec![(Time(Place::Edge), 150)]),
        ("a faster edge", many(cost([28.0, 20.0, 20.0], 2.0)), vec![(Time(Place::Edge), -150)]),
        ("too few to say", vec![slower; LEAST_RECEIPTS - 1], vec![]),
        ("less than what counts", many(cost([47.0, 20.0, 20.0], 2.0)), vec![]),
        (
            "a slower link and more joules",
            many(cost([40.0, 60.0, 20.0], 2.5)),
            vec![(Time(Place::Wire), 500), (Energy, 250)],
        ),
        (
            "half of them stalled",
            [vec![as_said; 11], vec![cost([900.0, 20.0, 20.0], 9.0); 9]].concat(),
            vec![],
        ),
        (
            "slower, and half of them stalled",
            [vec![slower; 11], vec![cost([900.0, 20.0, 20.0], 2.0); 9]].concat(),
            vec![(Time(Place::Edge), 150)],
        ),
    ];
    for (name, costs, expected) in cases {
        assert_eq!(found(&costs), expected, "{name}");
    }
}

/// By hand: receipts at 45 and 75 ms by turns have the median 60 or 45 or 75, a median deviation of 15, so a standard error
/// of 1.2533 × 1.4826 × 15 / √9 = 9.3 ms. A shift of 20 is 2.2 of them.
#[test]
fn what_chance_explains_is_no_drift() {
    let spread: Vec<Cost> =
        [45.0, 75.0, 60.0].repeat(3).iter().map(|ms| cost([*ms, 20.0, 20.0], 2.0)).collect();
    assert_eq!(found(&spread), []);
    let narrow: Vec<Cost> =
        [59.0, 61.0, 60.0].repeat(3).iter().map(|ms| cost([*ms, 20.0, 20.0], 2.0)).collect();
    assert_eq!(found(&narrow), [(Quantity::Time(Place::Edge), 250)]);
}

#[test]
fn only_requests_that_ran_as_planned_say_anything() {
    let ran = receipt("edge1", Some("cloud1"));
    let (configuration, cost) = Cost::of_receipt(&ran).unwrap();
    assert_eq!(Some(configuration), ran.executed);
    // Planning, queues and changes of the hardware are left out.
    assert_eq!(cost.times.map(Millis::get), [12.0, 3.0, 4.0]);
    let silent = [
        Receipt { outcome: Outcome::Failed(FaultKind::Unavailable), ..ran.clone() },
        Receipt { fallback: Some(Fallback::FinishedAtHome), ..ran.clone() },
        Receipt { executed: None, ..ran },
    ];
    assert!(silent.iter().all(|one| Cost::of_receipt(one).is_none()));
}

#[test]
fn what_shares_the_stage_is_measured_too() {
    let at = |cut: u16, megahertz: u64, cloud: Accelerator, codec: &str| Configuration {
        edge_frequency_khz: Some(KiloHertz::from_megahertz(megahertz)),
        cloud_accelerator: cloud,
        codec: codec.parse().unwrap(),
        ..Configuration::at(Cut(cut))
    };
    let drifted = at(3, 600, Accelerator::Cpu, "f32");
    let same_head = at(3, 600, Accelerator::Cuda, "i8");
    let same_wire = at(3, 1800, Accelerator::Cuda, "f32");
    let same_tail = at(3, 1800, Accelerator::Cpu, "i8");
    let nothing_alike = at(4, 600, Accelerator::Cpu, "f32");
    let all = [drifted, same_head, same_wire, same_tail, nothing_alike];
    let points = all.map(|configuration| Measurement { configuration, ..said() }).to_vec();
    let front: Front = front(points, 0, 1);
    let cases = [
        (Quantity::Time(Place::Edge), vec![drifted, same_head]),
        (Quantity::Energy, vec![drifted, same_head]),
        (Quantity::Time(Place::Wire), vec![drifted, same_wire]),
        (Quantity::Time(Place::Cloud), vec![drifted, same_tail]),
    ];
    for (of, expected) in cases {
        let drift = Drift { configuration: drifted, shifts: vec![Shift { of, share: 0.5 }], receipts: 9 };
        assert_eq!(to_measure(&front, &[drift]), expected, "{of:?}");
    }
    assert_eq!(to_measure(&front, &[]), []);
}

#[test]
fn joules_that_nobody_knows_do_not_drift() {
    let unknown = Cost { energy: None, ..cost([40.0, 20.0, 20.0], 2.0) };
    assert_eq!(found(&[unknown; 20]), []);
    let entry = EnergyEntry { place: Place::Edge, source: EnergySource::Measured, joules: Joules::ZERO };
    let without = Measurement { energy: Vec::new(), ..said() };
    let nothing = Measurement { energy: vec![entry], ..said() };
    for one in [without, nothing] {
        let front = front(vec![one], 0, 1);
        let costs = [cost([40.0, 20.0, 20.0], 7.0); 20];
        assert_eq!(drifts(&front, |_| costs.iter().collect(), least()), []);
    }
}

proptest! {
    /// The order of receipts does not matter, nor does the unit: what is twice as slow throughout drifts by the same share.
    #[test]
    fn order_and_scale_do_not_matter(
        offs in prop::collection::vec(-30_i32..60, 8..40),
        seed in 0_usize..1_000,
        scale in 1_u32..50,
    ) {
        let scale = f64::from(scale);
        let costs: Vec<Cost> =
            offs.iter().map(|off| cost([40.0 + f64::from(*off), 20.0, 20.0], 2.0)).collect();
        let mut turned = costs.clone();
        turned.rotate_left(seed % costs.len());
        turned.reverse();
        prop_assert_eq!(of(&costs), of(&turned));
        let times = |one: &Cost| one.times.map(|time| time.get() * scale);
        let scaled: Vec<Cost> = costs.iter().map(|one| cost(times(one), 2.0)).collect();
        let mut larger = said();
        larger.stages.iter_mut().for_each(|stage| stage.time_ms = stage.time_ms * scale);
        larger.latency.deviation_ms = larger.latency.deviation_ms * scale;
        let front = front(vec![larger], 0, 1);
        let is_said = |one: &Configuration| *one == said().configuration;
        let again = drifts(&front, |one| if is_said(one) { scaled.iter().collect() } else { Vec::new() }, least());
        prop_assert_eq!(of(&costs).len(), again.len());
    }

    /// Up to four of ten receipts may say anything at all.
    #[test]
    fn a_minority_decides_nothing(wild in prop::collection::vec(0.0_f64..1e6, 0..8), honest in 12_usize..30) {
        let mut costs = vec![cost([40.0, 20.0, 20.0], 2.0); honest];
        costs.extend(wild.iter().map(|ms| cost([*ms, 20.0, 20.0], 2.0)));
        prop_assert!(of(&costs).is_empty());
        let mut slower = vec![cost([60.0, 20.0, 20.0], 2.0); honest];
        slower.extend(wild.iter().map(|ms| cost([*ms, 20.0, 20.0], 2.0)));
        prop_assert_eq!(of(&slower).len(), 1);
    }

    /// Whatever has drifted is on the list, and nothing is twice on it.
    #[test]
    fn the_list_holds_what_drifted_once(cuts in prop::collection::vec(0_u16..9, 1..20)) {
        let points: Vec<Measurement> = cuts.iter().map(|cut| measurement(*cut, 1.0, &[], None)).collect();
        let front = front(points, 0, 1);
        let drift = |cut: &u16| Drift {
            configuration: Configuration::at(Cut(*cut)),
            shifts: vec![Shift { of: Quantity::Time(Place::Wire), share: 1.0 }],
            receipts: 8,
        };
        let drifted: Vec<Drift> = cuts.iter().step_by(2).map(drift).collect();
        let listed = to_measure(&front, &drifted);
        prop_assert!(drifted.iter().all(|one| listed.contains(&one.configuration)));
        let distinct: std::collections::HashSet<_> = listed.iter().collect();
        prop_assert_eq!(distinct.len(), listed.len());
    }
}

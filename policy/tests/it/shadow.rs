//! Two policies asked for the same requests, and what came out.

use policy::{AdaptiveSettings, CloudExecutor, Comparison, PreparedFront, State};
use schemas::{
    EnergyEntry, EnergySource, FaultKind, InstanceId, Joules, LimitKind, Millis, NodeId, Outcome, Place,
    PolicyName, Qos, Receipt, Regret, RequestId, UnixMillis,
};

use crate::fronts::{LAST, limit, measurement, model, prepared};

fn front() -> PreparedFront {
    prepared(vec![
        measurement("split", 3, 50.0, Some(1.0), None),
        measurement("home", LAST.0, 40.0, Some(3.0), None),
    ])
}

fn state(front: &PreparedFront) -> State {
    let mut state = State::new(front, AdaptiveSettings::default());
    state.set_clouds([CloudExecutor::new(InstanceId::new("c1").unwrap(), 4, true)]);
    state
}

fn compare(active: PolicyName, shadow: PolicyName, qos: &Qos) -> Comparison {
    let front = front();
    let state = state(&front);
    let decided = front.decide(active, qos, &state, Millis::ZERO);
    Comparison::new(shadow, &decided, qos, (&front, &state, Millis::ZERO))
}

fn receipt(outcome: Outcome, latency: f64, joules: Option<f64>) -> Receipt {
    let entry = |joules| EnergyEntry {
        place: Place::Edge,
        source: EnergySource::Measured,
        joules: Joules::new(joules).unwrap(),
    };
    Receipt {
        outcome,
        latency_ms: Millis::new(latency).unwrap(),
        energy: joules.into_iter().map(entry).collect(),
        ..Receipt::opened(RequestId::fresh(), model("vgg16"), NodeId::new("pi").unwrap(), UnixMillis(1))
    }
}

#[test]
fn the_same_forecast_judges_both() {
    let mut regret = Regret::default();
    // Nothing was learned: predictions are the measured means and the first error of 5 %, 1.73 deviations above.
    let quantile = |mean: f64| mean * (1.0 + 0.05 * (19.0_f64).ln() / 1.702);
    compare(PolicyName::Latency, PolicyName::Energy, &limit(45.0)).count(&mut regret);
    assert_eq!((regret.asked, regret.agreed, regret.compared), (1, 0, 1));
    assert_eq!((regret.within, regret.shadow_within), (1, 0));
    assert!((regret.latency_ms - (quantile(40.0) - quantile(50.0))).abs() < 1e-9, "{regret:?}");
    assert!((regret.energy_j - 2.0).abs() < 1e-9, "{regret:?}");

    compare(PolicyName::Dynasplit, PolicyName::Adaptive, &limit(1_000.0)).count(&mut regret);
    assert_eq!((regret.asked, regret.agreed, regret.compared), (2, 1, 2));
    assert!((regret.energy_j - 2.0).abs() < 1e-9, "the same choice costs the same");
}

#[test]
fn refusals_are_counted_and_not_compared() {
    let mut regret = Regret::default();
    let hard = Qos { limit: LimitKind::Hard, ..limit(5.0) };
    compare(PolicyName::Adaptive, PolicyName::Dynasplit, &hard).count(&mut regret);
    compare(PolicyName::Dynasplit, PolicyName::Adaptive, &hard).count(&mut regret);
    assert_eq!((regret.asked, regret.refused, regret.shadow_refused, regret.compared), (2, 1, 1, 0));
    let refused = compare(PolicyName::Adaptive, PolicyName::Dynasplit, &hard);
    refused.count_receipt(&receipt(Outcome::Failed(FaultKind::Infeasible), 1.0, None), &mut regret.came_out);
    assert_eq!(regret.came_out.receipts, 0);
}

#[test]
fn receipts_say_what_came_out() {
    let mut came_out = Regret::default().came_out;
    let comparison = compare(PolicyName::Latency, PolicyName::Energy, &limit(45.0));
    comparison.count_receipt(&receipt(Outcome::Within, 44.0, Some(3.5)), &mut came_out);
    comparison.count_receipt(&receipt(Outcome::Late, 60.0, None), &mut came_out);
    comparison
        .count_receipt(&receipt(Outcome::Failed(FaultKind::Unavailable), 9.0, Some(9.0)), &mut came_out);
    assert_eq!((came_out.receipts, came_out.within, came_out.shadow_within), (3, 1, 0));
    assert_eq!(came_out.energy_receipts, 1);
    assert!((came_out.energy_j - 2.5).abs() < 1e-9);
    let predicted = 50.0 * (1.0 + 0.05 * (19.0_f64).ln() / 1.702);
    assert!((came_out.latency_ms - (44.0 + 60.0 - 2.0 * predicted)).abs() < 1e-9);
}

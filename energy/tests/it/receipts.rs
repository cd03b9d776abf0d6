//! Stage times become the energy of a receipt.

use energy::breakdown::{of_computing, of_waiting, totals};
use schemas::{DevicePower, EnergySource, Millis, Place, Stage, StageTime, TimeSource, Watts};

fn stage(stage: Stage, place: Place, time: f64) -> StageTime {
    StageTime { stage, place, time_ms: Millis::new(time).unwrap(), source: TimeSource::Measured }
}

fn power() -> DevicePower {
    DevicePower {
        active_w: Watts::new(9.0).unwrap(),
        waiting_w: Watts::new(5.0).unwrap(),
        source: EnergySource::Attributed,
        idle_w: Some(Watts::new(4.0).unwrap()),
        uncertainty_w: Some(Watts::new(0.5).unwrap()),
    }
}

#[test]
fn only_computing_here_costs_here() {
    let stages = [
        stage(Stage::Queue, Place::Edge, 500.0),
        stage(Stage::Head, Place::Edge, 100.0),
        stage(Stage::Transfer, Place::Wire, 40.0),
        stage(Stage::Tail, Place::Cloud, 60.0),
    ];
    let mut breakdown = of_computing(&stages, Place::Edge, power());
    assert_eq!(breakdown.len(), 1);
    let head = breakdown[0];
    assert_eq!((head.marginal_j.get(), head.idle_j.get()), (0.5, 0.4));
    assert_eq!(head.uncertainty_j.unwrap().get(), 0.05);
    breakdown.push(of_waiting(Place::Edge, Millis::new(100.0).unwrap(), power()));
    assert_eq!((breakdown[1].marginal_j.get(), breakdown[1].idle_j.get()), (0.1, 0.4));
    let totals = totals(&breakdown);
    assert_eq!(totals.len(), 1);
    assert!((totals[0].joules.get() - 1.4).abs() < 1e-12);
}

#[test]
fn without_an_idle_power_waiting_is_idle() {
    let power = DevicePower { idle_w: None, uncertainty_w: None, ..power() };
    let waiting = of_waiting(Place::Edge, Millis::new(100.0).unwrap(), power);
    assert_eq!((waiting.marginal_j.get(), waiting.idle_j.get()), (0.0, 0.5));
    let head = of_computing(&[stage(Stage::Head, Place::Edge, 100.0)], Place::Edge, power)[0];
    assert_eq!((head.marginal_j.get(), head.idle_j.get(), head.uncertainty_j), (0.4, 0.5, None));
}

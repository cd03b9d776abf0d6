use schemas::{
    EnergyEntry, EnergySource, Joules, Measurement, Millis, Place, Share, Stage, StageTime, TimeSource,
    Uncertainty,
};

use super::observation;
use crate::record::tests::measured;

#[test]
fn stages_are_stretched_to_the_quantile() {
    let stage = |stage, place, ms| StageTime {
        stage,
        place,
        time_ms: Millis::saturating(ms),
        source: TimeSource::Measured,
    };
    let joules = |place, joules| EnergyEntry {
        place,
        source: EnergySource::Modelled,
        joules: Joules::saturating(joules),
    };
    let estimate = Uncertainty {
        quantile: Share::saturating(0.95),
        estimate_ms: Millis::saturating(120.0),
        low_ms: Millis::ZERO,
        high_ms: Millis::ZERO,
        energy_deviation_j: None,
        outliers: 0,
    };
    let measurement = Measurement {
        stages: vec![
            stage(Stage::Head, Place::Edge, 50.0),
            stage(Stage::Transfer, Place::Wire, 20.0),
            stage(Stage::Tail, Place::Cloud, 25.0),
        ],
        energy: vec![joules(Place::Edge, 2.0), joules(Place::Cloud, 3.0)],
        uncertainty: Some(estimate),
        ..measured(100.0)
    };
    let seen = observation(&measurement);
    let parts = seen.parts.unwrap();
    let close = |found: Millis, expected: f64| (found.get() - expected).abs() < 1e-9;
    // Five milliseconds are in no stage: they are the edge's.
    assert!(
        close(parts.edge_time, 66.0) && close(parts.wire_time, 24.0) && close(parts.cloud_time, 30.0),
        "{parts:?}"
    );
    assert_eq!(
        (seen.latency.get(), seen.energy, parts.cloud_energy.get()),
        (120.0, Some(Joules::saturating(5.0)), 3.0)
    );
    assert_eq!(observation(&measured(7.0)).parts, None, "without stages there are no parts");
}

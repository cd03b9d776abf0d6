//! Stages against the whole.

use super::{Finding, Kind};
use crate::recording::{Recording, Side};

/// The parts may be rounded, and clocks of two machines differ: a hundredth, and a tenth of a millisecond or joule.
const RELATIVE: f64 = 0.01;
const ABSOLUTE: f64 = 0.1;

/// Finds rows whose stages do not add up, and rows in which the cloud worked without energy.
pub fn check(recording: &Recording) -> Vec<Finding> {
    (0..recording.rows().len()).filter_map(|row| check_row(recording, row)).collect()
}

fn check_row(recording: &Recording, row: usize) -> Option<Finding> {
    let found = |kind, ratio, why| Some(Finding::of(recording, row, kind, ratio, why));
    let recorded = &recording.rows()[row];
    let parts = recorded.parts?;
    let sum = parts.edge_time.get() + parts.wire_time.get() + parts.cloud_time.get();
    let latency = recorded.latency.get();
    if apart(latency, sum) {
        let why = format!("latency {latency} ms, its stages {sum:.3} ms together: another unit?");
        return found(Kind::DoesNotAddUp, Some(latency / sum), why);
    }
    if let Some(energy) = recorded.energy.map(schemas::Joules::get) {
        let sum = parts.edge_energy.get() + parts.cloud_energy.get();
        if apart(energy, sum) {
            let why = format!("energy {energy} J, edge and cloud {sum:.3} J together: another unit?");
            return found(Kind::DoesNotAddUp, Some(energy / sum), why);
        }
    }
    let in_cloud = recording.side(recording.configuration_of(row)) != Side::Edge;
    if in_cloud && parts.cloud_time.get() > 0.0 && parts.cloud_energy.get() == 0.0 {
        let others_have =
            recording.rows().iter().any(|row| row.parts.is_some_and(|p| p.cloud_energy.get() > 0.0));
        let time = parts.cloud_time;
        let why = format!("the cloud worked for {time:.1} without energy: its meter lost the samples");
        return others_have.then(|| Finding::of(recording, row, Kind::EnergyMissing, None, why));
    }
    None
}

fn apart(whole: f64, sum: f64) -> bool {
    (whole - sum).abs() > ABSOLUTE + RELATIVE * whole.max(sum)
}

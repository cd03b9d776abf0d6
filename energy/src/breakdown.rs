//! The energy of a receipt: stage times × the device's power, marginal apart from idle.

use schemas::{DevicePower, EnergyEntry, Millis, Place, Stage, StageEnergy, StageTime, Watts};

/// Whether a stage keeps the compute thread busy; the others wait for something else, which pays for itself.
pub const fn computes(stage: Stage) -> bool {
    matches!(
        stage,
        Stage::Preprocess | Stage::Head | Stage::Encode | Stage::Decode | Stage::Tail | Stage::Reply
    )
}

/// The energy of the stages that computed at one place, stage by stage, in their order.
pub fn of_computing(stages: &[StageTime], place: Place, power: DevicePower) -> Vec<StageEnergy> {
    let here = stages.iter().filter(|stage| stage.place == place && computes(stage.stage));
    here.map(|stage| of_computing_for(stage.stage, place, stage.time_ms, power)).collect()
}

/// The energy of a device that waited for another place's work, booked under [`Stage::Transfer`].
///
/// A device of which no separate idle power is known counts its power while waiting as idle: then nothing of it is
/// marginal.
pub fn of_waiting(place: Place, waited: Millis, power: DevicePower) -> StageEnergy {
    StageEnergy {
        stage: Stage::Transfer,
        place,
        source: power.source,
        marginal_j: (power.waiting_w - power.floor()) * waited,
        idle_j: lesser(power.floor(), power.waiting_w) * waited,
        uncertainty_j: None,
    }
}

/// The breakdown summed by place and source, marginal and idle together, in order of first appearance.
pub fn totals(breakdown: &[StageEnergy]) -> Vec<EnergyEntry> {
    let mut entries: Vec<EnergyEntry> = Vec::new();
    for part in breakdown {
        let same = |entry: &&mut EnergyEntry| entry.place == part.place && entry.source == part.source;
        match entries.iter_mut().find(same) {
            Some(entry) => entry.joules += part.joules(),
            None => {
                let StageEnergy { place, source, .. } = *part;
                entries.push(EnergyEntry { place, source, joules: part.joules() });
            }
        }
    }
    entries
}

fn of_computing_for(stage: Stage, place: Place, time: Millis, power: DevicePower) -> StageEnergy {
    StageEnergy {
        stage,
        place,
        source: power.source,
        marginal_j: (power.active_w - power.floor()) * time,
        idle_j: lesser(power.floor(), power.active_w) * time,
        uncertainty_j: power.uncertainty_w.map(|uncertainty| uncertainty * time),
    }
}

fn lesser(one: Watts, other: Watts) -> Watts {
    if one < other { one } else { other }
}

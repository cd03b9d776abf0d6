use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemas::{
    Configuration, Cut, DevicePower, EnergyEntry, EnergySource, HardwareReadBack, Joules, KiloHertz,
    Measurement, Millis, NodeId, Place, Provenance, Stage, StageTime, Suspicion, TimeSource, UnixMillis,
    Watts,
};

use super::suspicions;
use crate::record::tests::measured;

const HEAD: Stage = Stage::Head;

fn stage(stage: Stage, place: Place, ms: f64) -> StageTime {
    StageTime { stage, place, time_ms: Millis::saturating(ms), source: TimeSource::Measured }
}

/// A measurement whose stages are its latency.
fn at(cut: u16, megahertz: u64, stages: &[(Stage, Place, f64)]) -> Measurement {
    let latency = stages.iter().map(|(_, _, ms)| ms).sum();
    let configuration = Configuration {
        edge_frequency_khz: Some(KiloHertz::from_megahertz(megahertz)),
        ..Configuration::at(Cut(cut))
    };
    let stages = stages.iter().map(|&(one, place, ms)| stage(one, place, ms)).collect();
    Measurement { configuration, stages, ..measured(latency) }
}

#[test]
fn a_head_must_slow_down_with_the_clock() {
    let head = |megahertz, ms| at(3, megahertz, &[(HEAD, Place::Edge, ms)]);
    struct Case {
        name: &'static str,
        heads: Vec<Measurement>,
        at_fault: &'static [usize],
    }
    let cases = [
        Case {
            name: "in proportion",
            heads: vec![head(600, 300.0), head(1_200, 150.0), head(1_800, 100.0)],
            at_fault: &[],
        },
        Case { name: "mostly memory", heads: vec![head(600, 125.0), head(1_800, 100.0)], at_fault: &[] },
        Case {
            name: "the clock stayed",
            heads: vec![head(600, 100.0), head(1_800, 100.0)],
            at_fault: &[0, 1],
        },
        Case {
            name: "one stayed, and two say so",
            heads: vec![head(600, 300.0), head(800, 100.0), head(1_200, 150.0), head(1_800, 100.0)],
            at_fault: &[1],
        },
        Case { name: "too short to tell", heads: vec![head(600, 0.5), head(1_800, 0.5)], at_fault: &[] },
        Case {
            name: "other cuts say nothing",
            heads: vec![head(600, 50.0), at(4, 1_800, &[(HEAD, Place::Edge, 100.0)])],
            at_fault: &[],
        },
    ];
    for case in cases {
        let found = suspicions(&case.heads);
        let at_fault: Vec<usize> = (0..found.len()).filter(|&place| !found[place].is_empty()).collect();
        assert_eq!(at_fault, case.at_fault, "{}", case.name);
        assert!(found.iter().flatten().all(|one| *one == Suspicion::HeadIgnoresClock), "{}", case.name);
    }
}

#[test]
fn energy_below_idle_and_stages_that_do_not_add_up() {
    let with = |joules: f64, latency: f64| {
        let stages = [(HEAD, Place::Edge, 100.0), (Stage::Transfer, Place::Wire, 100.0)];
        let energy = EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Measured,
            joules: Joules::saturating(joules),
        };
        let power = DevicePower {
            active_w: Watts::saturating(4.0),
            waiting_w: Watts::saturating(3.0),
            source: EnergySource::Measured,
            idle_w: None,
            uncertainty_w: None,
        };
        let hardware =
            HardwareReadBack { frequency_khz: None, governor: None, slowdown: None, power: Some(power) };
        let node = NodeId::new("pi").unwrap();
        let provenance = Provenance {
            first_at: UnixMillis(0),
            last_at: UnixMillis(0),
            software: "test".into(),
            edge: node.clone(),
            cloud: node,
            hardware: Some(hardware),
            expected: None,
            measured_again: false,
            suspicions: Vec::new(),
        };
        let one = at(3, 600, &stages);
        let latency = Measurement { ..measured(latency) }.latency;
        Measurement { latency, energy: vec![energy], provenance: Some(provenance), ..one }
    };
    use Suspicion::{EnergyBelowIdle, StagesDoNotAddUp};
    // Waiting alone takes 3 W × 200 ms = 0.6 J.
    let cases = [
        (with(0.7, 200.0), vec![]),
        (with(0.55, 200.0), vec![]),
        (with(0.5, 200.0), vec![EnergyBelowIdle]),
        (with(0.7, 260.0), vec![]),
        (with(0.7, 300.0), vec![StagesDoNotAddUp]),
        (with(0.7, 180.0), vec![StagesDoNotAddUp]),
        (with(0.1, 180.0), vec![EnergyBelowIdle, StagesDoNotAddUp]),
    ];
    for (place, (measurement, expected)) in cases.into_iter().enumerate() {
        assert_eq!(suspicions(&[measurement]), [expected], "case {place}");
    }
}

/// The rows of the paper's own measurements whose clock did not drop, found by other means (their head takes less than
/// half of what its clock makes likely), are all found; of the others hardly any.
#[test]
fn the_papers_rows_whose_clock_did_not_drop_are_found() {
    let shared = std::env::var_os("SPLINTER_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("reference");
    let Ok(mut pool) = csv::Reader::from_path(folder.join("simulation_pool_vgg16.csv")) else {
        eprintln!("SKIPPED: no reference data in {}: set SPLINTER_SHARED", folder.display());
        return;
    };
    type Key = (bool, u16, u64);
    let mut times: BTreeMap<Key, Vec<f64>> = BTreeMap::new();
    for row in pool.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let number = |name: &str| row[name].parse::<f64>().unwrap();
        if row["edge-accelerator"] == "off" && number("layer") > 0.0 {
            let key =
                (row["server-accelerator"] == "True", number("layer") as u16, number("cpu-freq") as u64);
            times.entry(key).or_default().push(number("avg latency edge (ms)"));
        }
    }
    let known: BTreeSet<Key> = csv::Reader::from_path(folder.join("suspect_cpu_freq_rows_vgg16.csv"))
        .unwrap()
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| {
            let row = row.unwrap();
            (row["gpu"] == "True", row["layer"].parse().unwrap(), row["cpu_mhz"].parse().unwrap())
        })
        .collect();
    let mut found = BTreeSet::new();
    for gpu in [false, true] {
        let of_gpu: Vec<(&Key, &Vec<f64>)> = times.iter().filter(|((with, _, _), _)| *with == gpu).collect();
        let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
        let heads: Vec<Measurement> = of_gpu
            .iter()
            .map(|((_, cut, megahertz), times)| at(*cut, *megahertz, &[(HEAD, Place::Edge, mean(times))]))
            .collect();
        let suspected = suspicions(&heads).into_iter().zip(&of_gpu).filter(|(found, _)| !found.is_empty());
        found.extend(suspected.map(|(_, (key, _))| **key));
    }
    assert!(known.len() >= 10 && known.is_subset(&found), "{:?}", known.difference(&found));
    let others: Vec<_> = found.difference(&known).collect();
    assert!(others.len() <= 3, "{others:?}");
}

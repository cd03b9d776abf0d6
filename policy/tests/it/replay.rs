//! The decisions that the DynaSplit authors recorded on their testbed, decided again.
//!
//! `testbed_vgg16.csv` holds the 300 runs of VGG16: 50 requests by each of six strategies. Each row says the
//! request's limit and the configuration that their scheduler chose. `reference_vgg16.json` holds the two fronts
//! it chose from. Of the 150 decisions of the rule that the authors recorded, 100 are VGG16's; the other 50 are
//! ViT's, whose record is not among the reference data.

use std::path::PathBuf;

use policy::{Cloud, Point, PreparedFront};
use schemas::{Front, Measurement, Millis, PolicyName, Qos};
use serde::Deserialize;

use crate::fronts::{LAST, front, measurement};

/// The knobs of the paper's testbed. They are carried in the measurement's name, since our configurations lack
/// the two accelerators.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct PaperPoint {
    cpu_mhz: u32,
    layer: u16,
    tpu: String,
    gpu: bool,
    latency_ms: f64,
    energy_j: f64,
    accuracy: f64,
}

impl PaperPoint {
    fn name(&self) -> String {
        format!("{} MHz, layer {}, TPU {}, GPU {}", self.cpu_mhz, self.layer, self.tpu, self.gpu)
    }

    fn measurement(&self) -> Measurement {
        measurement(&self.name(), self.layer, self.latency_ms, Some(self.energy_j), Some(self.accuracy))
    }
}

/// One recorded run: what was asked, by which strategy, and what it chose.
#[derive(Debug, Deserialize)]
struct Recorded {
    qos: f64,
    strategy: String,
    #[serde(rename = "cpu-freq")]
    cpu_mhz: u32,
    layer: u16,
    #[serde(rename = "edge-accelerator")]
    tpu: String,
    #[serde(rename = "server-accelerator")]
    gpu: String,
}

impl Recorded {
    fn name(&self) -> String {
        let gpu = self.gpu == "True";
        format!("{} MHz, layer {}, TPU {}, GPU {gpu}", self.cpu_mhz, self.layer, self.tpu)
    }
}

/// The folder of reference data; `None`, said loudly, where it is not there.
fn reference() -> Option<PathBuf> {
    let shared = std::env::var_os("SPLINTER_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("reference");
    if folder.join("testbed_vgg16.csv").is_file() && folder.join("reference_vgg16.json").is_file() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: no reference data in {}: set SPLINTER_SHARED to the folder that holds reference/",
        folder.display()
    );
    None
}

fn recorded(folder: &std::path::Path) -> Vec<Recorded> {
    let mut reader = csv::Reader::from_path(folder.join("testbed_vgg16.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// The front of that name, with the paper's static baselines as anchors (its §6).
fn paper_front(folder: &std::path::Path, name: &str) -> Front {
    let text = std::fs::read_to_string(folder.join("reference_vgg16.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&text).unwrap();
    let points = reference["networks"]["vgg16"][name]["points"].clone();
    let points: Vec<PaperPoint> = serde_json::from_value(points).unwrap();
    Front {
        all_cloud: measurement("1800 MHz, layer 0, TPU off, GPU true", 0, 96.3, Some(69.0), Some(0.605)),
        all_edge: measurement(
            "1800 MHz, layer 22, TPU max, GPU false",
            LAST.0,
            427.2,
            Some(2.4),
            Some(0.603),
        ),
        ..front(points.iter().map(PaperPoint::measurement).collect())
    }
}

fn decide(front: &Front, policy: PolicyName, limit: f64) -> String {
    let qos = Qos::within(Millis::new(limit).unwrap());
    let decision = PreparedFront::new(front).decide_by_front(policy, &qos, Cloud::Present).unwrap();
    match decision.point {
        Point::OfFront(index) => front.points[index].cut_name.clone(),
        Point::Tied(index) => front.tied[index].cut_name.clone(),
        Point::AllCloud => front.all_cloud.cut_name.clone(),
        Point::AllEdge => front.all_edge.cut_name.clone(),
    }
}

/// Decides every recorded request of a strategy again and returns how many there were.
fn replay(rows: &[Recorded], strategy: &str, front: &Front, policy: PolicyName) -> usize {
    let rows: Vec<&Recorded> = rows.iter().filter(|row| row.strategy == strategy).collect();
    for row in &rows {
        assert_eq!(decide(front, policy, row.qos), row.name(), "{strategy} with limit {}", row.qos);
    }
    rows.len()
}

#[test]
fn every_recorded_decision_is_made_again() {
    let Some(folder) = reference() else { return };
    let rows = recorded(&folder);
    let searched = paper_front(&folder, "front_nsga20_single_run");
    let exhaustive = paper_front(&folder, "front_grid80_single_run");
    assert_eq!((searched.points.len(), exhaustive.points.len()), (7, 15));

    let rule = replay(&rows, "splinter:latency", &searched, PolicyName::Dynasplit)
        + replay(&rows, "splinter:latency_exhaustive", &exhaustive, PolicyName::Dynasplit);
    let baselines = replay(&rows, "cloud", &searched, PolicyName::Cloud)
        + replay(&rows, "edge", &searched, PolicyName::Edge)
        + replay(&rows, "latency", &searched, PolicyName::Latency)
        + replay(&rows, "energy", &searched, PolicyName::Energy);
    assert_eq!((rule, baselines, rows.len()), (100, 200, 300));
}

#[test]
fn the_record_covers_the_rules_three_ways_out() {
    let Some(folder) = reference() else { return };
    let searched = paper_front(&folder, "front_nsga20_single_run");
    let of_layer = |limit| decide(&searched, PolicyName::Dynasplit, limit);
    // Between the two fastest: only the fastest is within. Below all: the fastest. Above all: the least energy.
    assert!(of_layer(94.8).contains("layer 0"));
    assert!(of_layer(1.0).contains("layer 0"));
    assert!(of_layer(5000.0).starts_with("800 MHz, layer 22"));
}

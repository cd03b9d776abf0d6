//! Whole networks as exporters write them give what ONNX Runtime gives.

use std::env;
use std::path::{Path, PathBuf};

use crate::fixtures::{self, Tolerance};

/// Tens of layers in single precision, each rounding in another order than the other runtime.
const NETWORK_TOLERANCE: Tolerance = Tolerance { absolute: 1e-4, relative: 1e-3 };

fn compare(folder: &Path, fault: fn(&fixtures::Fixture, Tolerance) -> Option<String>) {
    let fixtures = fixtures::of_folder(folder);
    let faults = fixtures.iter().filter_map(|fixture| {
        let fault = fault(fixture, NETWORK_TOLERANCE)?;
        Some(format!("{}: {fault}", fixture.name))
    });
    let faults: Vec<String> = faults.collect();
    println!("{} networks of {} compared", fixtures.len(), folder.display());
    assert!(faults.is_empty(), "{} of {} differ:\n{}", faults.len(), fixtures.len(), faults.join("\n"));
}

/// Few channels and blocks, all patterns; at every cut.
#[test]
fn shrunken_networks_equal_onnx_runtime() {
    compare(&fixtures::committed("networks"), fixtures::fault);
}

/// The networks themselves, which `models/tests/export/networks.py` writes.
#[test]
fn whole_networks_equal_onnx_runtime() {
    match env::var_os("SPLINTER_NETWORKS").map(PathBuf::from) {
        Some(folder) => compare(&folder, fixtures::fault_of_whole),
        None => eprintln!(
            "SKIPPED whole_networks_equal_onnx_runtime: SPLINTER_NETWORKS is not set; \
             models/tests/export/networks.py makes the networks"
        ),
    }
}

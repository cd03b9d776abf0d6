//! Every operator gives what ONNX Runtime gives, in each form that exporters write.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use onnx_ir::{Message, ModelProto};

use crate::fixtures::{self, Tolerance};

/// Single precision: sums of some hundred products of numbers around 1, in another order.
const OPERATOR_TOLERANCE: Tolerance = Tolerance { absolute: 2e-6, relative: 1e-5 };

/// Activations and normalisations for which the runtimes use different approximations of `exp`, `erf`, `tanh`.
const APPROXIMATION_TOLERANCE: Tolerance = Tolerance { absolute: 1e-5, relative: 1e-4 };

const APPROXIMATED: [&str; 0] = [];

#[test]
fn every_operator_equals_onnx_runtime() {
    let mut faults = Vec::new();
    let fixtures = fixtures::of_folder(&fixtures::committed("operators"));
    for fixture in &fixtures {
        let operator = fixture.name.split('-').next().unwrap();
        let tolerance =
            if APPROXIMATED.contains(&operator) { APPROXIMATION_TOLERANCE } else { OPERATOR_TOLERANCE };
        if let Some(fault) = fixtures::fault(fixture, tolerance) {
            faults.push(format!("{}: {fault}", fixture.name));
        }
    }
    println!("{} forms of operators compared", fixtures.len());
    assert!(faults.is_empty(), "{} of {} differ:\n{}", faults.len(), fixtures.len(), faults.join("\n"));
}

/// An operator that the documentation promises is in at least one fixture.
#[test]
fn every_operator_of_the_documentation_is_compared() {
    let mut compared = BTreeSet::new();
    for fixture in fixtures::of_folder(&fixtures::committed("operators")) {
        let model = ModelProto::parse_from_bytes(&fixture.bytes()).unwrap();
        compared.extend(model.graph.node.iter().map(|node| node.op_type.clone()));
    }
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operators.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let listed: Vec<&str> = rows.filter(|name| *name != "operator").collect();
    assert!(listed.len() > 100, "the page has {} rows", listed.len());
    let missing: Vec<&&str> = listed.iter().filter(|name| !compared.contains(**name)).collect();
    assert!(missing.is_empty(), "no fixture has {missing:?}");
}

//! Looking for a cut, cutting there, and proving that nothing was lost: no broker, no Python.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::system::{fail, splinter, succeed};

const RESNET50: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/fixtures/paper/resnet50.onnx");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_network_is_inspected() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("cuts.html");
    let inspect = || {
        let mut command = splinter();
        command.args(["model", "inspect", RESNET50]);
        command
    };
    let found = json(&succeed(inspect().arg("--json")));
    let (cuts, dominated) = (found["cuts"].as_array().unwrap(), found["dominated"].as_array().unwrap());
    assert_eq!(found["costs"].as_array().unwrap().len(), cuts.len());
    let bytes = &found["costs"][4]["bytes"];
    assert_eq!(bytes["f32"].as_u64().unwrap(), 2 * bytes["f16"].as_u64().unwrap(), "{bytes}");
    assert!(dominated.iter().all(|one| one["reason"].as_str().unwrap().contains("divides the work alike")));
    let of = |side: &str| found["costs"][0][side].as_u64().unwrap();
    assert_eq!((of("weight_bytes_before"), of("weight_bytes_after") > 0), (0, true));

    let rows = |text: &str| text.lines().filter(|line| line.starts_with("| ")).count() - 1;
    let (few, all) = (succeed(&mut inspect()), succeed(inspect().arg("--all")));
    assert_eq!((rows(&few), rows(&all)), (cuts.len() - dominated.len(), cuts.len()), "{few}");
    assert!(few.contains(&format!("{} of {} cuts are left out", dominated.len(), cuts.len())), "{few}");

    succeed(inspect().arg("--plot").arg(&page));
    let html = fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("layer3.0") && !html.contains("<script src") && !html.contains("<link"),
        "one file that needs nothing else"
    );
    let (code, error) = fail(inspect().arg("--plot").arg(&page));
    assert!(code == 1 && error.contains("--force"), "{error}");
    succeed(inspect().arg("--force").arg("--plot").arg(&page));
}

fn cut(model: &Path, at: &str, folder: &Path) -> std::process::Command {
    let mut command = splinter();
    command.args(["model", "cut", "--at", at, "--json", "-o"]).arg(folder).arg(model);
    command
}

#[test]
fn a_network_is_cut_into_two_files() {
    let folder = tempfile::tempdir().unwrap();
    let (network, halves) = (Path::new(RESNET50), folder.path().join("halves"));
    let written = json(&succeed(&mut cut(network, "layer2.1", &halves)));
    assert_eq!(written["after"], "layer2.1.relu_2", "a module's end");
    assert_eq!(written["frontier"].as_array().unwrap().len(), 1);
    let read = |name: &str| fs::read(halves.join(name)).unwrap();
    let first = (read("head.onnx"), read("tail.onnx"));
    for half in ["head.onnx", "tail.onnx"] {
        let proved = json(&succeed(splinter().args(["model", "verify", "--json"]).arg(halves.join(half))));
        assert_eq!(proved["holds"], true, "{proved}");
    }

    let (code, error) = fail(&mut cut(network, "layer2.1", &halves));
    assert!(code == 1 && error.contains("head.onnx") && error.contains("--force"), "{error}");
    succeed(cut(network, &written["cut"].to_string(), &halves).arg("--force"));
    assert_eq!(first, (read("head.onnx"), read("tail.onnx")), "the same bytes by number");
    assert_eq!(fs::read_dir(&halves).unwrap().count(), 2, "nothing else is left there");

    let elsewhere = folder.path().join("elsewhere");
    for (at, named) in [
        ("layer2.1.relu_3", "layer2.1.relu_2"),
        ("99999", "cuts are 0 to"),
        ("0", "one side"),
        ("output", "one side"),
    ] {
        let (code, error) = fail(&mut cut(network, at, &elsewhere));
        assert!(code == 1 && error.contains(named), "{at}: {error}");
    }
    assert!(!elsewhere.exists(), "a refused cut writes nothing");
}

#[test]
fn a_bad_file_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.onnx");
    let good = fs::read(RESNET50).unwrap();
    for bytes in [&b""[..], b"no network", &good[..good.len() / 2]] {
        fs::write(&bad, bytes).unwrap();
        let commands = [
            splinter().args(["model", "inspect"]).arg(&bad).output().unwrap(),
            splinter().args(["model", "verify"]).arg(&bad).output().unwrap(),
            cut(&bad, "3", folder.path()).output().unwrap(),
        ];
        for output in commands {
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert_eq!(error.trim_end().lines().count(), 1, "{error}");
            assert!(error.contains("bad.onnx") && error.contains("export it again"), "{error}");
        }
    }
}

//! Clients from outside Rust: Python over NATS, curl over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::system::{Up, free_port, shared, splinter, succeed};

/// MobileNetV2 on `imagenet_100`: 82 of 100 right with ONNX Runtime, one more or less with another resize.
const RIGHT: std::ops::RangeInclusive<usize> = 81..=83;

/// A Python with nats-py, made once under the target folder.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nats-py-2.12.0");
    let python = folder.join("bin/python");
    let installed = || succeed_quietly(Command::new(&python).args(["-c", "import nats"]));
    if !installed() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "nats-py==2.12.0"]));
        assert!(installed(), "nats-py was installed and cannot be imported");
    }
    python
}

fn succeed_quietly(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A bundle folder of MobileNetV2 that names the file where it lies.
pub fn mobilenet_bundle(shared: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let onnx = fs::read(shared.join("models/mobilenetv2_1.0_224.onnx")).unwrap();
    let mut classes = csv::Reader::from_path(shared.join("models/imagenet_classes.csv")).unwrap();
    let labels: Vec<String> = classes.records().map(|row| row.unwrap()[2].to_owned()).collect();
    let bundle = models::Bundle::from_files(
        include_str!("mobilenetv2.toml"),
        onnx,
        Some(&format!("{}\n", labels.join("\n"))),
    )
    .unwrap();
    bundle.write_to(folder.path()).unwrap();
    folder
}

fn right_labels(lines: &str, classes: &[(String, String)]) -> usize {
    let answers: Vec<&str> = lines.lines().collect();
    assert_eq!(answers.len(), classes.len(), "{lines}");
    let right =
        |(line, (file, class)): &(&&str, &(String, String))| line.starts_with(&format!("{file}: {class} "));
    answers.iter().zip(classes).filter(right).count()
}

#[test]
fn python_and_curl_get_the_right_labels_whatever_the_cut() {
    let Some(shared) = shared() else { return };
    let images = shared.join("images/imagenet_100");
    let mut labels = csv::Reader::from_path(images.join("labels.csv")).unwrap();
    let classes: Vec<(String, String)> =
        labels.records().map(|row| row.unwrap()).map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    let pictures: Vec<PathBuf> = classes.iter().map(|(file, _)| images.join(file)).collect();

    let (port, data) = (free_port(), tempfile::tempdir().unwrap());
    let (port_text, data_text) = (port.to_string(), data.path().to_string_lossy().into_owned());
    let broker = format!("nats://127.0.0.1:{port}");
    let up = Up::start(
        &[
            "--broker-port",
            &port_text,
            "--data-dir",
            &data_text,
            "--http",
            "127.0.0.1:0",
            "--emulate",
            "raspberry-pi-4",
        ],
        &[("SPLINTER_TUNER__SLOWDOWN", "1")],
    );
    let bundle = mobilenet_bundle(&shared);
    succeed(splinter().args(["model", "add", "--broker", &broker]).arg(bundle.path()));

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/classify.py");
    for policy in ["cloud", "edge"] {
        let answers = succeed(
            Command::new(python())
                .arg(&script)
                .args([
                    "--broker",
                    &broker,
                    "--model",
                    "mobilenetv2",
                    "--latency-ms",
                    "2000",
                    "--policy",
                    policy,
                ])
                .args(&pictures),
        );
        let right = right_labels(&answers, &classes);
        assert!(RIGHT.contains(&right), "{policy}: {right} of 100 right\n{answers}");
        assert!(answers.lines().all(|line| line.contains(" J emulated")), "{answers}");
    }

    let gateway = up.value("gateway");
    let mut right = 0;
    for (path, (_, class)) in pictures.iter().zip(&classes).take(10) {
        let answer = succeed(
            Command::new("curl")
                .args(["--silent", "--show-error", "--fail", "--data-binary"])
                .arg(format!("@{}", path.display()))
                .args([
                    "-H",
                    "Content-Type: image/jpeg",
                    &format!("{gateway}/v1/infer/mobilenetv2?latency_ms=2000"),
                ]),
        );
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        right += usize::from(answer["top"][0]["index"].as_u64() == class.parse().ok());
        assert!(
            answer["latency_ms"].as_f64().unwrap() > 0.0 && !answer["energy"].as_array().unwrap().is_empty()
        );
    }
    assert!(right >= 7, "{right} of 10 right over HTTP");
    assert!(up.terminate().success());
}

//! Clients from outside Rust: Python over NATS, curl over HTTP.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::imagenet::{self, Picture, RIGHT};
use crate::system::{Up, free_port, shared, splinter, succeed};

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

fn right_labels(lines: &str, pictures: &[Picture]) -> usize {
    let answers: Vec<&str> = lines.lines().collect();
    assert_eq!(answers.len(), pictures.len(), "{lines}");
    let right = |(line, picture): &(&&str, &Picture)| {
        line.starts_with(&format!("{}: {} ", picture.file, picture.class))
    };
    answers.iter().zip(pictures).filter(right).count()
}

#[test]
fn python_and_curl_get_the_right_labels_from_the_cloud_and_from_the_edge() {
    let Some(shared) = shared() else { return };
    let pictures = imagenet::pictures(&shared);
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
    let bundle = imagenet::mobilenet_bundle(&shared);
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
                .args(pictures.iter().map(|picture| &picture.path)),
        );
        let right = right_labels(&answers, &pictures);
        assert!(RIGHT.contains(&right), "{policy}: {right} of 100 right\n{answers}");
        assert!(answers.lines().all(|line| line.contains(" J emulated")), "{answers}");
    }

    let gateway = up.value("gateway");
    let mut right = 0;
    for picture in pictures.iter().take(10) {
        let answer = succeed(
            Command::new("curl")
                .args(["--silent", "--show-error", "--fail", "--data-binary"])
                .arg(format!("@{}", picture.path.display()))
                .args([
                    "-H",
                    "Content-Type: image/jpeg",
                    &format!("{gateway}/v1/infer/mobilenetv2?latency_ms=2000"),
                ]),
        );
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        right += usize::from(answer["top"][0]["index"].as_u64() == picture.class.parse().ok());
        assert!(
            answer["latency_ms"].as_f64().unwrap() > 0.0 && !answer["energy"].as_array().unwrap().is_empty()
        );
    }
    assert!(right >= 7, "{right} of 10 right over HTTP");
    assert!(up.terminate().success());
}

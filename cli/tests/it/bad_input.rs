//! Bad files, settings and requests: one clear line that says what to do, and the services live on.

use std::fs;
use std::process::Command;

use crate::system::{Up, fail, free_port, splinter, succeed};

#[test]
fn bad_settings_are_refused_by_name_with_64() {
    let folder = tempfile::tempdir().unwrap();
    for (text, named) in [
        ("[tuner]\nemulate = \"commodore-64\"\n", "commodore-64"),
        ("[gateway]\ncapacity = 0\n", "capacity"),
        ("[edge_executor]\nlink = { bandwidth_mbit = -1.0, rtt_ms = 1.0 }\n", "bandwidth_mbit"),
        ("[scheduler]\npolicy = \"psychic\"\n", "psychic"),
        ("[warp_drive]\nspeed = 9\n", "warp_drive"),
    ] {
        let config = folder.path().join("splinter.toml");
        fs::write(&config, text).unwrap();
        let port = free_port().to_string();
        let data = folder.path().join("data");
        let up = ["up", "--broker-port", &port, "--http", "127.0.0.1:0", "--config"];
        let (code, error) = fail(splinter().args(up).arg(&config).arg("--data-dir").arg(&data));
        assert!(code == 64 && error.contains(named), "{text}: exit code {code}\n{error}");
    }
    let (code, error) = fail(splinter().args(["up", "--config", "/nowhere/splinter.toml"]));
    assert!(code == 64 && error.contains("/nowhere/splinter.toml"), "{code} {error}");
}

#[test]
fn without_a_broker_the_commands_say_how_to_start_one() {
    let broker = format!("nats://127.0.0.1:{}", free_port());
    let (code, error) = fail(splinter().args(["model", "list", "--broker", &broker]));
    assert!(code == 1 && error.contains("splinter up"), "{error}");
    let (code, error) =
        fail(splinter().args(["model", "list", "--broker", "nats://me:secret@127.0.0.1:4222"]));
    assert!(code == 1 && error.contains("password") && !error.contains("secret@"), "{error}");
}

#[test]
fn bad_files_and_pictures_are_refused_and_the_services_live_on() {
    let (port, data) = (free_port().to_string(), tempfile::tempdir().unwrap());
    let data_dir = data.path().to_string_lossy().into_owned();
    let broker = format!("nats://127.0.0.1:{port}");
    let mut up = Up::start(&["--broker-port", &port, "--data-dir", &data_dir, "--http", "127.0.0.1:0"], &[]);
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/bundle");
    succeed(splinter().args(["model", "add", "--broker", &broker, bundle]));

    let corrupt = data.path().join("corrupt.onnx");
    fs::write(&corrupt, b"not a network at all").unwrap();
    let (_, error) = fail(splinter().args(["model", "add", "--broker", &broker]).arg(&corrupt));
    assert!(error.contains("corrupt.onnx"), "{error}");

    let forged = data.path().join("forged");
    fs::create_dir(&forged).unwrap();
    for file in ["model.toml", "model.onnx", "labels.txt"] {
        fs::copy(format!("{bundle}/{file}"), forged.join(file)).unwrap();
    }
    let mut bytes = fs::read(forged.join("model.onnx")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(forged.join("model.onnx"), bytes).unwrap();
    let (_, error) = fail(splinter().args(["model", "verify"]).arg(&forged));
    assert!(error.contains("SHA-256"), "{error}");

    let picture = data.path().join("picture.png");
    let good = demo_network::pictures::draw(7, 0).to_png();
    let infer = |model: &str| {
        let mut command = splinter();
        command.args(["infer", "--broker", &broker, "--model", model, "--latency-ms", "2000"]).arg(&picture);
        command
    };
    let mut huge = good.clone();
    // A PNG says its width and height there.
    huge[16..20].copy_from_slice(&10_000_u32.to_be_bytes());
    huge[20..24].copy_from_slice(&10_000_u32.to_be_bytes());
    for (bytes, named) in [
        (&b"plain text"[..], "JPEG or PNG"),
        (&good[..good.len() / 2], "bad_request"),
        (b"", "no body"),
        (&huge, "10000 × 10000"),
    ] {
        fs::write(&picture, bytes).unwrap();
        let (code, error) = fail(&mut infer("shapes10"));
        assert!(code == 1 && error.contains(named), "{named}: {error}");
    }
    fs::write(&picture, &good).unwrap();
    let late = succeed(
        Command::new("curl")
            .args(["--silent", "--show-error", "--write-out", "%{http_code}", "-H", "Splinter-Deadline: 1"])
            .args(["-H", "Content-Type: image/png", "--data-binary"])
            .arg(format!("@{}", picture.display()))
            .arg(format!("{}/v1/infer/shapes10", up.value("gateway"))),
    );
    assert!(late.ends_with("504") && late.contains("deadline_exceeded"), "{late}");
    let (_, error) = fail(&mut infer("nonesuch"));
    assert!(error.contains("unknown_model") && error.contains("shapes10"), "{error}");
    let answer = succeed(infer("shapes10").arg("--json"));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["model"], "shapes10");
    assert!(up.lives());
    assert!(up.terminate().success());
}

//! `splinter energy` as people type it.

use std::process::{Command, Output};

fn calibrate(root: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_splinter"))
        .args(["energy", "calibrate", "-o"])
        .arg(root.join("power.toml"))
        .args(arguments)
        .env("SPLINTER_TUNER__SYSFS_ROOT", root)
        .env("SPLINTER_TUNER__STATE_DIR", root.join("state"))
        .current_dir(root)
        .output()
        .unwrap()
}

/// On a machine without a meter nothing is guessed: it says what is missing and what would do, and writes no file.
#[test]
fn without_a_meter_calibration_says_so_plainly() {
    let root = tempfile::tempdir().unwrap();
    let ended = calibrate(root.path(), &["--seconds", "0.5"]);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("no energy meter"), "{said}");
    assert!(!root.path().join("power.toml").exists());
    assert_eq!(calibrate(root.path(), &["--seconds", "0"]).status.code(), Some(2));
}

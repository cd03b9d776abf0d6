//! Disks that take no more: one line that names the file, and nothing half-written.

use std::process::Output;

use tokio::process::Command;

use crate::evaluate::{SIMULATED, pool};
use crate::program::{Place, run};

/// Runs the program where no file may grow beyond so many blocks of 512 or 1024 bytes.
async fn run_within(blocks: u32, place: &Place, arguments: &[&str]) -> (i32, String) {
    let mut shell = Command::new("sh");
    // Without the trap the signal would end the program before it hears of the error.
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
    shell.arg(env!("CARGO_BIN_EXE_loadgen")).args(arguments).current_dir(place.path("."));
    let Output { status, stderr, .. } = shell.output().await.unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn nothing_half_written_is_left() {
    let place = Place::new();
    place.file("pool.csv", &pool());
    place.file("campaign.toml", SIMULATED);
    let drawn = ["trace", "requests", "--model", "net", "--limits", "constant:90", "--requests", "20000"];
    let (code, err) = run_within(16, &place, &[&drawn[..], &["-o", "trace.csv"]].concat()).await;
    assert_eq!((code, err.lines().count()), (1, 1), "{err}");
    assert_eq!(err, "error: cannot write trace.csv: File too large (os error 27)\n");
    assert!(!place.path("trace.csv").exists());

    // What was measured stays, and the rest is done when there is room.
    let evaluate = ["evaluate", "campaign.toml", "--on", "simulator", "-o", "results"];
    let (code, err) = run_within(64, &place, &evaluate).await;
    assert_eq!((code, err.lines().count()), (1, 1), "{err}");
    assert!(err.contains("cannot write results/records.jsonl"), "{err}");
    let (code, _, err) = run(&place, &[&evaluate[..], &["--resume"]].concat()).await;
    assert_eq!(code, 0, "{err}");

    let (code, err) = run_within(64, &place, &["report", "results"]).await;
    assert_eq!((code, err.lines().count()), (1, 1), "{err}");
    assert!(err.starts_with("error: cannot write results/report/"), "{err}");
    assert!(err.ends_with(": File too large (os error 27)\n"), "no name but that: {err}");
    assert!(!place.path("results/report").exists());
}

/// As on `/dev/stdout` and pipes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_device_is_written_to_and_stays_a_device() {
    let place = Place::new();
    // Through a link of our own, so that nothing worse than the link can be replaced.
    std::os::unix::fs::symlink("/dev/full", place.path("full")).unwrap();
    let arguments = ["trace", "link", "constant:590/2", "-o", "full", "--force"];
    let (code, _, err) = run(&place, &arguments).await;
    assert_eq!(code, 1);
    assert!(err.starts_with("error: cannot write full: No space left on device"), "{err}");
    assert!(place.path("full").is_symlink());
}

#[tokio::test]
async fn only_the_file_that_was_asked_for_is_named() {
    let place = Place::new();
    place.file("pool.csv", &pool());
    place.file("campaign.toml", SIMULATED);
    for (arguments, told) in [
        (
            &["trace", "link", "constant:590/2", "-o", "nowhere/link.csv"][..],
            "cannot write nowhere/link.csv: No such file or directory (os error 2)",
        ),
        (
            &["evaluate", "campaign.toml", "--on", "simulator", "-o", "nowhere/results"],
            "cannot write nowhere/results: No such file or directory (os error 2)",
        ),
    ] {
        let (code, out, err) = run(&place, arguments).await;
        assert_eq!((code, out.as_str(), err), (1, "", format!("error: {told}\n")));
        assert!(!place.path("nowhere").exists());
    }
}

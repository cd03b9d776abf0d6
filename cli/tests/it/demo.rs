//! The newcomer's first command.

use crate::system::{fail, run, splinter, succeed, text};

#[test]
fn the_demo_searches_the_front_and_compares_every_policy() {
    let output = succeed(splinter().args(["demo", "--requests", "20", "--samples", "1", "--json"]));
    let found: serde_json::Value = serde_json::from_str(&output).unwrap();
    let measurements = found["offline"]["measurements"].as_array().unwrap();
    let last_cut = found["offline"]["front"]["last_cut"].as_u64().unwrap();
    for cut in [0, last_cut] {
        assert!(
            measurements.iter().any(|one| one["configuration"]["cut"] == cut),
            "cut {cut} was not measured"
        );
    }
    let legal = found["offline"]["front"]["search"]["legal"].as_u64().unwrap();
    assert!((measurements.len() as u64) < legal, "{} of {legal} measured", measurements.len());
    assert!(measurements.iter().all(|one| one["accuracy"]["pictures"] == 100), "on all labelled pictures");
    let expected = measurements.iter().filter(|one| one["provenance"]["expected"].is_object()).count();
    assert_eq!(
        expected + 2,
        measurements.len(),
        "but for the two baselines everything is predicted before it is measured"
    );
    assert!(found["offline"]["front"]["content"].is_string());
    assert!(!found["offline"]["front"]["points"].as_array().unwrap().is_empty());
    let rows = found["policies"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["adaptive", "dynasplit", "cloud", "edge", "latency", "energy"]);
    for row in rows {
        assert_eq!((&row["requests"], &row["answered"]), (&20.into(), &20.into()), "{row}");
        assert!(row["accuracy"].as_f64().unwrap() >= 0.8, "{row}");
        let modelled: &[&str] =
            if row["policy"] == "edge" { &["emulated"] } else { &["emulated", "modelled"] };
        let sources = row["energy"]["sources"].as_array().unwrap();
        assert!(sources.iter().all(|source| modelled.contains(&source.as_str().unwrap())), "{row}");
    }
    let shares = |policy: usize| rows[policy]["shares"].clone();
    assert_eq!(shares(2)["cloud"], 1.0, "policy cloud runs everything in the cloud");
    assert_eq!(shares(3)["edge"], 1.0, "policy edge runs everything on the edge");
    let phases = found["thinning"].as_array().unwrap();
    let played: Vec<_> = phases
        .iter()
        .map(|phase| [&phase["policy"], &phase["link"]].map(|name| name.as_str().unwrap()))
        .collect();
    let in_phases = |policy| ["as_measured", "thin", "recovered"].map(|link| [policy, link]);
    assert_eq!(played, ["adaptive", "dynasplit", "latency"].map(in_phases).concat());
    // 12 KB take 49 ms over 2 Mbit/s: a rule that sends them all the same cannot be as fast as before.
    let p50 = |phase: usize| phases[phase]["latency_p50_ms"].as_f64().unwrap();
    let sends_them = |phase: usize| phases[phase]["shares"]["cloud"] == 1.0;
    assert!(!(sends_them(6) && sends_them(7)) || p50(7) > p50(6), "{phases:?}");
    assert!(phases.iter().all(|phase| phase["answered"] == 20), "{phases:?}");
}

#[test]
fn help_teaches_and_wrong_usage_exits_with_2() {
    let help = succeed(splinter().arg("--help"));
    for command in ["demo", "up", "infer", "model", "optimize", "front"] {
        assert!(help.contains(command), "{help}");
    }
    let (code, error) = fail(splinter().args(["demo", "--requests", "0"]));
    assert!(code == 2 && error.contains("--requests"), "{code} {error}");
    let (code, error) = fail(splinter().args(["up", "--only", "nobody"]));
    assert!(code == 2 && error.contains("edge-executor"), "{code} {error}");
    assert!(text(&run(splinter().arg("--version")).stdout).starts_with("splinter "));
}

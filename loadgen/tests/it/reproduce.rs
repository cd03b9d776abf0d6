//! A reproduction from a folder in which files are missing.

use std::fmt::Write as _;

use crate::evaluate::pool;
use crate::program::{Place, run};

const COMMAND: [&str; 6] = ["reproduce", "dynasplit", "--data", ".", "--no-search", "--seeds=1"];

fn place() -> Place {
    let place = Place::new();
    place.file("simulation_pool_toy.csv", &pool());
    let mut workload = "Index,Network,Latency\n".to_owned();
    for request in 0..50 {
        writeln!(workload, "{request},toy,{}", 100 + 20 * request).unwrap();
    }
    place.file("workload_50_samples.csv", &workload);
    place
}

#[tokio::test]
async fn tables_that_are_left_out_are_named_with_the_reason() {
    let place = place();
    let (code, out, err) = run(&place, &COMMAND).await;
    assert_eq!((code, err.as_str()), (0, ""), "nothing was published of it");
    for line in [
        "- Testbed, 50 requests: measured by the paper's authors: not compared: no testbed_toy.csv",
        "each outcome a mean: not compared: no limits of toy in workload_10000_samples.csv",
        "its figures stand alone.",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert!(out.contains("## Simulation, 50 requests"), "{out}");
}

#[tokio::test]
async fn a_published_table_that_is_left_out_is_a_failure() {
    let place = place();
    let published = r#"{"networks": {"toy": {"testbed_50": {"cloud": {"violations": 1}}, "mean_50": {"cloud": {"violations": 0}}}}}"#;
    place.file("reference_toy.json", published);
    let (code, out, err) = run(&place, &COMMAND).await;
    assert_eq!(code, 1, "{out}");
    assert_eq!(err, "error: testbed_50 of toy was published and is not compared: no testbed_toy.csv\n");
    assert!(out.contains("authors: NOT COMPARED with what was published: no testbed_toy.csv"), "{out}");
    assert!(out.contains("INCOMPLETE: 1 published values"), "{out}");
    let (code, out, _) = run(&place, &[&COMMAND[..], &["--json"]].concat()).await;
    let all: serde_json::Value = serde_json::from_str(&out).unwrap();
    let left_out = &all[0]["left_out"][0];
    assert_eq!((code, &left_out["key"], &left_out["published"]), (1, &"testbed_50".into(), &true.into()));
}

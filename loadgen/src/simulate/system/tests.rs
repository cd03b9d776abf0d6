use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;

/// A network of three cuts at two clocks: at cut 0 all in the cloud, at cut 2 all on the edge. Two runs of each.
fn recording() -> Recording {
    let mut text = "latency,energy,avg energy edge (J),avg latency edge (ms),avg latency cloud (ms),avg latency transfer (ms),avg energy cloud (J),tensor size (KB),cpu-freq,layer\n".to_owned();
    for (layer, edge, cloud, kilobytes) in
        [(0, 10.0, 80.0, 600.0), (1, 50.0, 40.0, 50.0), (2, 200.0, 0.0, 0.0)]
    {
        for clock in [900.0, 1800.0] {
            for noise in [0.98, 1.02] {
                let edge = edge * 1800.0 / clock * noise;
                let wire = if layer == 2 { 0.0 } else { 10.0 };
                let (edge_j, cloud_j) = (edge * 0.004 * clock / 1800.0, cloud * 0.9);
                let (latency, energy) = (edge + wire + cloud, edge_j + cloud_j);
                writeln!(
                    text,
                    "{latency},{energy},{edge_j},{edge},{cloud},{wire},{cloud_j},{kilobytes},{clock},{layer}"
                )
                .unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.csv");
    std::fs::write(&path, text).unwrap();
    Recording::read(&path, "toy", None).unwrap()
}

const BASE: &str = r#"
requests = 4000
runs = 2
policies = ["adaptive", "dynasplit", "cloud", "edge"]
[network]
name = "toy"
pool = "pool.csv"
"#;

fn scenario(rest: &str) -> Scenario {
    Scenario::parse(&format!("{BASE}{rest}")).unwrap()
}

fn run(rest: &str) -> SystemReport {
    let profile = Profile::of_recording(&recording()).unwrap();
    simulate(&scenario(rest), &profile, 2, &|_| ()).unwrap()
}

fn of(report: &SystemReport, policy: PolicyName) -> &PolicyFigures {
    report.policies.iter().find(|figures| figures.policy == policy).unwrap()
}

const CALM: &str = r#"
[[edges]]
count = 4
arrivals = "poisson:0.2"
limits = "uniform:120..1000"
clock_change_ms = 0
accelerator_change_ms = 0
[[clouds]]
count = 2
"#;

#[test]
fn without_load_and_link_requests_take_what_was_recorded() {
    let report = run(CALM);
    let cloud = of(&report, PolicyName::Cloud);
    // 10 + 10 + 80 ms, give or take 2 % of the head.
    assert!((cloud.latency_p50.value - 100.0).abs() < 1.0, "{cloud:?}");
    assert!((cloud.cloud_energy.value - 72.0).abs() < 1e-6, "{cloud:?}");
    assert_eq!(cloud.sides_percent.map(|side| side.value), [100.0, 0.0, 0.0]);
    let edge = of(&report, PolicyName::Edge);
    assert!((edge.latency_p50.value - 200.0).abs() < 5.0, "{edge:?}");
    assert_eq!((edge.cloud_energy.value, edge.turned_away_percent.value), (0.0, 0.0));
    // At 0.2 requests a second the edge's compute thread is 4 % busy: hardly anybody waits.
    assert!((edge.edge_energy.value - 0.8).abs() < 0.05, "{edge:?}");
}

#[test]
fn threads_do_not_change_results() {
    let profile = Profile::of_recording(&recording()).unwrap();
    let failing = CALM.replace(
        "count = 2\n",
        "count = 2\nbatch = 4\nbatch_wait_ms = 3\nfailures = { up_s = 60, down_s = 5 }\n",
    );
    let scenario = scenario(&failing);
    let one = simulate(&scenario, &profile, 1, &|_| ()).unwrap();
    let many = simulate(&scenario, &profile, 8, &|_| ()).unwrap();
    assert_eq!(one.runs, many.runs);
    assert_eq!(one.policies, many.policies);
    let other_seed = Scenario { seed: 7, ..scenario };
    assert_ne!(simulate(&other_seed, &profile, 8, &|_| ()).unwrap().runs, one.runs);
}

#[test]
fn with_every_cloud_gone_the_edge_answers_alone() {
    let report = run(&CALM.replace("[[clouds]]\ncount = 2\n", ""));
    for figures in &report.policies {
        assert_eq!(figures.sides_percent.map(|side| side.value), [0.0, 0.0, 100.0], "{figures:?}");
        assert_eq!(figures.lost_percent.value, 0.0);
    }
}

#[test]
fn tails_that_go_down_with_their_executor_are_finished_at_home() {
    let report = run(&CALM.replace("count = 2\n", "count = 1\nfailures = { up_s = 20, down_s = 20 }\n"));
    let cloud = of(&report, PolicyName::Cloud);
    assert!(cloud.at_home_percent.value > 0.5, "{cloud:?}");
    assert_eq!((cloud.lost_percent.value, cloud.turned_away_percent.value), (0.0, 0.0));
}

/// The frugal head takes 200 ms and a limit may be 150: who takes it too often makes those behind late.
#[test]
fn on_busy_edges_the_default_policy_leaves_time_to_those_behind() {
    let busy = r#"
[[edges]]
count = 4
arrivals = "poisson:2"
limits = "uniform:150..1000"
[[clouds]]
count = 4
"#;
    let report = run(busy);
    let (adaptive, cloud) = (of(&report, PolicyName::Adaptive), of(&report, PolicyName::Cloud));
    assert!(adaptive.within_percent.value >= 93.0, "{adaptive:?}");
    assert!(adaptive.energy.value < cloud.energy.value, "{adaptive:?} {cloud:?}");
}

#[test]
fn an_overloaded_edge_turns_requests_away_and_its_queue_stays_bounded() {
    let report = run(&CALM.replace("poisson:0.2", "poisson:50"));
    let edge = of(&report, PolicyName::Edge);
    // It can do 5 a second of 50.
    assert!((edge.turned_away_percent.value - 90.0).abs() < 2.0, "{edge:?}");
    // Sixteen are held, so nobody waits for longer than sixteen take.
    assert!(edge.latency_p99.value < 16.5 * 204.0, "{edge:?}");
}

#[test]
fn batches_carry_more_than_single_tails() {
    let loaded = CALM.replace("poisson:0.2", "poisson:4").replace("count = 2\n", "count = 1\n");
    let single = run(&loaded);
    let batched = run(&loaded.replace("[[clouds]]\ncount = 1\n", "[[clouds]]\ncount = 1\nbatch = 8\n"));
    let (single, batched) = (of(&single, PolicyName::Cloud), of(&batched, PolicyName::Cloud));
    assert!(batched.within_percent.value > single.within_percent.value + 5.0, "{single:?} {batched:?}");
    assert!(
        batched.batch.value > 1.5 && batched.cloud_energy.value < single.cloud_energy.value,
        "{batched:?}"
    );
}

#[test]
fn on_a_slow_link_adaptive_stays_at_home_where_the_paper_s_rule_sends() {
    // 600 KB over 1 Mbit/s are 4.9 s; 50 KB are 0.4 s.
    // Over hours, as looking in vain becomes rare.
    let slow = CALM.replace("clock_change_ms", "link = \"constant:1/20\"\nclock_change_ms");
    let long = BASE.replace("requests = 4000", "requests = 20000");
    let profile = Profile::of_recording(&recording()).unwrap();
    let report = simulate(&Scenario::parse(&format!("{long}{slow}")).unwrap(), &profile, 2, &|_| ()).unwrap();
    let (adaptive, paper) = (of(&report, PolicyName::Adaptive), of(&report, PolicyName::Dynasplit));
    // Limits below 200 ms cannot be kept here; the rule pays for trying.
    assert!(adaptive.within_percent.value > paper.within_percent.value - 0.5, "{adaptive:?} {paper:?}");
    assert!(adaptive.energy.value < 0.6 * paper.energy.value, "{adaptive:?} {paper:?}");
    assert!(of(&report, PolicyName::Cloud).latency_p50.value > 4_900.0);
}

#[test]
fn closed_loops_have_one_request_at_a_time() {
    let report = run(&CALM.replace("poisson:0.2", "sequential"));
    let edge = of(&report, PolicyName::Edge);
    assert_eq!(edge.turned_away_percent.value, 0.0);
    let run = report.runs.iter().find(|run| run.policy == PolicyName::Edge).unwrap();
    // 1000 requests on each of four edges, 200 ms each, none waiting for another.
    assert!((run.seconds - 200.0).abs() < 5.0 && run.edge_queue == 0.0, "{run:?}");
}

#[test]
fn the_same_from_a_front_in_json() {
    let recording = recording();
    let anchors = (recording.all_cloud().unwrap(), recording.all_edge().unwrap());
    let front = crate::recording::RecordedFront::of_means(&recording, anchors);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("front.json");
    std::fs::write(&path, serde_json::to_string(front.front()).unwrap()).unwrap();
    let profile = Profile::read_front(&path).unwrap();
    let report = simulate(&scenario(CALM), &profile, 2, &|_| ()).unwrap();
    let cloud = of(&report, PolicyName::Cloud);
    assert!((cloud.latency_p50.value - 100.0).abs() < 2.0, "{cloud:?}");
    std::fs::write(&path, "{\n \"id\": 7\n}").unwrap();
    let error = Profile::read_front(&path).unwrap_err().to_string();
    assert!(error.contains("front.json, line 2"), "{error}");
}

#[test]
fn mistakes_in_a_scenario_are_named() {
    let edges = "[[edges]]\narrivals = \"poisson:1\"\nlimits = \"constant:100\"\n";
    let cases = [
        ("requests = 0\n[network]\nname=\"x\"\npool=\"p\"\n", "requests is 0"),
        ("requests = 1\npolicies = [\"fast\"]\n[network]\nname=\"x\"\npool=\"p\"\n", "line 2"),
        ("requests = 1\n[network]\nname=\"x\"\n", "a pool or a front"),
        ("requests = 1\nrequest = 2\n[network]\nname=\"x\"\npool=\"p\"\n", "unknown field `request`"),
        ("requests = 1\npolicies = [\"oracle\"]\n[network]\nname=\"x\"\npool=\"p\"\n", "pool mode only"),
    ];
    for (text, expected) in cases {
        let error = Scenario::parse(&format!("{text}{edges}")).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    }
    let bad_edges = [
        ("arrivals = \"poison:1\"\nlimits = \"constant:100\"", "line 6"),
        ("arrivals = \"poisson:1\"\nlimits = \"constant:-1\"", "above 0"),
        (
            "arrivals = \"poisson:1\"\nlimits = \"constant:1\"\nclock_change_ms = nan",
            "clock_change_ms is NaN",
        ),
        ("count = 99999\narrivals = \"poisson:1\"\nlimits = \"constant:1\"", "number of edges is 99999"),
        (
            "arrivals = \"poisson:1\"\nlimits = \"constant:1\"\nfailures = { up_s = 0, down_s = 1 }",
            "edges.failures.up_s is 0",
        ),
    ];
    for (edges, expected) in bad_edges {
        let text = format!("requests = 1\n[network]\nname=\"x\"\npool=\"p\"\n[[edges]]\n{edges}\n");
        let error = Scenario::parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    }
    let missing = Scenario::read(Path::new("/nowhere/scenario.toml")).unwrap_err().to_string();
    assert!(missing.contains("scenario.toml"), "{missing}");
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    /// Whatever is declared, every request has one outcome and no run takes longer than its requests need.
    #[test]
    fn every_request_ends_once(
        rate in 1_u32..60,
        queue in 1_u32..20,
        cloud_queue in 1_u32..5,
        batch in 1_u32..6,
        up in 1_u32..40,
        seed in 0_u64..1000,
    ) {
        let text = format!(
            "[[edges]]\ncount = 3\narrivals = \"poisson:{rate}\"\nlimits = \"uniform:50..800\"\nqueue = {queue}\n\
             link = \"markov:590/2,5/40;stay_s=2\"\nfailures = {{ up_s = {up}, down_s = 1 }}\n\
             [[clouds]]\ncount = 2\nqueue = {cloud_queue}\nbatch = {batch}\nbatch_wait_ms = 5\n\
             failures = {{ up_s = {up}, down_s = 2 }}\n"
        );
        let scenario = Scenario { seed, requests: 500, runs: 1, ..scenario(&text) };
        let profile = Profile::of_recording(&recording()).unwrap();
        let report = simulate(&scenario, &profile, 1, &|_| ()).unwrap();
        for run in &report.runs {
            prop_assert_eq!(run.requests, 500);
            let answered: f64 = 100.0 - run.turned_away_percent - run.lost_percent;
            prop_assert!(run.within_percent <= answered + 1e-9);
            prop_assert!(run.latency_p50 <= run.latency_p99);
        }
    }
}

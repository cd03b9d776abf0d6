use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use loadgen::campaign::Summary;
use loadgen::results::{Ending, Origin, Results};
use schemas::{FaultKind, PolicyName};
use testkit::wait_for;
use tokio::sync::Semaphore;

use crate::program::{Place, lines, run, start};
use crate::responder::{Behaviour, Responder};

const PATIENCE: Duration = Duration::from_secs(60);

/// A network of three cuts at two clocks: at cut 0 all in the cloud, at cut 2 all on the edge. Two runs of each.
pub fn pool() -> String {
    let mut text = "latency,energy,avg energy edge (J),avg latency edge (ms),avg latency cloud (ms),avg latency transfer (ms),avg energy cloud (J),tensor size (KB),accuracy,cpu-freq,layer\n".to_owned();
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
                    "{latency},{energy},{edge_j},{edge},{cloud},{wire},{cloud_j},{kilobytes},0.75,{clock},{layer}"
                )
                .unwrap();
            }
        }
    }
    text
}

pub const SIMULATED: &str = r#"
seed = 5
rounds = 2
block_requests = 20
policies = ["cloud", "edge", "dynasplit"]
[[models]]
name = "toy"
pool = "pool.csv"
[[traces]]
name = "in-turn"
requests = 120
limits = "uniform:120..1000"
[[traces]]
name = "poisson"
requests = 100
arrivals = "poisson:1"
limits = "constant:400"
[[links]]
name = "good"
process = "constant:590/2"
[[links]]
name = "bad"
process = "steps:590/2@0,1/100@5"
[simulator]
clock_change_ms = 0
accelerator_change_ms = 0
"#;

#[tokio::test]
async fn a_simulated_campaign_is_the_same_every_time() {
    let place = Place::new();
    place.file("pool.csv", &pool());
    place.file("campaign.toml", SIMULATED);
    let base = ["evaluate", "campaign.toml", "--on", "simulator", "--json", "-o"];
    let (code, out, err) = run(&place, &[&base[..], &["one"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    let summary: Summary = serde_json::from_str(&out).unwrap();
    assert_eq!(summary.cells.len(), 4);
    for cell in &summary.cells {
        let policies: Vec<PolicyName> = cell.policies.iter().map(|of| of.policy).collect();
        assert_eq!(policies, [PolicyName::Cloud, PolicyName::Edge, PolicyName::Dynasplit]);
        // 120 or 100 requests in blocks of 20, two rounds.
        assert_eq!(cell.blocks, cell.policies[0].requests / 20);
        assert!(cell.policies.iter().all(|of| of.energy_origins == BTreeSet::from([Origin::Simulated])));
        let edge = cell.policies[1].difference.as_ref().unwrap();
        assert_eq!(edge.pairs, cell.policies[0].requests);
        // The edge takes 200 ms and 0.8 J, the cloud 100 ms or more and 72 J.
        assert!(edge.energy_percent.unwrap().high.unwrap() < -90.0, "{edge:?}");
        assert_eq!(cell.policies[1].accuracy_percent.unwrap().value, 75.0);
    }
    let bad = summary.cells.iter().find(|cell| cell.link.as_deref() == Some("bad")).unwrap();
    // 600 KB over 1 Mbit/s take 4.8 s.
    assert!(bad.policies[0].latency_p95.unwrap().value > 4_800.0, "{bad:?}");
    let results = Results::open(&place.path("one")).unwrap();
    assert!(results.links().iter().any(|change| change.link == "bad" && change.at_ms.get() == 5_000.0));
    assert_eq!(results.manifest().fronts.len(), 1);
    let front = results.front(&results.manifest().fronts[0].file).unwrap();
    assert!(
        place
            .records("one")
            .iter()
            .all(|record| record.answer.as_ref().unwrap().front.unwrap().id == front.id)
    );

    // A report draws the pool, not only the front: both clocks, of which the front has one.
    let (code, _, err) = run(&place, &["report", "one"]).await;
    assert_eq!(code, 0, "{err}");
    let clocks = std::fs::read_to_string(place.path("one/report/clock-toy.csv")).unwrap();
    assert_eq!(clocks.lines().count(), 3, "{clocks}");

    // The folder holds everything: from its copies the very same records come out.
    std::fs::remove_file(place.path("pool.csv")).unwrap();
    let again = ["evaluate", "one/inputs/campaign.toml", "--on", "simulator", "-o", "two"];
    let (code, _, err) = run(&place, &again).await;
    assert_eq!(code, 0, "{err}");
    let bytes = |results: &str| std::fs::read(place.path(results).join("records.jsonl")).unwrap();
    assert!(bytes("one") == bytes("two"), "the very same records");
}

const REFUSED: &str = r#"
seed = 1
policies = ["adaptive", "edge"]
[[models]]
name = "toy"
pool = "pool.csv"
[[traces]]
name = "hard"
file = "hard.csv"
"#;

#[tokio::test]
async fn a_hard_limit_of_a_trace_is_refused_as_the_scheduler_refuses_it() {
    let place = Place::new();
    place.file("pool.csv", &pool());
    place.file("campaign.toml", REFUSED);
    place.file("hard.csv", "limit_ms,model,limit\n2,toy,hard\n2,toy,soft\n60000,toy,hard\n");
    let arguments = ["evaluate", "campaign.toml", "--on", "simulator", "-o", "results"];
    let (code, _, err) = run(&place, &arguments).await;
    assert_eq!(code, 0, "{err}");
    let of = |policy: PolicyName| {
        let mut records = place.records("results");
        records.retain(|record| record.key.policy == policy);
        records.sort_by_key(|record| record.request);
        records.into_iter().map(|record| record.outcome).collect::<Vec<_>>()
    };
    let adaptive = of(PolicyName::Adaptive);
    assert!(
        matches!(&adaptive[0], Ending::Failed { fault: FaultKind::Infeasible, message } if message.contains("within 2.0")),
        "{adaptive:?}"
    );
    assert_eq!(adaptive[1..], [Ending::Late, Ending::Within]);
    assert_eq!(of(PolicyName::Edge), [Ending::Late, Ending::Late, Ending::Within]);
}

#[tokio::test]
async fn a_simulated_campaign_that_was_cut_off_is_completed() {
    let place = Place::new();
    place.file("pool.csv", &pool());
    place.file("campaign.toml", SIMULATED);
    let base = ["evaluate", "campaign.toml", "--on", "simulator", "-o"];
    for results in ["whole", "cut"] {
        let (code, _, err) = run(&place, &[&base[..], &[results]].concat()).await;
        assert_eq!(code, 0, "{err}");
    }
    // As a crash in the middle of a record leaves it.
    let manifest = place.path("cut/manifest.json");
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    value["ended_at"] = serde_json::Value::Null;
    std::fs::write(&manifest, value.to_string()).unwrap();
    let whole = std::fs::read(place.path("whole/records.jsonl")).unwrap();
    std::fs::write(place.path("cut/records.jsonl"), &whole[..whole.len() / 2]).unwrap();
    let (code, _, err) = run(&place, &[&base[..], &["cut", "--resume"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    let sorted = |results: &str| {
        let text = std::fs::read_to_string(place.path(results).join("records.jsonl")).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(sorted("cut") == sorted("whole"), "the very same records");
    let (code, _, err) = run(&place, &[&base[..], &["cut", "--resume"]].concat()).await;
    assert_eq!(code, 1);
    assert!(err.contains("complete"), "{err}");

    // Without a record there is nothing to draw, and nothing is written.
    std::fs::write(place.path("cut/records.jsonl"), "").unwrap();
    let (code, out, err) = run(&place, &["report", "cut", "--out", "drawn"]).await;
    let told = "error: cut has no request that counts, so there is nothing to draw: send requests first\n";
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", told));
    assert!(!place.path("drawn").exists());
}

const LIVE: &str = r#"
seed = 2
rounds = 2
block_requests = 5
policies = ["adaptive", "cloud"]
[[models]]
name = "net"
images = "pictures"
[[traces]]
name = "in-turn"
requests = 20
limits = "constant:60000"
[[links]]
name = "slow"
process = "constant:8/20"
[live]
warm_up_requests = 1
"#;

#[tokio::test]
async fn a_live_campaign_takes_policies_in_turn_and_sets_the_link() {
    let (place, responder) = (Place::new(), Responder::start(Behaviour::default()).await);
    place.file("campaign.toml", LIVE);
    let url = responder.url();
    let (code, out, err) =
        run(&place, &["evaluate", "campaign.toml", "-o", "results", "--broker", &url]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("net, trace in-turn, link slow") && out.contains("emulated"), "{out}");
    let records = place.records("results");
    // Two rounds of four blocks of five requests under two policies.
    assert_eq!(records.len(), 2 * 20 * 2);
    for pair in records.chunks(10) {
        let policies: BTreeSet<&str> = pair.iter().map(|record| record.key.policy.as_str()).collect();
        assert_eq!(policies, BTreeSet::from(["adaptive", "cloud"]), "each block under both before the next");
        assert!(pair.iter().all(|record| record.key.block == pair[0].key.block));
    }
    assert_eq!(responder.seen.lock().unwrap().len(), 80 + 16, "each run is warmed up by one");
    let results = Results::open(&place.path("results")).unwrap();
    assert_eq!(results.links().len(), 16, "each run's link");
    assert!(results.links().iter().all(|change| change.state.rtt_ms.get() == 20.0));
    assert!(results.links().iter().all(|change| change.at_ms.get() == 0.0), "it held from the begin on");
    let links = responder.links.lock().unwrap();
    assert_eq!(links.last().unwrap().link, None, "the link is given back");
    let summary: Summary =
        serde_json::from_slice(&std::fs::read(place.path("results/summary.json")).unwrap()).unwrap();
    assert_eq!(summary.cells[0].policies[1].difference.as_ref().unwrap().pairs, 40);
}

#[tokio::test]
async fn a_live_campaign_that_was_killed_goes_on() {
    let let_through = Arc::new(Semaphore::new(33));
    let behaviour = Behaviour { let_through: let_through.clone(), ..Behaviour::default() };
    let (place, responder) = (Place::new(), Responder::start(behaviour).await);
    place.file("campaign.toml", LIVE);
    let url = responder.url();
    let arguments = ["evaluate", "campaign.toml", "-o", "results", "--broker", &url];
    let mut running = start(&place, &arguments);
    let results = place.path("results");
    wait_for(PATIENCE, || {
        let count = lines(&results);
        std::future::ready(if count == 33 { Ok(()) } else { Err(format!("{count} records")) })
    })
    .await
    .unwrap();
    running.kill().await.unwrap();
    let_through.add_permits(1_000);
    let (code, _, err) = run(&place, &[&arguments[..], &["--resume"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    let mut requests: Vec<(u32, u64)> =
        place.records("results").iter().map(|record| (record.key.run, record.request)).collect();
    requests.sort_unstable();
    requests.dedup();
    assert_eq!((requests.len(), place.records("results").len()), (80, 80));
    // 33 records are five whole runs of six and three of the next, which were done again.
    let aside = std::fs::read_to_string(place.path("results/interrupted.jsonl")).unwrap();
    assert_eq!(aside.lines().count(), 3);
}

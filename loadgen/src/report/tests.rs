//! Reports of a results folder that a small pool's own policies filled.

use std::fmt::Write as _;
use std::path::Path;

use policy::{AdaptiveSettings, CloudExecutor, State};
use schemas::{
    ByteCount, Cut, InstanceId, LinkState, Millis, ModelName, Place, PolicyName, Qos, Stage, UnixMillis,
};

use super::*;
use crate::recording::{RecordedFront, Recording, Values};
use crate::results::{
    Answer, Driven, Ending, LinkChange, Machine, Manifest, ModelUsed, Origin, PlacedEnergy, RESULTS_VERSION,
    Record, ResultsWriter, RunKey, TimedStage,
};
use crate::trace::limits::Limits;

mod browser;
mod shapes;

/// A network of four cuts, three clocks, two accelerators of the edge and two of the cloud.
fn pool() -> String {
    let mut text = "accuracy,latency,energy,avg energy edge (J),avg latency edge (ms),avg latency cloud (ms),avg latency transfer (ms),avg energy cloud (J),tensor size (KB),cpu-freq,layer,edge-accelerator,server-accelerator\n".to_owned();
    for (layer, head, tail, kilobytes) in
        [(0, 4.0, 80.0, 600), (1, 60.0, 50.0, 90), (2, 120.0, 20.0, 12), (3, 200.0, 0.0, 0)]
    {
        for clock in [600.0, 1200.0, 1800.0] {
            for (accelerator, pace) in [("off", 1.0), ("max", 0.4)] {
                for (cloud, tail_pace) in [("True", 1.0), ("False", 3.0)] {
                    if (layer == 0 && accelerator == "max") || (layer == 3 && cloud == "True") {
                        continue;
                    }
                    let edge = head * pace * 1800.0 / clock;
                    let (tail, wire) =
                        if layer == 3 { (0.0, 0.0) } else { (tail * tail_pace, f64::from(kilobytes) / 60.0) };
                    let (edge_j, cloud_j) = ((edge + wire + tail) * 0.004, tail * 0.03);
                    let (latency, energy) = (edge + wire + tail, edge_j + cloud_j);
                    let accuracy = if accelerator == "max" { 0.705 - f64::from(layer) / 500.0 } else { 0.71 };
                    writeln!(text, "{accuracy},{latency},{energy},{edge_j},{edge},{tail},{wire},{cloud_j},{kilobytes},{clock},{layer},{accelerator},{cloud}").unwrap();
                }
            }
        }
    }
    text
}

/// Fills a results folder: each policy's own decisions for 400 limits, each with the outcome that the pool says, one in fifty of them
/// lost; the link changes three times.
fn fill(folder: &Path) {
    let path = folder.with_file_name("simulation_pool_toy.csv");
    std::fs::write(&path, pool()).unwrap();
    let recording = Recording::read(&path, "toy", None).unwrap();
    let front =
        RecordedFront::of_means(&recording, (recording.all_cloud().unwrap(), recording.all_edge().unwrap()));
    let policies = [PolicyName::Adaptive, PolicyName::Dynasplit, PolicyName::Cloud, PolicyName::Edge];
    let input = ("simulation_pool_toy.csv".to_owned(), pool().into_bytes());
    let mut writer =
        ResultsWriter::create(folder, manifest(&policies), &[input], &[front.front().clone()]).unwrap();
    for change in 0..3_u32 {
        writer
            .link(&LinkChange {
                run: 0,
                at_ms: ms(f64::from(change) * 60_000.0),
                link: "walk".to_owned(),
                state: LinkState {
                    bandwidth_mbit: schemas::Bandwidth::saturating([400.0, 5.0, 80.0][change as usize]),
                    rtt_ms: ms(4.0),
                },
                origin: Origin::Simulated,
            })
            .unwrap();
    }
    let limits = "weibull:60..700".parse::<Limits>().unwrap().sequence(1, 400);
    for (run, policy) in (0..).zip(policies) {
        let mut state = State::new(front.prepared(), AdaptiveSettings::default());
        state.set_clouds([CloudExecutor::new(InstanceId::new("cloud").unwrap(), 1, true)]);
        for (request, limit) in (0..).zip(&limits) {
            let now = ms(500.0 * request as f64);
            let decision = front.prepared().decide(policy, &Qos::within(*limit), &state, now).unwrap();
            let place = front.at(decision.point);
            let values = Values::of_runs(&recording, place);
            let key = RunKey {
                run,
                round: 0,
                block: 0,
                policy,
                trace: "weibull".into(),
                link: Some("walk".into()),
            };
            let answer = answer(&values, front.configuration(place), recording.side(place));
            writer.record(&record(key, request, *limit, values.latency.mean_ms, answer)).unwrap();
        }
    }
    writer.finish(None::<&()>).unwrap();
}

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn manifest(policies: &[PolicyName]) -> Manifest {
    Manifest {
        results_version: RESULTS_VERSION,
        software: "loadgen test".into(),
        command: "loadgen evaluate <toy> & \"more\"".into(),
        driven: Driven::Simulator,
        began_at: UnixMillis(1_700_000_000_000),
        ended_at: None,
        seed: 1,
        rounds: 1,
        settings: serde_json::json!({}),
        machine: Machine::this(),
        services: Vec::new(),
        policies: policies.to_vec(),
        models: vec![ModelUsed {
            model: ModelName::new("toy").unwrap(),
            digest: None,
            last_cut: Some(Cut(3)),
            pictures: None,
            outcomes: Some("inputs/simulation_pool_toy.csv".into()),
        }],
        traces: Vec::new(),
        links: Vec::new(),
        fronts: Vec::new(),
        inputs: Vec::new(),
    }
}

fn answer(values: &Values, configuration: schemas::Configuration, side: crate::recording::Side) -> Answer {
    let parts = values.parts.unwrap();
    let stage = |stage, place, time_ms| TimedStage { stage, place, time_ms, origin: Origin::Simulated };
    let joules = |place, joules| PlacedEnergy { place, joules, origin: Origin::Simulated };
    Answer {
        id: None,
        gateway_ms: None,
        configuration,
        edge_accelerator: None,
        cloud_accelerator: None,
        side: Some(side),
        fallback: None,
        reason: None,
        front: None,
        label: None,
        correct: None,
        accuracy: values.accuracy,
        sent_bytes: Some(ByteCount(0)),
        stages: vec![
            stage(Stage::HardwareChange, Place::Edge, ms(3.0)),
            stage(Stage::Head, Place::Edge, parts.edge_time),
            stage(Stage::Transfer, Place::Wire, parts.wire_time),
            stage(Stage::Tail, Place::Cloud, parts.cloud_time),
        ],
        energy: vec![joules(Place::Edge, parts.edge_energy), joules(Place::Cloud, parts.cloud_energy)],
    }
}

fn record(key: RunKey, request: u64, limit: Millis, latency: Millis, answer: Answer) -> Record {
    let is_lost = request % 50 == 49;
    let outcome = match is_lost {
        true => Ending::Failed { fault: schemas::FaultKind::Overloaded, message: "no room".into() },
        false if latency <= limit => Ending::Within,
        false => Ending::Late,
    };
    Record {
        key,
        model: ModelName::new("toy").unwrap(),
        request,
        query: request,
        tenant: None,
        warm_up: request < 4,
        scheduled_ms: ms(500.0 * request as f64),
        sent_ms: ms(500.0 * request as f64),
        at: UnixMillis(500 * request),
        limit_ms: limit,
        latency_ms: latency,
        service_ms: latency,
        outcome,
        answer: (!is_lost).then_some(answer),
    }
}

/// The report of such a folder, and where the folder is for as long as it is needed.
fn report() -> (tempfile::TempDir, Report) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("results");
    fill(&folder);
    let material = Material::read(&folder).unwrap();
    (place, Report::of(&material))
}

fn find<'a>(report: &'a Report, name: &str) -> &'a Figure {
    report
        .figures()
        .find(|figure| figure.name.starts_with(name))
        .unwrap_or_else(|| panic!("no figure {name}"))
}

#[test]
fn every_figure_of_a_full_folder_is_there_and_what_cannot_be_says_why() {
    let (_place, report) = report();
    let missing: Vec<(&str, &str)> = report
        .figures()
        .filter_map(|figure| match &figure.content {
            Content::Missing(why) => Some((figure.name.as_str(), why.as_str())),
            Content::Plot { .. } => None,
        })
        .collect();
    // In virtual time there is neither a way to a scheduler nor one between services.
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["overhead-plan-toy-weibull-link-walk", "overhead-rest-toy-weibull-link-walk"],
        "{missing:?}"
    );
    assert!(missing.iter().all(|(_, why)| why.ends_with('.')));
}

#[test]
fn warm_up_does_not_count_and_lost_requests_do() {
    let (_place, report) = report();
    let outcomes = &find(&report, "outcomes").table;
    for row in &outcomes.rows {
        // 400 requests, four of them to warm up; eight lost.
        assert_eq!((row[1].as_str(), row[4].as_str()), ("396", "2.0202"), "{row:?}");
        let shares: f64 = row[2..].iter().map(|share| share.parse::<f64>().unwrap()).sum();
        assert!((shares - 100.0).abs() < 0.01, "{row:?}");
    }
    let decisions = &find(&report, "decisions").table;
    assert_eq!(
        decisions.columns[1..],
        ["requests", "all in the cloud", "split", "all on the edge", "nowhere"]
    );
    let cloud = decisions.rows.iter().find(|row| row[0] == "cloud").unwrap();
    assert_eq!(cloud[1..], ["396", "388", "0", "0", "8"]);
}

#[test]
fn numbers_are_the_pools() {
    let (_place, report) = report();
    // The baseline cloud: 4 ms on the edge at 1800 MHz, 10 on the wire, 80 in the cloud.
    let latency = &find(&report, "latency").table;
    let cloud = latency.rows.iter().find(|row| row[0] == "cloud").unwrap();
    assert_eq!(cloud[3..7], ["94", "94", "94", "94"].map(str::to_owned));
    // All on the edge without its accelerator: 200 ms at 1800 MHz, 600 ms at 600 MHz; 4 mJ a millisecond.
    let clock = &find(&report, "clock").table;
    assert!(clock.rows.contains(&["off", "600", "600", "2.4", "1"].map(str::to_owned).to_vec()), "{clock:?}");
    let accelerators = &find(&report, "accelerator-edge").table;
    assert_eq!(accelerators.rows.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["200", "80"]);
    let stages = &find(&report, "cuts").table;
    assert_eq!(
        stages.columns[3..8],
        ["edge, ms", "wire, ms", "cloud, ms", "edge, recorded, J", "cloud, recorded, J"]
    );
    assert_eq!(stages.rows[2][..6], ["2", "68.2", "0.8728", "48", "0.2", "20"].map(str::to_owned));
}

#[test]
fn what_is_not_measured_is_labelled_where_it_is_shown() {
    let (_place, report) = report();
    for name in ["latency", "energy", "violation", "timeline"] {
        assert!(
            find(&report, name)
                .caption
                .contains("Simulated: energy (cloud, edge) and time (cloud, edge, wire)."),
            "{name}"
        );
    }
}

#[test]
fn names_and_values_are_escaped_in_the_page_and_in_markdown() {
    let (_place, report) = report();
    let page = report.html();
    assert!(page.contains("loadgen evaluate &lt;toy&gt; &amp; &quot;more&quot;"));
    assert!(!page.contains("<toy>") && !report.markdown().contains("<toy>"));
    // Self-contained: nothing is loaded from anywhere.
    let body = page.split("</head>").nth(1).unwrap();
    let mut ids: Vec<&str> = body.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each id is there once: {ids:?}");
    for loading in ["src=", "href=\"http", "@import", "url("] {
        assert!(!body.contains(loading), "{loading}");
    }
}

#[test]
fn a_material_without_anything_is_a_report_that_says_so() {
    let cell = Cell {
        name: "nothing".into(),
        runs: vec![PolicyRun { policy: PolicyName::Edge, requests: vec![Request::default()] }],
        ..Cell::default()
    };
    let network = Network { name: "nothing".into(), ..Network::default() };
    let report = Report::of(&Material { cells: vec![cell], networks: vec![network], ..Material::default() });
    for figure in report.figures() {
        let is_drawn = matches!(figure.content, Content::Plot { .. });
        // Of one request without an answer only how it ended and what it asked for can be drawn.
        assert_eq!(
            is_drawn,
            ["outcomes-nothing", "limits"].contains(&figure.name.as_str()),
            "{}",
            figure.name
        );
    }
}

/// Nothing to draw is nothing to write a page about.
#[test]
fn a_folder_without_a_request_that_counts_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("results");
    fill(&folder);
    let text = std::fs::read_to_string(folder.join("records.jsonl")).unwrap();
    // The first four requests warm up.
    for records in [String::new(), text.lines().take(4).fold(String::new(), |all, line| all + line + "\n")] {
        std::fs::write(folder.join("records.jsonl"), records).unwrap();
        let error = Material::read(&folder).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "results has no request that counts, so there is nothing to draw: send requests first"
            ),
            "{error}"
        );
    }
}

#[test]
fn another_folder_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let error = Material::read(place.path()).unwrap_err().to_string();
    assert!(error.contains("results") && !error.contains('\n'), "{error}");
}

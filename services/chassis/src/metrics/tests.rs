//! The documentation's table is what is declared. `BLESS=1` writes it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use schemas::{Fault, FaultKind, Place, Stage, StageTime, TimeSource};

use super::*;

const BEFORE: &str = "\
# Metrics

Every service serves its metrics for Prometheus under `/metrics` where `[telemetry] metrics_address` says so (in the
OpenMetrics text format; the gateway serves them under its own address too), and publishes the same numbers each second on
`splinter.v1.metrics.<service>.<instance>`. Services that share a process, as under `splinter up`, share one page.

Names are `splinter_<service>_<what>_<unit>[_total]`, in base units. A metric appears when there is something to say:
absent is unknown, never zero. Labels are bounded: of networks, machines and executors at most 1,024 combinations are told
apart in one metric, all further ones are `other`. [Operations](operations.md) says which of these raise an alert.

This page is made by `services/chassis/src/metrics/tests.rs`.
";

const SECTIONS: [(&str, &str, &str); 8] = [
    ("splinter_gateway_", "Gateway", "The way in: requests, their time and joules."),
    ("splinter_scheduler_", "Scheduler", "Decisions, fronts, and what is taken to be true of the link."),
    ("splinter_edge_executor_", "Edge executor", "Heads, and whole networks."),
    ("splinter_cloud_executor_", "Cloud executor", "Tails."),
    ("splinter_tuner_", "Tuner", "The machine: how it is set and what it draws."),
    ("splinter_optimizer_", "Optimizer", "Campaigns, and fronts that drift."),
    ("splinter_service_", "Every service", "Told apart by the label `service`."),
    ("process_", "Every process", "Under the names that all Prometheus clients use; on Linux only."),
];

fn page() -> String {
    let all = Metrics::every_service().descriptions();
    let mut page = BEFORE.to_owned();
    for (prefix, title, about) in SECTIONS {
        write!(page, "\n## {title}\n\n{about}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
            .unwrap();
        for one in all.iter().filter(|one| one.name.starts_with(prefix)) {
            let labels: Vec<String> = one.labels.iter().map(|label| format!("`{label}`")).collect();
            writeln!(page, "| `{}` | {} | {} | {} |", one.name, one.kind, labels.join(", "), one.help)
                .unwrap();
        }
    }
    page
}

#[test]
fn the_documentation_lists_the_metrics() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "{} is out of date; BLESS=1 cargo test writes it", path.display());
}

#[test]
fn names_follow_the_scheme() {
    for one in Metrics::every_service().descriptions() {
        let name = &one.name;
        assert!(SECTIONS.iter().any(|(prefix, ..)| name.starts_with(prefix)), "{name} is in no section");
        assert_eq!(one.kind == "counter", name.ends_with("_total"), "{name}");
        assert!(name.trim_end_matches("_total").ends_with(one.unit.as_str()), "{name}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(
            name.chars().all(is_plain) && one.labels.iter().all(|label| label.chars().all(is_plain)),
            "{name}"
        );
        assert!(!one.help.ends_with('.') && one.help.len() > 10, "{name}: {}", one.help);
        for word in ["_ms", "_millis", "_khz", "_mb", "_percent"] {
            assert!(!name.contains(word), "{name} is in no base unit");
        }
    }
}

fn model(number: usize) -> Label {
    format!("m{number}").into()
}

#[test]
fn labels_are_bounded() {
    let metrics = Metrics::default();
    let gateway = GatewayMetrics::new(&metrics);
    for number in 0..MOST_SERIES + 500 {
        gateway.requests.count([model(number), "within".into()]);
    }
    gateway.requests.count([model(0), "within".into()]);
    let page = metrics.render();
    let series: Vec<&str> =
        page.lines().filter(|line| line.starts_with("splinter_gateway_requests_total{")).collect();
    assert_eq!(series.len(), MOST_SERIES + 1);
    for line in [
        r#"splinter_gateway_requests_total{model="other",outcome="within"} 500.0"#,
        r#"splinter_gateway_requests_total{model="m0",outcome="within"} 2.0"#,
    ] {
        assert!(series.contains(&line), "{line}");
    }
}

#[test]
fn what_is_written_in_a_label_cannot_break_the_page() {
    let metrics = Metrics::default();
    GatewayMetrics::new(&metrics).sent.add(["a\"} 1\n# b\\".into()], 1.0);
    let page = metrics.render();
    assert!(page.contains(r#"splinter_gateway_sent_bytes_total{model="a\"} 1\n# b\\"} 1.0"#), "{page}");
}

#[test]
fn declared_twice_it_is_the_same() {
    let metrics = Metrics::default();
    let (one, other) = (GatewayMetrics::new(&metrics), GatewayMetrics::new(&metrics));
    one.receipts_lost.count([]);
    other.receipts_lost.count([]);
    let page = metrics.render();
    assert_eq!(page.matches("splinter_gateway_receipts_lost_total 2.0").count(), 1, "{page}");
    assert!(page.ends_with("# EOF\n"));
}

#[test]
fn the_snapshot_is_the_page_without_buckets() {
    let metrics = Metrics::default();
    metrics.watch_process();
    let (gateway, edge) = (GatewayMetrics::new(&metrics), EdgeExecutorMetrics::new(&metrics));
    let stage = StageTime {
        stage: Stage::Head,
        place: Place::Edge,
        time_ms: schemas::Millis::saturating(250.0),
        source: TimeSource::Measured,
    };
    gateway.stages.count(&model(1), &[stage], &[]);
    edge.failed(&model(1), &Fault::new(FaultKind::Internal, "x"));
    let samples = metrics.samples(ServiceKind::Gateway);
    let value =
        |series: &str| samples.iter().find(|sample| sample.series == series).map(|sample| sample.value);
    let labels = r#"{model="m1",stage="head",place="edge"}"#;
    assert_eq!(value(&format!("splinter_gateway_stage_duration_seconds_sum{labels}")), Some(0.25));
    assert_eq!(value(&format!("splinter_gateway_stage_duration_seconds_count{labels}")), Some(1.0));
    let page = metrics.render();
    for sample in &samples {
        assert!(
            sample.series.starts_with("splinter_gateway_") && !sample.series.contains("_bucket"),
            "{sample:?}"
        );
        assert!(page.contains(&sample.series), "{sample:?}");
    }
    assert!(!metrics.samples(ServiceKind::EdgeExecutor).is_empty());
    assert!(!page.contains("\nprocess_resident_memory_bytes 0"));
    assert!(page.contains("\nprocess_cpu_seconds_total "), "{page}");
}

#[test]
fn a_source_that_is_gone_is_read_no_more() {
    let metrics = Metrics::default();
    let gateway = GatewayMetrics::new(&metrics);
    let source = Arc::new(7.0);
    metrics.read_from(&source, move |value| gateway.in_flight.set([], *value));
    assert!(metrics.render().contains("splinter_gateway_requests_in_flight 7.0"));
    drop(source);
    metrics.render();
    assert!(lock(&metrics.inner.readings).is_empty());
}

#[test]
fn nonsense_is_not_counted() {
    let metrics = Metrics::default();
    let gateway = GatewayMetrics::new(&metrics);
    for amount in [f64::NAN, f64::INFINITY, -1.0, 2.5] {
        gateway.sent.add([model(1)], amount);
    }
    gateway.sent.follow([model(2)], 5.0);
    gateway.sent.follow([model(2)], 3.0);
    let page = metrics.render();
    assert!(page.contains(r#"sent_bytes_total{model="m1"} 2.5"#), "{page}");
    assert!(page.contains(r#"sent_bytes_total{model="m2"} 5.0"#), "{page}");
}

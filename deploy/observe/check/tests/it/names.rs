//! Every name that is asked for is in the table, and every alert has its line in the guide and its case.

use std::collections::BTreeSet;
use std::fs;

use chassis::Metrics;
use observe::{folder, metric_of, metrics_named, queries};

fn read(file: &str) -> String {
    let path = folder().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn alerts(rules: &str) -> BTreeSet<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

#[test]
fn the_dashboard_and_the_rules_ask_for_metrics_that_exist() {
    let declared: BTreeSet<String> =
        Metrics::every_service().descriptions().into_iter().map(|one| one.name).collect();
    let mut asked = 0;
    for file in ["grafana/dashboards/splinter.json", "alerts.yml", "alerts_test.yml"] {
        let text = read(file);
        for name in metrics_named(&text) {
            asked += 1;
            let known = metric_of(name, |name| declared.contains(name));
            assert!(known.is_some(), "{file} asks for {name}, which no service has");
        }
    }
    assert!(asked > 50, "only {asked} names were found");
}

#[test]
fn the_dashboard_shows_something_of_every_service() {
    let dashboard = read("grafana/dashboards/splinter.json");
    let all = queries(&dashboard).unwrap();
    for part in ["gateway", "scheduler", "edge_executor", "cloud_executor", "tuner", "optimizer", "service"] {
        let prefix = format!("splinter_{part}_");
        assert!(all.iter().any(|query| query.expression.contains(&prefix)), "nothing of {part}");
    }
    assert!(
        !dashboard.contains("http://") && !dashboard.contains("https://"),
        "it needs nothing from outside"
    );
}

#[test]
fn every_alert_has_its_line_and_its_case() {
    let (rules, cases) = (read("alerts.yml"), read("alerts_test.yml"));
    let guide = read("../../docs/operations.md");
    let alerts = alerts(&rules);
    assert!(alerts.len() >= 20, "{alerts:?}");
    for alert in &alerts {
        assert!(cases.contains(&format!("- name: {alert}\n")), "{alert} has no case in alerts_test.yml");
        assert!(guide.contains(&format!("### {alert}\n")), "{alert} has no line in docs/operations.md");
        let anchor = format!("runbook: docs/operations.md#{}\n", alert.to_lowercase());
        assert!(rules.contains(&anchor), "{alert} does not say where its line is");
    }
    let told: BTreeSet<&str> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|line| line.starts_with("Splinter"))
        .collect();
    assert_eq!(told, alerts, "the guide tells of alerts that are not there");
}

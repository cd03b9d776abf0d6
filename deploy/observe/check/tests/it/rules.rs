//! The alert rules as Prometheus' own tool reads and tries them.

use std::process::Command;

use observe::folder;

fn promtool(arguments: &[&str]) {
    let Ok(output) = Command::new("promtool").args(arguments).current_dir(folder()).output() else {
        eprintln!(
            "SKIPPED: there is no promtool here (Debian: apt install prometheus): {arguments:?} was not run"
        );
        return;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn the_rules_and_the_configuration_are_valid() {
    promtool(&["check", "rules", "alerts.yml"]);
    promtool(&["check", "config", "prometheus.yml"]);
}

#[test]
fn each_alert_fires_under_its_fault_and_is_silent_without() {
    promtool(&["test", "rules", "alerts_test.yml"]);
}

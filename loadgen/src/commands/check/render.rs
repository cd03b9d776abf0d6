//! What was found, as text.

use loadgen::check::impact::{Line, Rows, Taken};
use loadgen::check::{Finding, Impact, Kind, Report};

use crate::commands::table::table;

/// More rows of a kind are counted, not listed: `--json` lists all.
const MOST_LISTED: usize = 40;

/// The whole report; `missing` lists the configurations that were never run.
pub fn report(report: &Report, missing: bool) -> String {
    let mut parts = vec![summary(report)];
    for kind in Kind::ALL {
        let of_kind: Vec<&Finding> = report.findings.iter().filter(|finding| finding.kind == kind).collect();
        if !of_kind.is_empty() {
            parts.push(findings(kind, &of_kind));
        }
    }
    if !report.two_states.is_empty() {
        parts.push(two_states(report));
    }
    if let Some(impact) = &report.impact {
        parts.push(judged(impact));
    }
    if missing {
        let list = report.coverage.missing.join("\n");
        parts.push(format!("## Legal configurations that were never run\n\n{list}"));
    }
    parts.join("\n\n")
}

fn summary(report: &Report) -> String {
    let coverage = &report.coverage;
    let contradictions = report.findings.iter().filter(|finding| finding.kind.is_contradiction()).count();
    let doubtful = report.findings.len() - contradictions;
    format!(
        "# {}\n\n{} runs; {} of {} legal configurations ({:.1} %), {} of them run once; {} never run.\n\
         {contradictions} rows cannot be true, {doubtful} are doubtful.",
        report.pool,
        report.rows,
        coverage.measured,
        coverage.legal,
        100.0 * coverage.measured as f64 / coverage.legal.max(1) as f64,
        coverage.once,
        coverage.legal - coverage.measured,
    )
}

fn findings(kind: Kind, findings: &[&Finding]) -> String {
    let mut rows = table(&["line", "configuration", "why"], 3);
    for finding in findings.iter().take(MOST_LISTED) {
        rows.add_row([finding.line.to_string(), finding.configuration.clone(), finding.why.clone()]);
    }
    let more = findings.len().saturating_sub(MOST_LISTED);
    let more = if more > 0 { format!("\n\n… and {more} more: --json lists all") } else { String::new() };
    let weight = if kind.is_contradiction() { "cannot be true" } else { "doubtful" };
    format!("## {} ({weight}): {}\n\n{rows}{more}", capitalised(kind.about()), findings.len())
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

fn two_states(report: &Report) -> String {
    let mut rows = table(
        &[
            "configuration",
            "runs",
            "edge busy %",
            "mean ms",
            "mean J",
            "runs",
            "edge busy %",
            "mean ms",
            "mean J",
        ],
        1,
    );
    for two in &report.two_states {
        let mut cells = vec![two.configuration.clone()];
        for group in [&two.idler, &two.busier] {
            cells.push(group.runs.to_string());
            cells.push(format!("{:.1}", group.edge_load_percent));
            cells.push(format!("{:.1}", group.latency));
            cells.push(group.energy.map_or("-".into(), |energy| format!("{energy:.3}")));
        }
        rows.add_row(cells);
    }
    format!(
        "## Measured in two states of the hardware: {}\n\nRuns of one configuration that fall into two groups by how busy the edge \
         was. A clock that was not always applied looks so.\n\n{rows}",
        report.two_states.len()
    )
}

fn judged(impact: &Impact) -> String {
    let headers = [
        "rows",
        "",
        "a configuration is",
        "front",
        "only doubtful runs",
        "missed",
        "met %",
        "mean J",
        "mean ms",
    ];
    let mut rows = table(&headers, 1);
    for line in &impact.lines {
        rows.add_row(cells(line));
    }
    format!(
        "## What the rows in doubt change\n\nThe paper's rule over {} requests, each with the mean of its configuration's runs.\n\n{rows}",
        impact.requests
    )
}

fn cells(line: &Line) -> Vec<String> {
    let rows = match line.rows {
        Rows::All => "all",
        Rows::WithoutContradictions => "without those that cannot be true",
        Rows::WithoutDoubtful => "without all in doubt",
    };
    let taken = match line.taken {
        Taken::LastRun => "its last run",
        Taken::Mean => "the mean of its runs",
    };
    let mut cells = vec![
        rows.to_owned(),
        line.count.to_string(),
        taken.to_owned(),
        line.front.to_string(),
        line.front_in_doubt.to_string(),
    ];
    match &line.figures {
        Some(figures) => cells.extend([
            figures.violations.to_string(),
            format!("{:.2}", figures.met_percent),
            format!("{:.2}", figures.energy_mean),
            format!("{:.1}", figures.latency_mean),
        ]),
        None => cells.extend(["-"; 4].map(str::to_owned)),
    }
    cells
}

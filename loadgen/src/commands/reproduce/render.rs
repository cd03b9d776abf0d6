//! A reproduction as text.

use loadgen::reproduce::study::Summary;
use loadgen::reproduce::{Cell, Comparison, LeftOut, Metric, Reproduction, Row, Table, Verdict};

use crate::commands::table::{difference, interval, table};

/// Everything of one network.
pub fn reproduction(of: &Reproduction) -> String {
    let mut parts = vec![format!("# DynaSplit on {}\n\n{}", of.network, study(&of.study))];
    if !of.claims.is_empty() {
        parts.push(format!("## What was published\n\n{}", claims(of)));
    }
    if !of.decisions.is_empty() {
        parts.push(format!(
            "## Recorded decisions, made again over the recovered fronts\n\n{}",
            decisions(of)
        ));
    }
    parts.extend(of.tables.iter().map(evaluation));
    if let Some(comparison) = &of.comparison {
        parts.push(compared(comparison));
    }
    if !of.left_out.is_empty() {
        parts.push(format!("## Left out\n\n{}", left_out(of)));
    }
    parts.extend(of.replaced.iter().cloned());
    parts.push(verdict(of));
    parts.join("\n\n")
}

/// What was not made, and why.
fn left_out(of: &Reproduction) -> String {
    let line = |table: &LeftOut| {
        let what = if table.published { "NOT COMPARED with what was published" } else { "not compared" };
        format!("- {}: {what}: {}", table.about, table.missing)
    };
    of.left_out.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn verdict(of: &Reproduction) -> String {
    let not_compared = of.left_out.iter().filter(|table| table.published).count();
    match (of.compared, of.failed, not_compared) {
        (compared, 0, 1..) => format!(
            "INCOMPLETE: {compared} published values and recorded decisions come out, and {not_compared} published tables were not \
             compared: a file is missing."
        ),
        (0, ..) => {
            "Nothing was compared, since nothing was published of this network or the files for it are missing: its figures stand alone."
                .to_owned()
        }
        (compared, 0, 0) => format!("PASS: all {compared} published values and recorded decisions come out."),
        (compared, failed, _) => {
            format!("FAIL: {failed} of {compared} published values and recorded decisions do not come out.")
        }
    }
}

fn study(study: &Summary) -> String {
    let Summary { rows, configurations, legal, trials, budget, budget_front, whole_front } = study;
    let coverage = 100.0 * *configurations as f64 / *legal as f64;
    format!(
        "{rows} recorded runs of {configurations} configurations, {coverage:.1} % of the {legal} legal ones. The last {trials} are the \
         trials of\nthe offline phase. The paper's front: {budget_front} points of the first {budget} trials (a fifth of the legal \
         configurations).\nThe front of all trials: {whole_front} points."
    )
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Unpublished => "",
    }
}

fn claims(of: &Reproduction) -> String {
    let mut rows = table(&["value", "source", "published", "here", ""], 2);
    for claim in &of.claims {
        let digits = claim.published.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let value = claim.value.map_or("no data".to_owned(), |value| format!("{value:.digits$}"));
        rows.add_row([&claim.what, &claim.source, &claim.published, &value, mark(claim.verdict)]);
    }
    rows.to_string()
}

fn decisions(of: &Reproduction) -> String {
    let mut rows = table(&["strategy", "recorded", "the same", ""], 1);
    for decisions in &of.decisions {
        let verdict = mark(decisions.verdict).to_owned();
        rows.add_row([
            decisions.strategy.clone(),
            decisions.recorded.to_string(),
            decisions.same.to_string(),
            verdict,
        ]);
    }
    rows.to_string()
}

fn evaluation(of: &Table) -> String {
    let published = of.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.published.is_some());
    let mut headers = vec!["strategy", ""];
    headers.extend(Metric::ALL.map(Metric::heading));
    headers.push("");
    let mut rows = table(&headers, 2);
    for row in &of.rows {
        rows.add_row(line(row, "here", mark(row.verdict), |cell| cell.value));
        if published {
            rows.add_row(line(row, "published", "", |cell| cell.published));
        }
    }
    format!("## {}\n\n{rows}", of.about)
}

fn line(row: &Row, source: &str, verdict: &str, value: impl Fn(&Cell) -> Option<f64>) -> Vec<String> {
    let strategy = if source == "here" { row.strategy.clone() } else { String::new() };
    let mut cells = vec![strategy, source.to_owned()];
    for cell in &row.cells {
        let digits = cell.metric.digits();
        let text = value(cell).map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        // The cell that differs, in a row of a dozen.
        let differs = cell.verdict == Verdict::Fail && source == "here";
        cells.push(if differs { format!("!{text}") } else { text });
    }
    cells.push(verdict.to_owned());
    cells
}

fn compared(of: &Comparison) -> String {
    let headers = [
        "front",
        "points",
        "policy",
        "missed",
        "met %",
        "mean J",
        "mean ms",
        "missed, against the paper's",
        "energy %",
    ];
    let mut rows = table(&headers, 1);
    for entrant in &of.entrants {
        rows.add_row([
            entrant.front.clone(),
            entrant.points.to_string(),
            entrant.policy.to_string(),
            interval(entrant.missed, 1),
            interval(entrant.met_percent, 2),
            interval(entrant.energy, 2),
            interval(entrant.latency, 1),
            difference(entrant.missed_more, 1),
            difference(entrant.energy_more_percent, 2),
        ]);
    }
    format!(
        "## Splinter on the same {} requests and the same recorded runs\n\n{rows}\n\nMeans over {} draws with 95 % confidence \
         intervals; differences draw by draw. All are judged on the recorded runs of the paper's\nmachines: a configuration that was \
         run once gets that run each time, so the misses of every front are the least there can be.\n`oracle` sees each outcome before \
         it decides: no policy can do better on that front.",
        of.requests, of.seeds
    )
}

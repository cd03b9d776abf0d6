use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::{prop_assert_eq, proptest};

use super::*;

const HEADER: &str = "latency,energy,avg energy edge (J),avg latency edge (ms),avg latency cloud (ms),avg latency transfer (ms),avg energy cloud (J),cpu-freq,layer,edge-accelerator,server-accelerator\n";

/// A pool of a network of nine cuts whose heads slow down with the clock. `wrong` are rows that ran at another clock than was set.
fn pool(clocks: &[f64], wrong: &[(u16, f64, f64)]) -> String {
    let mut text = HEADER.to_owned();
    for cut in 0..=9_u16 {
        for &clock in clocks {
            let ran_at = wrong.iter().find(|(c, set, _)| *c == cut && *set == clock).map_or(clock, |w| w.2);
            let edge = (20.0 + 100.0 * f64::from(cut)) * 1800.0 / ran_at;
            let cloud = if cut == 9 { 0.0 } else { 80.0 };
            let (latency, energy) = (edge + cloud, edge / 200.0 + cloud * 0.9);
            let edge_energy = edge / 200.0;
            let cloud_energy = cloud * 0.9;
            writeln!(
                text,
                "{latency},{energy},{edge_energy},{edge},{cloud},0,{cloud_energy},{clock},{cut},off,False"
            )
            .unwrap();
        }
    }
    text
}

fn check_text(text: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulation_pool_toy.csv");
    std::fs::write(&path, text).unwrap();
    check(&path, "toy", None, None).unwrap()
}

fn lines(report: &Report, kind: Kind) -> Vec<u64> {
    report.findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.line).collect()
}

const CLOCKS: [f64; 4] = [600.0, 800.0, 1200.0, 1800.0];

#[test]
fn a_clean_pool_has_no_findings() {
    assert_eq!(check_text(&pool(&CLOCKS, &[])).findings, []);
}

#[test]
fn a_clock_that_was_not_applied_is_found_and_named() {
    let report = check_text(&pool(&CLOCKS, &[(5, 800.0, 1800.0)]));
    // Line 1 is the header, a cut has four rows.
    assert_eq!(lines(&report, Kind::ClockNotApplied), [1 + 5 * 4 + 2]);
    assert!(report.findings[0].why.contains("as if at 1800 MHz"), "{:?}", report.findings);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn a_slower_head_is_doubtful_and_no_contradiction() {
    let report = check_text(&pool(&CLOCKS, &[(5, 1800.0, 600.0)]));
    assert_eq!(lines(&report, Kind::SlowHead), [1 + 5 * 4 + 4]);
    assert_eq!(lines(&report, Kind::ClockNotApplied), [] as [u64; 0]);
}

#[test]
fn with_one_row_a_cut_the_other_cuts_bear_witness() {
    let text = pool(&CLOCKS, &[(6, 800.0, 1800.0)]);
    // Of each cut one row, at another clock each; the wrong one of cut 6 among them.
    let sparse: String = text
        .lines()
        .enumerate()
        .filter(|(place, _)| {
            *place == 0 || (place - 1) % 4 == [0, 3, 2, 0, 3, 2, 1, 0, 2, 3][(place - 1) / 4]
        })
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let report = check_text(&sparse);
    assert_eq!(lines(&report, Kind::ClockNotApplied), [1 + 6 + 1], "{:?}", report.findings);
    assert_eq!(lines(&report, Kind::SlowHead), [] as [u64; 0]);
}

#[test]
fn values_that_are_none_illegal_rows_and_sums_are_found() {
    let mut text = pool(&CLOCKS, &[]);
    text.push_str("NaN,1,1,1,0,0,0,600,3,off,False\n");
    text.push_str("100,1,1,1,0,0,0,600,3,off,False\n");
    text.push_str("200,3,3,100,100,0,0,600,3,off,False\n");
    let report = check_text(&text);
    assert_eq!(lines(&report, Kind::Unusable), [42]);
    assert!(report.findings[0].why.contains("\"latency\"") && report.findings[0].why.contains("NaN"));
    assert!(lines(&report, Kind::DoesNotAddUp).contains(&43));
    assert!(lines(&report, Kind::EnergyMissing).contains(&44));
}

#[test]
fn missing_configurations_are_named() {
    let text: String = pool(&CLOCKS, &[])
        .lines()
        .filter(|line| !line.ends_with(",800,4,off,False"))
        .map(|l| format!("{l}\n"))
        .collect();
    let report = check_text(&text);
    assert_eq!((report.coverage.legal, report.coverage.measured), (40, 39));
    assert!(report.coverage.missing[0].contains("cut 4") && report.coverage.missing[0].contains("800 MHz"));
}

fn reference() -> Option<PathBuf> {
    let shared = std::env::var_os("SPLINTER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("reference");
    folder.join("suspect_cpu_freq_rows_vgg16.csv").is_file().then_some(folder)
}

#[test]
fn the_ten_rows_of_the_paper_s_pool_are_found() {
    let Some(folder) = reference() else { return };
    let report = check(&folder.join("simulation_pool_vgg16.csv"), "vgg16", None, None).unwrap();
    let list = std::fs::read_to_string(folder.join("suspect_cpu_freq_rows_vgg16.csv")).unwrap();
    // The list counts rows from 0, and the header is line 1.
    let known: BTreeSet<u64> = list
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse::<u64>().unwrap() + 2)
        .collect();
    let found: BTreeSet<u64> = lines(&report, Kind::ClockNotApplied).into_iter().collect();
    assert_eq!(found, known);
    assert_eq!((report.coverage.legal, report.coverage.measured), (917, 747));
    assert_eq!(report.coverage.missing.len(), 170);
    let states = &report.two_states;
    assert!(
        states.iter().any(|two| two.idler.runs.abs_diff(61) <= 1 && two.busier.runs.abs_diff(62) <= 1),
        "{states:?}"
    );
}

proptest! {
    /// Any one row that ran at a clock at least a third faster is found, and nothing else is.
    #[test]
    fn any_wrong_clock_is_found(cut in 2_u16..=8, set in 0_usize..3) {
        let report = check_text(&pool(&CLOCKS, &[(cut, CLOCKS[set], CLOCKS[3])]));
        prop_assert_eq!(lines(&report, Kind::ClockNotApplied), [1 + u64::from(cut) * 4 + set as u64 + 1]);
        prop_assert_eq!(report.findings.len(), 1);
    }
}

//! Violins, boxes and densities of values that have no shape, or one without a greatest value.

use super::*;

/// A cell of which each policy has so many requests, of as many different latencies and limits.
fn cell_of(policies: &[(PolicyName, usize)]) -> Cell {
    let request = |place: usize| Request {
        limit_ms: 100.0 + place as f64,
        latency_ms: Some(50.0 + place as f64),
        plan_ms: Some(1.0 + place as f64),
        ..Request::default()
    };
    let run = |(policy, count): &(PolicyName, usize)| PolicyRun {
        policy: *policy,
        requests: (0..*count).map(request).collect(),
    };
    Cell { name: "few".into(), runs: policies.iter().map(run).collect(), ..Cell::default() }
}

fn drawn(figure: &Figure) -> serde_json::Value {
    let Content::Plot { plot, .. } = &figure.content else { panic!("{} is missing", figure.name) };
    serde_json::from_str(&plot.to_json()).unwrap()
}

/// Four values have neither a shape nor quarters.
#[test]
fn few_values_are_drawn_as_points() {
    let cell = cell_of(&[(PolicyName::Adaptive, 4), (PolicyName::Cloud, 5)]);
    let report = Report::of(&Material { cells: vec![cell], ..Material::default() });
    for (name, shape) in [("latency-few", "violin"), ("overhead-plan-few", "box")] {
        let figure = find(&report, name);
        let plot = drawn(figure);
        let kinds: Vec<&str> =
            plot["data"].as_array().unwrap().iter().map(|trace| trace["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["scatter", shape], "{name}");
        assert_eq!(
            (&plot["data"][0]["mode"], plot["data"][0]["y"].as_array().unwrap().len()),
            (&"markers".into(), 4)
        );
        assert!(figure.caption.contains("Fewer than 5 values are drawn as points."), "{}", figure.caption);
    }
    let many =
        Report::of(&Material { cells: vec![cell_of(&[(PolicyName::Cloud, 5)])], ..Material::default() });
    assert!(!find(&many, "latency-few").caption.contains("points"));
    let few =
        Report::of(&Material { cells: vec![cell_of(&[(PolicyName::Cloud, 1)])], ..Material::default() });
    assert!(!find(&few, "latency-few").caption.contains("violin"), "there is none");
}

/// The density of a shape below 1 has no greatest value where it begins; the axis is for the bars.
#[test]
fn the_axis_of_limits_is_as_high_as_their_bars_need() {
    for (shape, cut_off) in [(0.4, true), (1.0, false), (3.0, false)] {
        // The distribution's own quantiles.
        let limit =
            |request: usize| 50.0 + 400.0 * (-(1.0 - (request as f64 + 0.5) / 1000.0).ln()).powf(1.0 / shape);
        let requests = (0..1000).map(|request| Request { limit_ms: limit(request), ..Request::default() });
        let runs = vec![PolicyRun { policy: PolicyName::Edge, requests: requests.collect() }];
        let cell = Cell { name: "shape".into(), runs, ..Cell::default() };
        let report = Report::of(&Material { cells: vec![cell], ..Material::default() });
        let plot = drawn(find(&report, "limits"));
        let top = plot["layout"]["yaxis"]["range"][1].as_f64().unwrap();
        let bins = &plot["data"][0]["xbins"];
        let [start, size] = ["start", "size"].map(|name| bins[name].as_f64().unwrap());
        let mut counts = std::collections::BTreeMap::<i64, u32>::new();
        for request in 0..1000 {
            *counts.entry(((limit(request) - start) / size) as i64).or_default() += 1;
        }
        let highest = f64::from(*counts.values().max().unwrap()) / 1000.0 / size;
        let curve = plot["data"][1]["y"].as_array().unwrap();
        let curve = curve.iter().map(|density| density.as_f64().unwrap()).fold(0.0, f64::max);
        assert!(top >= highest && top <= 1.3 * highest, "shape {shape}: {top} for bars of {highest}");
        assert_eq!(curve > top, cut_off, "shape {shape}: a curve of {curve} in {top}");
        assert_eq!(
            find(&report, "limits").caption.contains("goes beyond the plot"),
            cut_off,
            "shape {shape}"
        );
    }
}

/// All limits are the same: one bar, and no curve.
#[test]
fn equal_limits_are_one_bar() {
    let mut cell = cell_of(&[(PolicyName::Edge, 20)]);
    cell.runs[0].requests.iter_mut().for_each(|request| request.limit_ms = 80.0);
    let report = Report::of(&Material { cells: vec![cell], ..Material::default() });
    let plot = drawn(find(&report, "limits"));
    assert_eq!(plot["data"].as_array().unwrap().len(), 1);
    assert_eq!(plot["data"][0]["xbins"], serde_json::json!({"start": 79.5, "end": 80.5, "size": 1.0}));
}

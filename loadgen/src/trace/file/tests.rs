use schemas::LimitKind;

use super::*;
use crate::trace::recipe::{Mix, Recipe};

fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn what_is_written_is_read_to_the_last_bit() {
    let model = ModelName::new("net").unwrap();
    let mut trace = Recipe {
        arrivals: "mmpp:5,60".parse().unwrap(),
        tenants: Mix::new(vec![("a".parse().unwrap(), 1.0)]),
        ..Recipe::sequential(&model, "lognormal:200".parse().unwrap())
    }
    .trace()
    .unwrap();
    trace.requests[3].qos.least_cut = Some(Cut(4));
    trace.requests[4].qos.accuracy_floor = Some(Share::new(0.7).unwrap());
    trace.requests[5].qos.limit = LimitKind::Hard;
    trace.requests[6].qos.energy_weight = Some(Share::new(0.1 + 0.2).unwrap());
    let mut bytes = Vec::new();
    trace.write(&mut bytes, TraceFormat::Splinter, "a test").unwrap();
    let (_folder, path) = written(std::str::from_utf8(&bytes).unwrap());
    assert_eq!(Trace::read(&path).unwrap(), trace);
}

/// Whatever a request message may ask for, a trace may ask for; where it says nothing, what the wire means by nothing.
#[test]
fn every_wish_has_a_column_that_may_be_missing() {
    let (_folder, path) = written(
        "model,limit_ms,limit,accuracy_floor,least_cut,energy_weight\nm,5,hard,0.5,3,0.25\nm,5,soft,,,\nm,5,,,,\n",
    );
    let asked: Vec<Qos> = Trace::read(&path).unwrap().requests().iter().map(|request| request.qos).collect();
    let limit = Millis::new(5.0).unwrap();
    let every = Qos {
        latency_ms: limit,
        accuracy_floor: Share::new(0.5).ok(),
        least_cut: Some(Cut(3)),
        limit: LimitKind::Hard,
        energy_weight: Share::new(0.25).ok(),
    };
    assert_eq!(asked, [every, Qos::within(limit), Qos::within(limit)]);
}

/// Traces of those who ask for a limit only stay as they were.
#[test]
fn columns_that_say_nothing_are_not_written() {
    let mut trace =
        Recipe::sequential(&ModelName::new("m").unwrap(), "constant:80".parse().unwrap()).trace().unwrap();
    let header = |trace: &Trace| {
        let mut bytes = Vec::new();
        trace.write(&mut bytes, TraceFormat::Splinter, "a test").unwrap();
        String::from_utf8(bytes).unwrap().lines().nth(2).unwrap().to_owned()
    };
    assert_eq!(header(&trace), "query,model,limit_ms");
    trace.requests[7].qos.limit = LimitKind::Hard;
    assert_eq!(header(&trace), "query,model,limit_ms,limit");
}

#[test]
fn seconds_are_read_as_seconds() {
    let (_folder, path) = written("at_s,model,limit_s\n0.5,m,0.2\n1,m,3\n");
    let trace = Trace::read(&path).unwrap();
    let request = &trace.requests()[1];
    assert_eq!((request.at.unwrap().get(), request.qos.latency_ms.get()), (1000.0, 3000.0));
}

#[test]
fn a_bad_file_is_refused_by_file_line_and_column() {
    for (text, problem) in [
        ("", "has no header"),
        ("model,limit_ms\n", "has no request"),
        ("model\nm\n", "line 1: the column limit_ms or limit_s is missing"),
        ("limit_ms\n5\n", "line 1: the column model is missing"),
        ("model,limit_us\nm,5\n", "line 1, column \"limit_us\": there is no such column"),
        ("model,limit_ms,limit_s\nm,5,5\n", "column \"limit_ms, limit_s\": these say the same"),
        ("model,model,limit_ms\nm,m,5\n", "line 1, column \"model\": the column is there twice"),
        ("# a comment\nmodel,limit_ms\nm,5\nm,NaN\n", "line 4, column \"limit_ms\": NaN is not above 0"),
        ("model,limit_ms\nm,-5\n", "line 2, column \"limit_ms\": -5 is not above 0"),
        ("model,limit_ms\nm,0\n", "line 2, column \"limit_ms\": 0 is not above 0"),
        ("model,limit_ms\nm,inf\n", "line 2, column \"limit_ms\": inf is not above 0"),
        ("model,limit_ms\nm,1e300\n", "line 2, column \"limit_ms\": 1e300 is not above 0"),
        ("model,limit_ms\nm,fast\n", "line 2, column \"limit_ms\": \"fast\": use a number"),
        ("model,limit_ms\nm,\n", "line 2, column \"limit_ms\": the cell is empty"),
        ("model,limit_ms\na b,5\n", "line 2, column \"model\": "),
        ("model,limit_ms\nm,5,6\n", "line 2: the header has 2 columns, this line has 3"),
        ("at_ms,model,limit_ms\n5,m,5\n4,m,5\n", "line 3, column \"at_ms\": 4 ms comes before the 5 ms"),
        ("at_ms,model,limit_ms\n5,m,5\n,m,5\n", "line 3, column \"at_ms\": either all requests have a time"),
        ("query,model,limit_ms\n5,m,5\n4,m,5\n", "line 3, column \"query\": query 4 comes after query 5"),
        ("model,limit_ms,accuracy_floor\nm,5,1.5\n", "column \"accuracy_floor\": 1.5 is not between 0 and 1"),
        (
            "model,limit_ms,least_cut\nm,5,-1\n",
            "line 2, column \"least_cut\": \"-1\": use a whole number from 0",
        ),
        ("model,limit_ms,least_cut\nm,5,70000\n", "column \"least_cut\": \"70000\": the number is too great"),
        ("model,limit_ms,limit\nm,5,firm\n", "column \"limit\": \"firm\": use soft or hard"),
        ("model,limit_ms,energy_weight\nm,5,-0.5\n", "column \"energy_weight\": -0.5 is not between 0 and 1"),
        ("Index,Network\n0,m\n", "line 1: the column Latency is missing"),
        ("Index,Network,Latency\nx,m,5\n", "line 2, column \"Index\""),
        (
            "# splinter trace 2\nmodel,limit_ms\nm,5\n",
            "is a trace of version 2, this loadgen reads version 1",
        ),
    ] {
        let (_folder, path) = written(text);
        let error = Trace::read(&path).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("trace.csv"), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    std::fs::write(&path, b"model,limit_ms\n\xff\xfe,5\n").unwrap();
    let error = Trace::read(&path).unwrap_err().to_string();
    assert!(error.contains("line 2: it is not UTF-8 text"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    assert!(Trace::read(Path::new("nowhere.csv")).unwrap_err().to_string().contains("nowhere.csv"));
}

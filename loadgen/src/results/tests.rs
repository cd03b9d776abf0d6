use std::fs;
use std::path::Path;

use schemas::{
    Configuration, Cut, EnergySource, FaultKind, Joules, LinkState, Millis, ModelName, Place, PolicyName,
    Stage, TimeSource, UnixMillis,
};

use super::{
    Answer, Driven, Ending, LinkChange, Machine, Manifest, Origin, PlacedEnergy, RESULTS_VERSION, Record,
    Results, ResultsWriter, RunKey, TimedStage,
};

fn ms(value: f64) -> Millis {
    Millis::new(value).unwrap()
}

fn manifest() -> Manifest {
    Manifest {
        results_version: RESULTS_VERSION,
        software: "loadgen 0.1.0".into(),
        command: "loadgen replay trace.csv".into(),
        driven: Driven::Live,
        began_at: UnixMillis(1_700_000_000_000),
        ended_at: None,
        seed: 1,
        rounds: 1,
        settings: serde_json::json!({"in_flight": 10}),
        machine: Machine::this(),
        services: Vec::new(),
        policies: vec![PolicyName::Adaptive],
        models: Vec::new(),
        traces: Vec::new(),
        links: Vec::new(),
        fronts: Vec::new(),
        inputs: Vec::new(),
    }
}

fn record(run: u32, request: u64) -> Record {
    Record {
        key: RunKey {
            run,
            round: 0,
            block: run,
            policy: PolicyName::Adaptive,
            trace: "requests".into(),
            link: Some("slow".into()),
        },
        model: ModelName::new("net").unwrap(),
        request,
        query: request,
        tenant: Some("camera".parse().unwrap()),
        warm_up: false,
        scheduled_ms: ms(10.0),
        sent_ms: ms(10.5),
        at: UnixMillis(1_700_000_000_010),
        limit_ms: ms(100.0),
        latency_ms: ms(42.25),
        service_ms: ms(41.75),
        outcome: Ending::Within,
        answer: Some(Answer {
            id: None,
            gateway_ms: Some(ms(40.0)),
            configuration: Configuration::at(Cut(3)),
            edge_accelerator: None,
            cloud_accelerator: None,
            side: Some(crate::recording::Side::Split),
            fallback: None,
            reason: None,
            front: None,
            label: Some("a cat".into()),
            correct: Some(true),
            accuracy: None,
            sent_bytes: None,
            stages: vec![TimedStage {
                stage: Stage::Head,
                place: Place::Edge,
                time_ms: ms(30.0),
                origin: TimeSource::Emulated.into(),
            }],
            energy: vec![
                PlacedEnergy {
                    place: Place::Edge,
                    joules: Joules::new(0.5).unwrap(),
                    origin: EnergySource::Emulated.into(),
                },
                PlacedEnergy {
                    place: Place::Cloud,
                    joules: Joules::new(2.0).unwrap(),
                    origin: Origin::Modelled,
                },
            ],
        }),
    }
}

fn failed(run: u32, request: u64) -> Record {
    let outcome = Ending::Failed { fault: FaultKind::Overloaded, message: "no credits".into() };
    Record { outcome, answer: None, ..record(run, request) }
}

fn change(run: u32) -> LinkChange {
    let state = LinkState { bandwidth_mbit: schemas::Bandwidth::new(20.0).unwrap(), rtt_ms: ms(40.0) };
    LinkChange { run, at_ms: ms(0.0), link: "slow".into(), state, origin: Origin::Emulated }
}

fn read(folder: &Path) -> Vec<Record> {
    Results::open(folder).unwrap().records().unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_is_written_is_read_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("results");
    let inputs = [("requests.csv".to_owned(), b"limit_ms,model\n100,net\n".to_vec())];
    let mut writer = ResultsWriter::create(&folder, manifest(), &inputs, &[]).unwrap();
    let records = [record(0, 0), failed(0, 1)];
    for record in &records {
        writer.record(record).unwrap();
    }
    writer.link(&change(0)).unwrap();
    let done = writer.finish(Some(&serde_json::json!({"figures": 1}))).unwrap();
    assert!(done.ended_at.is_some());
    let results = Results::open(&folder).unwrap();
    assert_eq!((results.manifest(), results.links()), (&done, &[change(0)][..]));
    assert_eq!(read(&folder), records);
    assert_eq!(fs::read(folder.join("inputs/requests.csv")).unwrap(), inputs[0].1);
    assert!(folder.join("summary.json").exists());
    let answer = results.records().unwrap().next().unwrap().unwrap().answer.unwrap();
    assert_eq!(answer.joules(), Some(Joules::new(2.5).unwrap()));
    assert_eq!((answer.joules_at(Place::Edge), answer.joules_at(Place::Wire)), (Joules::new(0.5).ok(), None));
}

#[test]
fn a_record_of_version_1_is_read_for_ever() {
    let line = r#"{"run":4,"round":1,"block":2,"policy":"dynasplit","trace":"requests","model":"net","request":7,"query":7,
        "scheduled_ms":1.5,"sent_ms":1.5,"at":1700000000000,"limit_ms":80,"latency_ms":90,"service_ms":90,
        "outcome":{"kind":"late"},"answer":{"configuration":{"cut":5},"energy":[{"place":"edge","joules":1.25,"origin":"simulated"}]},
        "a_field_of_later":1}"#;
    let record: Record = serde_json::from_str(line).unwrap();
    assert_eq!((record.key.run, record.key.policy, record.request), (4, PolicyName::Dynasplit, 7));
    assert_eq!(
        (record.outcome.clone(), record.warm_up, record.key.link.clone()),
        (Ending::Late, false, None)
    );
    let answer = record.answer.unwrap();
    assert_eq!((answer.joules(), answer.side), (Joules::new(1.25).ok(), None));
}

#[test]
fn folders_that_cannot_be_used_are_refused_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    let written = |name: &str, manifest: &str, records: &str| {
        let folder = place.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("manifest.json"), manifest).unwrap();
        fs::write(folder.join("records.jsonl"), records).unwrap();
        folder
    };
    let whole = Manifest { ended_at: Some(UnixMillis(1)), ..manifest() };
    let good = serde_json::to_string(&whole).unwrap();
    let line = serde_json::to_string(&record(0, 0)).unwrap();
    fs::create_dir(place.path().join("empty")).unwrap();
    for (folder, problem) in [
        (place.path().join("empty"), "empty is no results folder: it has no manifest.json".to_owned()),
        (
            written("other", r#"{"results_version": 2, "everything": "else"}"#, ""),
            "other is a results folder of version 2, this loadgen reads version 1".to_owned(),
        ),
        (written("none", "{}", ""), "none is a results folder of version unknown".to_owned()),
        (
            written("torn", "{\n\"results_version\": 1,", ""),
            "manifest.json, line 2, column 21: EOF".to_owned(),
        ),
        (
            written("lacking", r#"{"results_version": 1}"#, ""),
            "manifest.json, line 1, column 22: missing field `software`".to_owned(),
        ),
        (
            written("row", &good, &format!("{line}\n{}\n", line.replace("42.25", "-1"))),
            "records.jsonl, line 2, column".to_owned(),
        ),
        (
            written("cut", &good, &format!("{line}\n{}", &line[..30])),
            "records.jsonl, line 2, column 30: EOF".to_owned(),
        ),
        (
            written("short", &good, &format!("{}\n{line}\n", &line[..30])),
            "records.jsonl, line 1, column 30: EOF".to_owned(),
        ),
    ] {
        let read = || Results::open(&folder)?.records()?.collect::<Result<Vec<_>, _>>();
        let error = read().unwrap_err().to_string();
        assert!(error.contains(&problem) && !error.contains('\n'), "{error}\n{problem}");
    }
}

#[test]
fn a_folder_that_was_cut_off_goes_on_where_it_ended() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("results");
    let mut writer = ResultsWriter::create(&folder, manifest(), &[], &[]).unwrap();
    for (run, request) in [(0, 0), (0, 1), (1, 2)] {
        writer.record(&record(run, request)).unwrap();
        writer.link(&change(run)).unwrap();
    }
    drop(writer);
    // As a crash in the middle of a line leaves it.
    let mut bytes = fs::read(folder.join("records.jsonl")).unwrap();
    bytes.extend(br#"{"run":1,"rou"#);
    fs::write(folder.join("records.jsonl"), &bytes).unwrap();
    assert_eq!(read(&folder).len(), 3, "a torn last line is not read");
    let (mut writer, records) = ResultsWriter::resume(&folder).unwrap();
    assert_eq!(records, [record(0, 0), record(0, 1), record(1, 2)]);
    writer.set_aside(|run| run == 1).unwrap();
    writer.record(&failed(1, 2)).unwrap();
    writer.link(&change(1)).unwrap();
    writer.finish(None::<&()>).unwrap();
    assert_eq!(read(&folder), [record(0, 0), record(0, 1), failed(1, 2)]);
    assert_eq!(Results::open(&folder).unwrap().links().len(), 3);
    let aside = fs::read_to_string(folder.join("interrupted.jsonl")).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&aside).unwrap(), record(1, 2));
    let again = ResultsWriter::resume(&folder).unwrap_err().to_string();
    assert!(again.contains("complete"), "{again}");
}

#[test]
fn nothing_is_written_over_and_nothing_half_made_is_left() {
    let place = tempfile::tempdir().unwrap();
    let error = ResultsWriter::create(place.path(), manifest(), &[], &[]).unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
    let inside = place.path().join("missing/results");
    ResultsWriter::create(&inside, manifest(), &[], &[]).unwrap_err();
    // A name that cannot be written, half-way.
    let folder = place.path().join("results");
    let inputs = [("no/such/place".to_owned(), Vec::new())];
    ResultsWriter::create(&folder, manifest(), &inputs, &[]).unwrap_err();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("results");
    let mut writer = ResultsWriter::create(&folder, manifest(), &[], &[]).unwrap();
    writer.records = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = writer.record(&record(0, 0)).unwrap_err();
    assert!(error.to_string().contains("records.jsonl"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("No space left"), "{source}");
}

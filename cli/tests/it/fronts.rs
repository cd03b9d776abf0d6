//! Fronts that are brought, looked at, compared and taken along; nothing is measured for it.

use schemas::{
    Configuration, Cut, Digest, EnergyEntry, EnergySource, Front, FrontId, HardwareChanges, Joules,
    LatencySummary, Measurement, Millis, ModelName, NodeId, Place, UnixMillis,
};

use crate::system::{Up, fail, free_port, splinter, succeed};

fn measurement(cut: u16, ms: f64, joules: f64) -> Measurement {
    let latency = Millis::new(ms).unwrap();
    Measurement {
        configuration: Configuration::at(Cut(cut)),
        cut_name: format!("node{cut}"),
        latency: LatencySummary {
            mean_ms: latency,
            p50_ms: latency,
            p95_ms: latency,
            deviation_ms: Millis::ZERO,
        },
        stages: Vec::new(),
        energy: vec![EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Modelled,
            joules: Joules::new(joules).unwrap(),
        }],
        accuracy: None,
        sent_bytes: Default::default(),
        samples: 3,
        uncertainty: None,
        provenance: None,
    }
}

fn front(points: Vec<Measurement>) -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 0,
        model: ModelName::new("tiny").unwrap(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(4),
        edge: NodeId::new("pi").unwrap(),
        emulates: None,
        cloud: NodeId::new("rack").unwrap(),
        points,
        tied: Vec::new(),
        suspects: Vec::new(),
        all_cloud: measurement(0, 20.0, 5.0),
        all_edge: measurement(4, 80.0, 1.0),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 5,
        started_at: UnixMillis(1),
        ended_at: UnixMillis(2),
        software: "test".into(),
        content: None,
    }
}

#[test]
fn fronts_are_brought_looked_at_compared_and_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (port, data) = (free_port().to_string(), path("data"));
    let _up = Up::start(&["--only", "scheduler", "--broker-port", &port, "--data-dir", &data], &[]);
    let broker = format!("nats://127.0.0.1:{port}");
    let run =
        |arguments: &[&str]| succeed(splinter().arg("front").args(arguments).args(["--broker", &broker]));
    let (code, error) = fail(splinter().args(["front", "show", "--model", "tiny", "--broker", &broker]));
    assert!(code == 1 && error.contains("splinter optimize --model tiny"), "{code} {error}");

    let revisions = [
        front(vec![measurement(0, 20.0, 5.0), measurement(4, 80.0, 1.0)]),
        front(vec![measurement(0, 22.0, 5.0), measurement(2, 40.0, 2.0)]),
    ];
    for (name, revision) in ["first.json", "second.json"].iter().zip(&revisions) {
        std::fs::write(path(name), serde_json::to_string(revision).unwrap()).unwrap();
        run(&["import", &path(name)]);
    }
    let shown = run(&["show", "--model", "tiny"]);
    assert!(shown.contains("revision 2") && shown.contains("node2") && !shown.contains("node4"), "{shown}");
    assert!(shown.contains("content SHA-256 "), "{shown}");
    let earlier = run(&["show", "--model", "tiny", "--revision", "1"]);
    assert!(earlier.contains("revision 1") && earlier.contains("node4"), "{earlier}");
    let history = run(&["show", "--model", "tiny", "--history", "--json"]);
    assert_eq!(serde_json::from_str::<Vec<Front>>(&history).unwrap().len(), 2);

    let difference = run(&["diff", "--model", "tiny"]);
    for says in ["From revision 1 to 2", "1 points came, 1 went, 1 stayed", "20.0 to 22.0 (+10 %)"] {
        assert!(difference.contains(says), "{says:?} is not in\n{difference}");
    }
    let drawn = run(&["plot", "--model", "tiny"]);
    assert!(drawn.contains("C all in the cloud") && drawn.contains(" s\n"), "{drawn}");
    run(&["plot", "--model", "tiny", "--html", &path("front.html")]);
    assert!(std::fs::read_to_string(path("front.html")).unwrap().contains("Front of tiny on pi and rack"));

    run(&["export", "--model", "tiny", "--to", &path("out.json")]);
    let exported: Front = serde_json::from_str(&std::fs::read_to_string(path("out.json")).unwrap()).unwrap();
    assert_eq!((exported.revision, &exported.points), (2, &revisions[1].points));
    // Taken along and brought back it says the same; changed on the way it is refused.
    let text = std::fs::read_to_string(path("out.json")).unwrap();
    let again: Front = serde_json::from_str(&run(&["import", "--json", &path("out.json")])).unwrap();
    assert!(again.content.is_some() && again.content == exported.content && again.revision == 3);
    std::fs::write(path("changed.json"), text.replace("\"measured\": 5", "\"measured\": 6")).unwrap();
    let changed = path("changed.json");
    let (code, error) = fail(splinter().args(["front", "import", &changed, "--broker", &broker]));
    assert!(code == 1 && error.contains("is not what its digest says"), "{code} {error}");
    let refused = ["front", "export", "--model", "tiny", "--to", &path("out.json"), "--broker", &broker];
    let (code, error) = fail(splinter().args(refused));
    assert!(code == 1 && error.contains("--force"), "{code} {error}");
    let rows = run(&["export", "--model", "tiny", "--format", "csv"]);
    assert!(rows.starts_with("layer,codec,") && rows.contains("latency,energy"), "{rows}");
    // What was written is a pool for those who compare strategies.
    std::fs::write(path("pool.csv"), rows).unwrap();
    succeed(splinter().args(["optimize", "--seeds", "1", "--json", "--pool", &path("pool.csv")]));
}

#[test]
fn files_that_are_no_fronts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (port, data) = (free_port().to_string(), path("data"));
    let _up = Up::start(&["--only", "scheduler", "--broker-port", &port, "--data-dir", &data], &[]);
    let broker = format!("nats://127.0.0.1:{port}");
    std::fs::write(path("no.json"), "{}").unwrap();
    std::fs::write(path("pool.csv"), "layer,latency\n0,1.0\n1,2.0\n").unwrap();
    let pool = path("pool.csv");
    let of_what = [pool.as_str(), "--model", "tiny", "--edge", "pi", "--cloud", "rack"];
    let cases: [(&[&str], &str); 4] = [
        (&[&path("no.json")], "is no front"),
        (&[&path("none.json")], "cannot read"),
        (&[&pool], "name --model, --edge and --cloud"),
        (&of_what, "must be served"),
    ];
    for (arguments, says) in cases {
        let (code, error) =
            fail(splinter().args(["front", "import"]).args(arguments).args(["--broker", &broker]));
        assert!(code == 1 && error.contains(says), "{code} {error}");
    }
}

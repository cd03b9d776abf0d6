//! A campaign on the whole system, with an emulated device and link.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use broker::{BrokerSettings, Bus};
use demo_network::pictures;
use loadgen::campaign::{Campaign, Destination, live};
use loadgen::results::{Driven, Origin, Results};
use schemas::{Place, PolicyName, Share};
use tokio::sync::watch;

use crate::system::{Up, free_port, splinter, succeed};

const PICTURES: u64 = 20;

const CAMPAIGN: &str = r#"
seed = 1
rounds = 2
block_requests = 10
policies = ["cloud", "edge"]
[[models]]
name = "shapes10"
images = "pictures"
[[traces]]
name = "in-turn"
requests = 20
limits = "constant:10000"
[[links]]
name = "slow"
process = "constant:8/40"
"#;

pub fn draw_pictures(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let mut labels = "file,class_index\n".to_owned();
    for index in 0..PICTURES {
        let drawn = pictures::draw(1, index);
        fs::write(folder.join(format!("{index:03}.png")), drawn.to_png()).unwrap();
        labels.push_str(&format!("{index:03}.png,{}\n", drawn.class));
    }
    fs::write(folder.join("labels.csv"), labels).unwrap();
}

#[test]
fn a_campaign_compares_policies_over_a_link_that_it_sets() {
    let (port, place) = (free_port().to_string(), tempfile::tempdir().unwrap());
    let broker = format!("nats://127.0.0.1:{port}");
    let settings = place.path().join("splinter.toml");
    fs::write(&settings, "[edge_executor.link]\nbandwidth_mbit = 590.0\nrtt_ms = 2.3\n").unwrap();
    let data = place.path().join("data");
    let _up = Up::start(
        &[
            "--config",
            &settings.to_string_lossy(),
            "--emulate",
            "raspberry-pi-4",
            "--broker-port",
            &port,
            "--data-dir",
            &data.to_string_lossy(),
            "--http",
            "127.0.0.1:0",
        ],
        &[],
    );
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/bundle");
    succeed(splinter().args(["model", "add", "--broker", &broker, bundle]));
    let images = place.path().join("pictures");
    draw_pictures(&images);
    let images = images.to_string_lossy().into_owned();
    let measure =
        ["optimize", "--broker", &broker, "--model", "shapes10", "--images", &images, "--samples", "1"];
    succeed(splinter().args(measure));

    let file = place.path().join("campaign.toml");
    fs::write(&file, CAMPAIGN).unwrap();
    let campaign = Campaign::read(&file, Driven::Live).unwrap();
    let folder = place.path().join("results");
    let to = Destination { folder: folder.clone(), command: "a test".into(), resume: false };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_tell, stop) = watch::channel(false);
    let (_, summary) = runtime.block_on(async {
        let settings = BrokerSettings { url: broker.clone(), ..BrokerSettings::default() };
        let bus = Bus::connect(&settings, "evaluate-test").await.unwrap();
        live::evaluate(bus, campaign, &to, &stop, Arc::new(|_, _| {})).await.unwrap()
    });

    let [cloud, edge] = summary.cells[0].policies.as_slice() else { panic!("{summary:?}") };
    assert_eq!((cloud.policy, edge.policy), (PolicyName::Cloud, PolicyName::Edge));
    assert_eq!((cloud.requests, cloud.answered, edge.answered), (40, 40, 40));
    assert_eq!((cloud.sides_percent, edge.sides_percent), (Some([100.0, 0.0, 0.0]), Some([0.0, 0.0, 100.0])));
    let results = Results::open(&folder).unwrap();
    assert!(!results.manifest().fronts.is_empty() && results.manifest().services.len() >= 6);
    for record in results.records().unwrap() {
        let record = record.unwrap();
        let answer = record.answer.as_ref().unwrap();
        assert!(answer.energy.iter().all(|entry| entry.origin == Origin::Emulated), "{answer:?}");
        assert!(answer.front.is_some_and(|front| front.revision.is_some()), "{answer:?}");
        assert!(answer.accuracy.is_some_and(|accuracy| accuracy > Share::ZERO), "{answer:?}");
        // The link's round trip is 40 ms, not the 2.3 of the settings.
        let wire = answer.stages.iter().filter(|stage| stage.place == Place::Wire);
        let wire: f64 = wire.map(|stage| stage.time_ms.get()).sum();
        assert!(record.key.policy == PolicyName::Edge || wire >= 40.0, "{answer:?}");
    }
}

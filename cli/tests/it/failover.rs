//! `SIGKILL` of the cloud executor in the middle of requests.

use std::time::Duration;

use demo_network::pictures;
use schemas::{Codec, Cut, Fallback};

use crate::client::Client;
use crate::system::{Up, free_port, splinter, succeed, wait_for};

const REQUESTS: usize = 200;

/// Every request has this long; a request whose tail is lost waits a second before it is finished at home.
const DEADLINE: Duration = Duration::from_secs(5);

/// One execution at a cut in the middle; whether the cloud ran its tail, or why there is no answer in time.
fn is_split(client: &Client, index: usize) -> Result<bool, String> {
    let picture = pictures::draw(1, index as u64).to_png();
    let reply = client.execute((Cut(4), Codec::default()), &picture, DEADLINE)?;
    match (&reply.cloud, reply.fallback) {
        (Some(_), None) => Ok(true),
        (None, Some(Fallback::FinishedAtHome)) => Ok(false),
        other => Err(format!("neither split nor finished at home: {other:?}")),
    }
}

#[test]
fn a_killed_cloud_executor_costs_no_request_and_splits_resume_when_it_is_back() {
    let (port, data) = (free_port().to_string(), tempfile::tempdir().unwrap());
    let data_dir = data.path().to_string_lossy().into_owned();
    let broker = format!("nats://127.0.0.1:{port}");
    let edge = Up::start(
        &[
            "--without",
            "cloud-executor",
            "--broker-port",
            &port,
            "--data-dir",
            &data_dir,
            "--http",
            "127.0.0.1:0",
        ],
        &[],
    );
    let cloud_arguments = ["--only", "cloud-executor", "--broker", &broker];
    let cloud = Up::start(&cloud_arguments, &[]);
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/bundle");
    succeed(splinter().args(["model", "add", "--broker", &broker, bundle]));

    let client = Client::connect(&broker, "failover-test");
    let splits = |what| {
        wait_for(what, || is_split(&client, 0).and_then(|split| split.then_some(()).ok_or("at home".into())))
    };
    splits("the first split");

    let mut cloud = Some(cloud);
    let mut outcomes = Vec::new();
    for index in 0..REQUESTS {
        if index == REQUESTS / 2 {
            cloud.take().unwrap().kill();
        }
        outcomes.push(is_split(&client, index));
    }
    let failed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(
        failed.is_empty(),
        "{} of {REQUESTS} have no answer within their deadline: {failed:?}",
        failed.len()
    );
    let split =
        |range: std::ops::Range<usize>| outcomes[range].iter().filter(|one| **one == Ok(true)).count();
    assert!(
        split(0..REQUESTS / 2) >= REQUESTS / 2 - 2,
        "most of the first half are split: {}",
        split(0..REQUESTS / 2)
    );
    assert_eq!(split(REQUESTS / 2 + 1..REQUESTS), 0, "nobody runs tails after the kill");

    let _back = Up::start(&cloud_arguments, &[]);
    splits("splits after the restart");
    assert!(edge.terminate().success());
}

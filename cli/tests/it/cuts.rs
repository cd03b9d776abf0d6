//! The label does not depend on where the network is cut.

use std::fs;
use std::time::{Duration, Instant};

use broker::{BrokerSettings, Bus, CallError, subjects};
use schemas::{
    FaultKind, Front, FrontId, InferReply, InferRequest, Input, LabelledPicture, Millis, ModelName,
    OptimizeReply, OptimizeRequest, PolicyName, Qos, SearchWishes,
};

use crate::imagenet::{self, Picture, RIGHT};
use crate::system::{Up, free_port, shared, splinter, succeed};

/// Longest that a call may take; measuring every cut in a debug build takes the longest.
const PATIENCE: Duration = Duration::from_secs(300);

async fn infer(bus: &Bus, model: &ModelName, picture: &Picture) -> InferReply {
    let bytes = fs::read(&picture.path).unwrap();
    let qos = Qos::within(Millis::new(10_000.0).unwrap());
    let request = InferRequest {
        input: Input::Encoded { bytes: bytes.into() },
        qos: Some(qos),
        policy: Some(PolicyName::Dynasplit),
    };
    let answer = bus.ask(subjects::infer(model), PATIENCE, &request).await.unwrap();
    schemas::decode(&answer.body).unwrap()
}

/// Measures every cut, each with one picture.
async fn measure(bus: &Bus, model: &ModelName, picture: &Picture) -> OptimizeReply {
    let bytes = fs::read(&picture.path).unwrap();
    let pictures = vec![LabelledPicture { bytes: bytes.into(), class: None }];
    let request = OptimizeRequest {
        model: model.clone(),
        pictures,
        samples: 1,
        most_samples: None,
        search: every_cut(),
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        match bus.ask(subjects::optimize(model), PATIENCE, &request).await {
            Ok(answer) => return schemas::decode(&answer.body).unwrap(),
            // The executors load the network after it was added, and say so with their next heartbeat.
            Err(CallError::Fault(fault))
                if fault.kind == FaultKind::Unavailable && Instant::now() < deadline => {}
            Err(error) => panic!("not measured: {error}"),
        }
    }
}

/// Every cut once, also those that need not be tried.
fn every_cut() -> SearchWishes {
    let space = Some("[knobs]\ncut = { from = 0, to = 9999 }\n".to_owned());
    SearchWishes { strategy: Some("line".to_owned()), space, ..SearchWishes::default() }
}

/// Publishes a front with one cut alone and waits until plans choose it.
async fn only_cut(bus: &Bus, measured: &OptimizeReply, cut: u16, picture: &Picture) {
    let points = measured.measurements.iter().filter(|one| one.configuration.cut.0 == cut).cloned();
    let points = points.collect();
    let front = broker::sealed(Front { id: FrontId::fresh(), points, ..measured.front.clone() });
    assert_eq!(front.points.len(), 1, "cut {cut} was measured");
    bus.publish_front(&front).await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while infer(bus, &front.model, picture).await.front != Some(front.id) {
        assert!(Instant::now() < deadline, "the scheduler never used the front of cut {cut}");
    }
}

#[test]
fn the_labels_are_right_at_cuts_in_the_middle() {
    let Some(shared) = shared() else { return };
    let pictures = imagenet::pictures(&shared);
    let (port, data) = (free_port().to_string(), tempfile::tempdir().unwrap());
    let broker = format!("nats://127.0.0.1:{port}");
    let data_dir = data.path().to_string_lossy().into_owned();
    let up = Up::start(&["--broker-port", &port, "--data-dir", &data_dir, "--http", "127.0.0.1:0"], &[]);
    let bundle = imagenet::mobilenet_bundle(&shared);
    succeed(splinter().args(["model", "add", "--broker", &broker]).arg(bundle.path()));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let right = runtime.block_on(async {
        let settings = BrokerSettings { url: broker.clone(), ..BrokerSettings::default() };
        let bus = Bus::connect(&settings, "cuts-test").await.unwrap();
        let model = ModelName::new("mobilenetv2").unwrap();
        let measured = measure(&bus, &model, &pictures[0]).await;
        let last = measured.front.last_cut.0;
        let mut right = 0;
        // A quarter of the pictures at each of four cuts, among them one inside a residual block.
        for (part, cut) in [last / 6, last / 3, last / 2, last * 3 / 4].into_iter().enumerate() {
            only_cut(&bus, &measured, cut, &pictures[0]).await;
            for picture in pictures.iter().skip(part).step_by(4) {
                let reply = infer(&bus, &model, picture).await;
                assert_eq!((reply.configuration.cut.0, reply.fallback), (cut, None), "{}", picture.file);
                right += usize::from(reply.top[0].index.to_string() == picture.class);
            }
        }
        right
    });
    assert!(RIGHT.contains(&right), "{right} of 100 right");
    assert!(up.terminate().success());
}

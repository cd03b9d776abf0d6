//! What the pipeline costs besides computing: request time minus the time of every computing stage, one machine,
//! a cut in the middle, all six services in one `splinter up` process and the client in another.
//!
//! Yardstick, in the same run: the same messages, hop by hop, over a plain TCP relay. DESIGN §10 asks for an
//! overhead of at most 2 ms (median) and at most three times the relay.
//!
//! `cargo bench -p splinter --bench pipeline`. It takes MobileNetV2 from `$SPLINTER_SHARED` (or `../shared` beside
//! the repository) and otherwise the network that ships with the project.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod relay;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use broker::{BrokerSettings, Bus, subjects};
use models::Bundle;
use relay::Exchange;
use schemas::{
    InferReply, InferRequest, Input, LabelledPicture, Millis, ModelName, OptimizeReply, OptimizeRequest,
    PolicyName, Qos, SearchWishes, ServiceKind, Stage, UnixMillis,
};

const WARM_UP: usize = 20;
const ROUNDS: usize = 200;

/// Longest that one call may take, the measuring of every cut included.
const MEASURING: Duration = Duration::from_secs(600);

/// Bytes of the messages without a picture or frontier, as they are in this run to within a few hundred.
const PLAN: Exchange = Exchange { request: 200, reply: 400 };
const REPLY: usize = 2_000;

/// What was measured, a value a request.
struct Times {
    /// Request time minus computing.
    overheads: Vec<Duration>,
    /// Every computing stage together.
    computing: Vec<Duration>,
    /// Every stage by itself, as the reply says.
    stages: BTreeMap<String, Vec<Duration>>,
    relayed: Vec<Duration>,
}

struct System(Child);

impl Drop for System {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() {
    // `cargo test --benches` runs benches too, with `--test`: nothing to measure then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(measure());
}

async fn measure() {
    let (bundle, picture) = network_and_picture();
    let folder = tempfile::tempdir().unwrap();
    let (system, url) = start(folder.path());
    let bus =
        Bus::connect(&BrokerSettings { url, ..BrokerSettings::default() }, "pipeline-bench").await.unwrap();
    let name = bundle.name().clone();
    serve(&bus, &bundle).await;
    let cut_bytes = publish_middle_cut(&bus, &name, &picture).await;
    let mut overheads = Vec::new();
    let mut computing = Vec::new();
    let mut stages: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for round in 0..WARM_UP + ROUNDS {
        let start = Instant::now();
        let reply = infer(&bus, &name, &picture).await;
        let (total, computed) = (start.elapsed(), computing_time(&reply));
        assert!(reply.fallback.is_none(), "the cloud did not run the tail");
        if round >= WARM_UP {
            overheads.push(total.saturating_sub(computed));
            computing.push(computed);
            for stage in &reply.stages {
                let name = format!("{:?} ({:?})", stage.stage, stage.place);
                stages.entry(name).or_default().push(stage.time_ms.to_duration());
            }
        }
    }
    let exchanges = [
        Exchange { request: picture.len(), reply: REPLY },
        PLAN,
        Exchange { request: picture.len(), reply: REPLY + 4_000 },
        Exchange { request: cut_bytes, reply: REPLY + 4_000 },
    ];
    let relayed = relay::time_exchanges(&exchanges, WARM_UP + ROUNDS).unwrap().split_off(WARM_UP);
    report(&name, picture.len(), cut_bytes, Times { overheads, computing, stages, relayed });
    drop(system);
}

fn network_and_picture() -> (Bundle, Vec<u8>) {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from);
    let onnx = shared.join("models/mobilenetv2_1.0_224.onnx");
    if onnx.is_file() {
        // Times need no labels.
        let manifest =
            include_str!("../../tests/it/mobilenetv2.toml").replace("labels = \"labels.txt\"\n", "");
        let bundle = Bundle::from_files(&manifest, std::fs::read(onnx).unwrap(), None).unwrap();
        let picture = std::fs::read(shared.join("images/imagenet_100/0000_n01440764.jpg")).unwrap();
        return (bundle, picture);
    }
    eprintln!("{} is missing: measuring the network that ships with the project", onnx.display());
    let shipped = demo_network::bundle();
    let bundle = Bundle::from_files(shipped.model_toml, shipped.onnx.to_vec(), Some(shipped.labels)).unwrap();
    (bundle, demo_network::pictures::draw(1, 0).to_png())
}

fn start(folder: &Path) -> (System, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut child = Command::new(env!("CARGO_BIN_EXE_splinter"))
        .args(["up", "--http", "127.0.0.1:0", "--broker-port", &port.to_string(), "--data-dir"])
        .arg(folder)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line == "ready"), "`splinter up` did not become ready");
    std::thread::spawn(move || lines.for_each(drop));
    (System(child), format!("nats://127.0.0.1:{port}"))
}

async fn serve(bus: &Bus, bundle: &Bundle) {
    let store = bus.model_store().await.unwrap();
    for (file, bytes) in bundle.files().unwrap() {
        store.put(bundle.name(), &file, bytes).await.unwrap();
    }
    let presences = bus.watch_presences().await.unwrap();
    let both = |all: &[schemas::Presence]| {
        [ServiceKind::EdgeExecutor, ServiceKind::CloudExecutor].iter().all(|kind| {
            let serves =
                |one: &&schemas::Presence| one.models.iter().any(|model| model.name == *bundle.name());
            all.iter().filter(|one| one.service == *kind).any(|one| serves(&one))
        })
    };
    presences.wait_until(UnixMillis::now().after(Duration::from_secs(120)), both).await.unwrap();
}

/// Every cut once, also those that need not be tried.
fn every_cut() -> SearchWishes {
    let space = Some("[knobs]\ncut = { from = 0, to = 9999 }\n".to_owned());
    SearchWishes { strategy: Some("line".to_owned()), space, ..SearchWishes::default() }
}

/// Measures every cut once and publishes a front of only the one in the middle, so that every plan chooses it.
/// Gives the bytes that cross there.
async fn publish_middle_cut(bus: &Bus, model: &ModelName, picture: &[u8]) -> usize {
    let pictures = vec![LabelledPicture { bytes: picture.into(), class: None }];
    let request = OptimizeRequest {
        model: model.clone(),
        pictures,
        samples: 1,
        most_samples: None,
        search: every_cut(),
    };
    let answer = bus.ask(subjects::optimize(model), MEASURING, &request).await.unwrap();
    let OptimizeReply { mut front, measurements, .. } = schemas::decode(&answer.body).unwrap();
    let middle = front.last_cut.0 / 2;
    front.points = measurements.into_iter().filter(|one| one.configuration.cut.0 == middle).collect();
    front.id = schemas::FrontId::fresh();
    let bytes = front.points[0].sent_bytes.0;
    bus.publish_front(&broker::sealed(front)).await.unwrap();
    // The scheduler hears of the front on its own; its first plans may still be of the old one.
    let deadline = Instant::now() + Duration::from_secs(10);
    while infer(bus, model, picture).await.configuration.cut.0 != middle {
        assert!(Instant::now() < deadline, "the scheduler never chose cut {middle}");
    }
    usize::try_from(bytes).unwrap()
}

async fn infer(bus: &Bus, model: &ModelName, picture: &[u8]) -> InferReply {
    let limit = Millis::new(10_000.0).unwrap();
    let request = InferRequest {
        input: Input::Encoded { bytes: picture.into() },
        qos: Some(Qos::within(limit)),
        policy: Some(PolicyName::Dynasplit),
    };
    let answer = bus.ask(subjects::infer(model), MEASURING, &request).await.unwrap();
    schemas::decode(&answer.body).unwrap()
}

fn computing_time(reply: &InferReply) -> Duration {
    let computes = |stage: Stage| {
        matches!(stage, Stage::Preprocess | Stage::Head | Stage::Encode | Stage::Decode | Stage::Tail)
    };
    let stages = reply.stages.iter().filter(|stage| computes(stage.stage));
    stages.map(|stage| stage.time_ms).sum::<Millis>().to_duration()
}

fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    let rank = (share * times.len() as f64).ceil() as usize;
    times[rank.max(1) - 1].as_secs_f64() * 1e3
}

fn report(model: &ModelName, picture: usize, frontier: usize, mut times: Times) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{model}, picture {picture} B, frontier {frontier} B, {ROUNDS} requests, {cores} cores");
    println!("cargo bench -p splinter --bench pipeline, splinter {}", env!("CARGO_PKG_VERSION"));
    println!("                       p50 ms   p95 ms");
    let row = |name: &str, times: &mut [Duration]| {
        let (median, high) = (quantile(times, 0.5), quantile(times, 0.95));
        println!("{name:20} {median:8.3} {high:8.3}");
        median
    };
    for (stage, times) in &mut times.stages {
        row(&format!("  {stage}"), times);
    }
    row("computing", &mut times.computing);
    let overhead = row("overhead", &mut times.overheads);
    let relay = row("plain TCP relay", &mut times.relayed);
    println!("overhead / relay  {:7.2}  (reach: at most 2 ms and at most 3)", overhead / relay);
}

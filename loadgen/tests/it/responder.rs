//! The far side of a load generator: answers as a gateway does, and says that a network is served.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response as HttpResponse};
use broker::{Announcement, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, subjects};
use schemas::{
    Classification, Configuration, Cut, DataType, Digest, EnergyEntry, EnergySource, Fault, FaultKind,
    InferReply, InferRequest, Input, InstanceId, Joules, LinkReply, LinkRequest, Millis, ModelName, NodeId,
    Place, PolicyName, RequestId, ServedModel, ServiceKind, Share, Stage, StageTime, TensorSignature,
    TimeSource,
};
use testkit::TestServer;
use tokio::sync::Semaphore;

/// What was asked, in order: policy, limit and bytes.
pub type Seen = Arc<Mutex<Vec<(PolicyName, f64, Vec<u8>)>>>;

/// What the responder does.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The time each answer takes.
    pub takes: Duration,
    /// Each so manieth request fails.
    pub fails_each: usize,
    /// Requests that are answered; the others wait until there are more.
    pub let_through: Arc<Semaphore>,
}

impl Default for Behaviour {
    fn default() -> Self {
        let let_through = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { takes: Duration::ZERO, fails_each: usize::MAX, let_through }
    }
}

pub struct Responder {
    pub server: TestServer,
    pub seen: Seen,
    pub links: Arc<Mutex<Vec<LinkRequest>>>,
    _serving: Vec<Serving>,
    _announced: Announcement,
}

pub fn net() -> ModelName {
    ModelName::new("net").unwrap()
}

impl Responder {
    pub async fn start(behaviour: Behaviour) -> Self {
        let server = TestServer::start().await.unwrap();
        let bus = server.connect("responder").await.unwrap();
        let (seen, links) = (Seen::default(), Arc::new(Mutex::new(Vec::new())));
        let (asked, count) = (seen.clone(), Arc::new(AtomicUsize::new(0)));
        let infer = move |request: Request| {
            answer(behaviour.clone(), asked.clone(), count.fetch_add(1, Ordering::Relaxed), request)
        };
        let endpoint = Endpoint::new(4_096).shared(subjects::infer(&net()));
        let inferring = bus.serve(endpoint, infer).await.unwrap();
        let set = links.clone();
        let link = move |request: Request| {
            let asked: LinkRequest = schemas::decode(&request.body).unwrap();
            set.lock().unwrap().push(asked);
            let link = asked.link.unwrap_or(schemas::LinkState {
                bandwidth_mbit: schemas::Bandwidth::new(590.0).unwrap(),
                rtt_ms: Millis::new(2.3).unwrap(),
            });
            let held_ms = asked.link.map(|_| asked.hold_ms);
            async move { Response::messagepack(&LinkReply { link, held_ms }) }
        };
        let node = NodeId::new("edge-1").unwrap();
        let linking = bus.serve(Endpoint::new(4).shared(subjects::link(&node)), link).await.unwrap();
        let identity =
            Identity { service: ServiceKind::EdgeExecutor, instance: InstanceId::new("one").unwrap(), node };
        let update = || PresenceUpdate { credits: 9, capacity: 9, models: vec![served()], hardware: None };
        let announced = bus.announce(identity, "0.1.0", update).await.unwrap();
        Self { server, seen, links, _serving: vec![inferring, linking], _announced: announced }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }
}

fn served() -> ServedModel {
    let signature = TensorSignature { name: "x".into(), data_type: DataType::F32, shape: vec![1, 10] };
    ServedModel {
        name: net(),
        digest: Digest::from_bytes([7; 32]),
        last_cut: Cut(5),
        input: signature.clone(),
        output: signature,
        accelerators: Vec::new(),
    }
}

async fn answer(
    behaviour: Behaviour,
    seen: Seen,
    position: usize,
    request: Request,
) -> Result<Response, Fault> {
    let asked: InferRequest<'_> = schemas::decode(&request.body).unwrap();
    let Input::Encoded { bytes } = &asked.input else { panic!("a picture is sent as it is") };
    let (policy, limit) = (asked.policy.unwrap(), asked.qos.unwrap().latency_ms);
    seen.lock().unwrap().push((policy, limit.get(), bytes.to_vec()));
    behaviour.let_through.acquire().await.unwrap().forget();
    tokio::time::sleep(behaviour.takes).await;
    if (position + 1).is_multiple_of(behaviour.fails_each) {
        return Err(Fault::new(FaultKind::Infeasible, "it is the turn of this one"));
    }
    Response::messagepack(&reply(request.id, policy, limit))
}

/// The answer to every request: class 7, half an emulated joule, at cut 3 of 5.
pub fn reply(id: RequestId, policy: PolicyName, limit_ms: Millis) -> InferReply {
    let stage = |stage, place, ms| StageTime {
        stage,
        place,
        time_ms: Millis::new(ms).unwrap(),
        source: TimeSource::Emulated,
    };
    InferReply {
        id,
        model: net(),
        top: vec![Classification { index: 7, label: "seven".into(), probability: Share::new(0.9).unwrap() }],
        latency_ms: Millis::new(1.0).unwrap(),
        within_limit: true,
        limit_ms,
        configuration: Configuration::at(Cut(3)),
        fallback: None,
        policy,
        reason: None,
        front: None,
        stages: vec![stage(Stage::Head, Place::Edge, 0.5), stage(Stage::Tail, Place::Cloud, 0.25)],
        energy: vec![EnergyEntry {
            place: Place::Edge,
            source: EnergySource::Emulated,
            joules: Joules::new(0.5).unwrap(),
        }],
    }
}

/// A gateway's way in over HTTP; gives its address.
pub async fn http(seen: Seen) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let route = axum::routing::post(http_infer);
    let router = axum::Router::new().route("/v1/infer/{model}", route).with_state(seen);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[derive(serde::Deserialize)]
struct Terms {
    latency_ms: f64,
    policy: String,
}

async fn http_infer(
    State(seen): State<Seen>,
    Path(model): Path<String>,
    Query(terms): Query<Terms>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> HttpResponse {
    let policy: PolicyName = terms.policy.parse().unwrap();
    let position = {
        let mut seen = seen.lock().unwrap();
        seen.push((policy, terms.latency_ms, body.to_vec()));
        seen.len()
    };
    let kind = if body.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
    assert_eq!((headers["content-type"].to_str().unwrap(), model.as_str()), (kind, "net"));
    if position == 3 {
        let refusal = serde_json::json!({"error": "full", "kind": "overloaded", "retry_after_ms": 50.0});
        return (StatusCode::TOO_MANY_REQUESTS, axum::Json(refusal)).into_response();
    }
    axum::Json(reply(RequestId::fresh(), policy, Millis::new(terms.latency_ms).unwrap())).into_response()
}

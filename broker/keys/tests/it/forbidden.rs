//! Each forbidden thing is tried by each who must not, and refused by a real broker.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerError};
use broker::subjects::{self, Store};
use futures::StreamExt;
use keys::{Member, Place};
use schemas::{InstanceId, ModelName, NodeId, ServiceKind};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::deployment::{Deployment, GATEWAY, OPTIMIZER, PATIENCE};

/// Somebody with a member's key and a client of their own choice, who tries anything.
struct Intruder {
    member: Member,
    client: Client,
    refusals: mpsc::UnboundedReceiver<String>,
}

impl Intruder {
    async fn connect(deployment: &Deployment, place: Place, member: Member) -> Result<Self, String> {
        let seed = deployment.folder.file(&format!("services/{}.nk", member.name()));
        let seed = std::fs::read_to_string(seed).unwrap().trim().to_owned();
        let (told, refusals) = mpsc::unbounded_channel();
        let options = ConnectOptions::with_nkey(seed)
            .custom_inbox_prefix(format!("_INBOX_{}", member.name()))
            .event_callback(move |event| {
                let told = told.clone();
                async move {
                    if let Event::ServerError(ServerError::Other(problem)) = event {
                        drop(told.send(problem));
                    }
                }
            });
        let url = deployment.broker(place).server.url();
        let client = options.connect(url).await.map_err(|error| error.to_string())?;
        Ok(Self { member, client, refusals })
    }

    /// Everyone whom the edge's broker knows.
    async fn all(deployment: &Deployment) -> Vec<Self> {
        let mut all = Vec::new();
        for member in Member::ALL.into_iter().filter(|member| member.is_known_at(Place::Edge)) {
            all.push(Self::connect(deployment, Place::Edge, member).await.unwrap());
        }
        all
    }

    async fn cannot_publish(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "forged".into()).await.unwrap();
        self.is_refused("publish", subject).await;
    }

    async fn cannot_subscribe(&mut self, subject: &str) {
        drop(self.client.subscribe(subject.to_owned()).await.unwrap());
        self.is_refused("subscription", subject).await;
    }

    async fn is_refused(&mut self, what: &str, subject: &str) {
        let who = self.member.name();
        let Ok(problem) = timeout(PATIENCE, self.refusals.recv()).await else {
            panic!("{who} may {what} {subject}");
        };
        let problem = problem.unwrap().to_lowercase();
        let named = format!("\"{}\"", subject.to_lowercase());
        assert!(problem.contains(what) && problem.contains(&named), "{who}, {what} {subject}: {problem}");
    }
}

#[tokio::test]
async fn nobody_hears_what_is_not_theirs() {
    let deployment = Deployment::start().await.unwrap();
    for intruder in &mut Intruder::all(&deployment).await {
        let member = intruder.member;
        let others = Member::ALL.into_iter().filter(|other| *other != member);
        for inbox in others.map(|other| subjects::inbox_any(other.name())) {
            intruder.cannot_subscribe(inbox.as_str()).await;
        }
        for subject in [">", "splinter.>", "_INBOX.>", "*.>", "$SYS.>", "$JS.>", "$KV.>", "$O.>"] {
            intruder.cannot_subscribe(subject).await;
        }
    }
}

#[tokio::test]
async fn nobody_speaks_for_another() {
    let deployment = Deployment::start().await.unwrap();
    let other = InstanceId::new("other").unwrap();
    for intruder in &mut Intruder::all(&deployment).await {
        let member = intruder.member;
        for kind in ServiceKind::ALL.into_iter().filter(|kind| Member::Service(*kind) != member) {
            intruder.cannot_publish(subjects::metrics(kind, &other).as_str()).await;
            if member != Member::Admin {
                intruder.cannot_publish(&format!("$KV.splinter-nodes.{kind}.other")).await;
            }
        }
        for other in Member::ALL.into_iter().filter(|other| *other != member) {
            intruder.cannot_publish(&format!("_INBOX_{}.call.1.1.1", other.name())).await;
        }
        intruder.cannot_publish("$SYS.REQ.SERVER.PING").await;
        if member != GATEWAY {
            intruder.cannot_publish("splinter.v1.receipt.m").await;
        }
    }
}

#[tokio::test]
async fn fronts_settings_and_networks_are_changed_by_whom_they_are_for() {
    let deployment = Deployment::start().await.unwrap();
    for intruder in &mut Intruder::all(&deployment).await {
        let member = intruder.member;
        if member == Member::Admin {
            continue;
        }
        if member != OPTIMIZER {
            intruder.cannot_publish("$KV.splinter-fronts.m.e.c").await;
            intruder.cannot_publish(Store::Fronts.changing().as_str()).await;
            intruder.cannot_publish("splinter.v1.event.optimize").await;
        }
        intruder.cannot_publish("$KV.splinter-settings.policy").await;
        intruder.cannot_publish("$O.splinter-models.M.bmV0").await;
        for stream in
            ["KV_splinter-fronts", "KV_splinter-nodes", "KV_splinter-settings", "OBJ_splinter-models"]
        {
            intruder.cannot_publish(&format!("$JS.API.STREAM.DELETE.{stream}")).await;
            intruder.cannot_publish(&format!("$JS.API.STREAM.PURGE.{stream}")).await;
            intruder.cannot_publish(&format!("$JS.API.STREAM.MSG.DELETE.{stream}")).await;
        }
        intruder.cannot_publish("$JS.API.STREAM.CREATE.other").await;
    }
}

#[tokio::test]
async fn nobody_asks_or_answers_in_a_services_place() {
    let deployment = Deployment::start().await.unwrap();
    let (model, node) = (ModelName::new("m").unwrap(), NodeId::new("n").unwrap());
    let served = [
        subjects::infer(&model),
        subjects::plan(&model),
        subjects::execute_edge(&model),
        subjects::execute_cloud(&model),
        subjects::tune(&node),
        subjects::optimize(&model),
    ];
    let names = ["gateway", "scheduler", "edge-executor", "cloud-executor", "tuner", "optimizer"];
    for intruder in &mut Intruder::all(&deployment).await {
        let own = intruder.member.name();
        for (subject, _) in served.iter().zip(names).filter(|(_, name)| *name != own) {
            intruder.cannot_subscribe(subject.as_str()).await;
        }
    }
    let mut client = Intruder::connect(&deployment, Place::Edge, Member::Client).await.unwrap();
    for subject in served.iter().skip(1) {
        client.cannot_publish(subject.as_str()).await;
    }
    client.cannot_subscribe("splinter.v1.receipt.>").await;
    let mut observer = Intruder::connect(&deployment, Place::Edge, Member::Observer).await.unwrap();
    for subject in &served {
        observer.cannot_publish(subject.as_str()).await;
    }
}

#[tokio::test]
async fn keys_open_only_what_they_are_for() {
    let deployment = Deployment::start().await.unwrap();
    for place in Place::ALL {
        for member in Member::ALL {
            let connected = Intruder::connect(&deployment, place, member).await;
            // The site's key is for its broker, not for a client.
            let expected = member.is_known_at(place) && member != Member::Leaf;
            assert_eq!(
                connected.is_ok(),
                expected,
                "{} at the {}: {:?}",
                member.name(),
                place.name(),
                connected.err()
            );
        }
        let url = deployment.broker(place).server.url();
        assert!(ConnectOptions::new().connect(url).await.is_err(), "without a key");
    }
}

/// A broker that was taken over with its site is still only that site's.
#[tokio::test]
async fn a_site_hears_and_says_at_the_hub_only_what_is_the_sites() {
    let deployment = Deployment::start().await.unwrap();
    // The site's admin may do anything on its own broker: what the hub lets through is the hub's own decision. The edge's
    // configuration is rewritten so that one user there may do everything.
    let configuration = deployment.folder.file("edge/nats.conf");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let everything: String = text
        .lines()
        .map(|line| match line.split_once("\"permissions\":") {
            Some((before, _)) => format!("{}}}\n", before.trim_end_matches(',')),
            None => format!("{line}\n"),
        })
        .collect();
    let taken_over = deployment.folder.file("edge/taken-over.conf");
    std::fs::write(&taken_over, everything).unwrap();
    let Deployment { folder, hub, edge } = deployment;
    drop(edge);
    let edge = crate::deployment::Broker::start(&taken_over).await.unwrap();
    edge.says(crate::deployment::JOINED).await.unwrap();
    let deployment = Deployment { folder, hub, edge };

    let thief = Intruder::connect(&deployment, Place::Edge, Member::Client).await.unwrap();
    let mut heard = thief.client.subscribe(">").await.unwrap();
    let cloud = deployment.connect(Place::Hub, crate::deployment::CLOUD).await.unwrap();
    let observer = deployment.connect(Place::Hub, Member::Observer).await.unwrap();
    let mut metrics = observer.subscribe(subjects::metrics_any()).await.unwrap();
    let instance = InstanceId::new("i").unwrap();
    let metrics_of = |kind| subjects::metrics(kind, &instance);
    // Until the link carries what is allowed, in both directions.
    let carried = async {
        loop {
            thief
                .client
                .publish(metrics_of(ServiceKind::Gateway).to_string(), "allowed".into())
                .await
                .unwrap();
            let heard = timeout(Duration::from_millis(200), metrics.next()).await;
            if heard.is_ok_and(|heard| heard.unwrap().subject == metrics_of(ServiceKind::Gateway)) {
                return;
            }
        }
    };
    timeout(PATIENCE, carried).await.expect("the site's own metrics arrive");
    let optimizer = deployment.connect(Place::Hub, OPTIMIZER).await.unwrap();
    let model = ModelName::new("m").unwrap();
    // What the hub's services say to each other does not reach the site; what they say to it does.
    let asked = optimizer.ask(subjects::execute_cloud(&model), PATIENCE, &"secret").await;
    assert!(asked.is_err(), "nobody serves it at the hub, and the site may not");
    cloud.publish(metrics_of(ServiceKind::CloudExecutor), b"for all".to_vec()).await.unwrap();
    let last = loop {
        let message =
            timeout(PATIENCE, heard.next()).await.expect("the site hears the hub's metrics").unwrap();
        let subject = message.subject.to_string();
        assert!(
            !subject.starts_with("_INBOX_optimizer") && !subject.starts_with("splinter.v1.exec.cloud"),
            "{subject}"
        );
        if subject.starts_with("splinter.v1.metrics.cloud-executor") {
            break message.payload;
        }
    };
    assert_eq!(&last[..], b"for all");
    // Forged metrics of the hub's services stay behind, whatever comes after them arrives.
    thief.client.publish(metrics_of(ServiceKind::Optimizer).to_string(), "forged".into()).await.unwrap();
    thief.client.publish(metrics_of(ServiceKind::Tuner).to_string(), "last".into()).await.unwrap();
    loop {
        let message = timeout(PATIENCE, metrics.next()).await.expect("the tuner's arrive").unwrap();
        assert_ne!(message.subject, metrics_of(ServiceKind::Optimizer));
        if message.subject == metrics_of(ServiceKind::Tuner) {
            break;
        }
    }
}

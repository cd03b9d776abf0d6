//! Fronts with the last good one kept, and networks whose digest is checked.

use std::time::Duration;

use async_nats::jetstream;
use schemas::{
    Configuration, Cut, Digest, Front, FrontId, LatencySummary, Measurement, Millis, ModelName, NodeId,
    PolicyChoice, PolicyName, UnixMillis,
};
use testkit::{TestServer, wait_for};

use crate::{PATIENCE, model};

fn front() -> Front {
    let zero = LatencySummary {
        mean_ms: Millis::ZERO,
        p50_ms: Millis::ZERO,
        p95_ms: Millis::ZERO,
        deviation_ms: Millis::ZERO,
    };
    let point = Measurement {
        configuration: Configuration::at(Cut(1)),
        cut_name: "x".into(),
        latency: zero,
        stages: vec![],
        energy: vec![],
        accuracy: None,
        sent_bytes: Default::default(),
        samples: 1,
        uncertainty: None,
        provenance: None,
    };
    Front {
        id: FrontId::fresh(),
        revision: 1,
        model: model(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(2),
        edge: NodeId::new("e").unwrap(),
        emulates: None,
        cloud: NodeId::new("c").unwrap(),
        points: vec![point.clone()],
        all_cloud: point.clone(),
        all_edge: point,
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        hardware_changes: schemas::HardwareChanges::default(),
        search: None,
        measured: 1,
        started_at: UnixMillis(1),
        ended_at: UnixMillis(2),
        software: "test".into(),
        content: None,
    }
}

#[tokio::test]
async fn a_bad_front_is_refused_and_the_last_good_one_stays() {
    let server = TestServer::start().await.unwrap();
    let (watcher, there) = (server.connect("watcher").await.unwrap(), server.connect("there").await.unwrap());
    let (good, better) = (Front { revision: 2, ..front() }, broker::sealed(Front { revision: 3, ..front() }));
    there.publish_front(&good).await.unwrap();
    let fronts = watcher.watch_fronts().await.unwrap();
    let known = || fronts.for_model(&model()).iter().map(|front| front.id).collect::<Vec<_>>();
    assert_eq!(known(), [good.id]);

    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let bucket = jetstream::new(plain).get_key_value("splinter-fronts").await.unwrap();
    bucket.put("m.e.c", "garbage".into()).await.unwrap();
    let empty = Front { points: vec![], ..front() };
    bucket.put("m.e.c", schemas::encode(&empty).unwrap().into()).await.unwrap();
    let beyond = Front { last_cut: Cut(0), ..front() };
    bucket.put("m.e.c", schemas::encode(&beyond).unwrap().into()).await.unwrap();
    let tampered = Front { measured: 999, ..broker::sealed(Front { revision: 4, ..front() }) };
    bucket.put("m.e.c", schemas::encode(&tampered).unwrap().into()).await.unwrap();
    let stale = front();
    bucket.put("m.e.c", schemas::encode(&stale).unwrap().into()).await.unwrap();
    let other = Front { model: ModelName::new("other").unwrap(), ..front() };
    bucket.put("m.e.d", schemas::encode(&other).unwrap().into()).await.unwrap();
    // Changes arrive in order: when the better one is there, the bad ones have been looked at.
    there.publish_front(&better).await.unwrap();
    let arrived = || async {
        match known() {
            ids if ids == [better.id] => Ok(()),
            ids if ids == [good.id] => Err("the better one has not arrived".to_owned()),
            ids => panic!("a bad front was taken: {ids:?}"),
        }
    };
    wait_for(PATIENCE, arrived).await.unwrap();
    assert!(fronts.for_model(&ModelName::new("other").unwrap()).is_empty());
}

#[tokio::test]
async fn a_front_replaces_only_what_was_read_and_old_revisions_are_kept() {
    let server = TestServer::start().await.unwrap();
    let (one, other) = (server.connect("one").await.unwrap(), server.connect("other").await.unwrap());
    let (edge, cloud) = (NodeId::new("e").unwrap(), NodeId::new("c").unwrap());
    let nothing = one.published_front(&model(), &edge, &cloud).await.unwrap();
    assert!(nothing.front.is_none());
    let revision = |revision| Front { revision, ..front() };
    let first = revision(1);
    let read = one.replace_front(&first, nothing.entry).await.unwrap().unwrap();
    // The other one read before that, and would have written over it.
    assert_eq!(other.replace_front(&revision(1), nothing.entry).await.unwrap(), None);
    let published = other.published_front(&model(), &edge, &cloud).await.unwrap();
    assert_eq!((published.front.as_ref(), published.entry), (Some(&first), read));
    let second = revision(2);
    other.replace_front(&second, published.entry).await.unwrap().unwrap();
    assert_eq!(one.replace_front(&revision(2), read).await.unwrap(), None);
    let kept = one.front_revisions(&model(), &edge, &cloud).await.unwrap();
    assert_eq!(kept, [first, second]);
}

#[tokio::test]
async fn a_bucket_of_before_revisions_were_kept_is_changed() {
    let server = TestServer::start().await.unwrap();
    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let config = jetstream::kv::Config { bucket: "splinter-fronts".into(), history: 1, ..Default::default() };
    jetstream::new(plain).create_key_value(config).await.unwrap();
    let bus = server.connect("there").await.unwrap();
    let two = [front(), front()];
    for front in &two {
        bus.publish_front(front).await.unwrap();
    }
    assert_eq!(bus.front_revisions(&two[0].model, &two[0].edge, &two[0].cloud).await.unwrap(), two);
    let fronts = bus.watch_fronts().await.unwrap();
    assert_eq!(fronts.for_model(&model()).iter().map(|front| front.id).collect::<Vec<_>>(), [two[1].id]);
}

#[tokio::test]
async fn networks_come_back_as_they_were_put_and_are_listed() {
    let server = TestServer::start().await.unwrap();
    let bus = server.connect("there").await.unwrap();
    let store = bus.model_store().await.unwrap();
    let bytes: Vec<u8> = (0..300_000u32).map(|index| (index % 251) as u8).collect();
    store.put(&model(), "model.onnx", bytes.clone()).await.unwrap();
    store.put(&model(), "model.toml", b"name".to_vec()).await.unwrap();
    assert_eq!(store.get(&model(), "model.onnx").await.unwrap(), Some(bytes));
    assert_eq!(store.get(&model(), "labels.txt").await.unwrap(), None);
    let mut files: Vec<String> = store.list().await.unwrap().into_iter().map(|file| file.file).collect();
    files.sort();
    assert_eq!(files, ["model.onnx", "model.toml"]);
}

#[tokio::test]
async fn a_damaged_network_is_refused() {
    let server = TestServer::start().await.unwrap();
    let bus = server.connect("there").await.unwrap();
    let store = bus.model_store().await.unwrap();
    store.put(&model(), "model.onnx", vec![7; 1_000]).await.unwrap();
    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let context = jetstream::new(plain.clone());
    let info = context.get_object_store("splinter-models").await.unwrap().info("m/model.onnx").await.unwrap();
    // Another chunk under the same name: the object is longer than its description says.
    let chunk = format!("$O.splinter-models.C.{}", info.nuid);
    let stream = context.get_stream("OBJ_splinter-models").await.unwrap();
    stream.purge().filter(&chunk).await.unwrap();
    context.publish(chunk, vec![8u8; 1_000].into()).await.unwrap().await.unwrap();
    let error = store.get(&model(), "model.onnx").await.unwrap_err();
    assert!(matches!(error, broker::BrokerError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_network_whose_pieces_do_not_come_is_an_error() {
    let server = TestServer::start().await.unwrap();
    let bus = server.connect("there").await.unwrap();
    let store = bus.model_store().await.unwrap();
    store.put(&model(), "model.onnx", vec![7; 1_000]).await.unwrap();
    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let stream = jetstream::new(plain).get_stream("OBJ_splinter-models").await.unwrap();
    stream.purge().filter("$O.splinter-models.C.>").await.unwrap();
    let read = tokio::time::timeout(Duration::from_secs(30), store.get(&model(), "model.onnx")).await;
    let error = read.expect("it gives up by itself").unwrap_err();
    assert!(matches!(error, broker::BrokerError::TimedOut(_)), "{error}");
}

#[tokio::test]
async fn the_choice_of_policies_is_followed_and_a_bad_one_refused() {
    let server = TestServer::start().await.unwrap();
    let (watcher, there) = (server.connect("watcher").await.unwrap(), server.connect("there").await.unwrap());
    let choices = watcher.watch_policy_choice().await.unwrap();
    assert_eq!((choices.now(), there.policy_choice().await.unwrap()), (None, None));
    let chosen = |policy, shadow| PolicyChoice { policy, shadow };
    let until = |wanted: Option<PolicyChoice>| {
        let choices = &choices;
        wait_for(PATIENCE, move || async move {
            (choices.now() == wanted).then_some(()).ok_or_else(|| format!("{:?}", choices.now()))
        })
    };
    let first = chosen(PolicyName::Dynasplit, Some(PolicyName::Adaptive));
    there.choose_policy(first).await.unwrap();
    until(Some(first)).await.unwrap();
    let later = there.watch_policy_choice().await.unwrap();
    assert_eq!(later.now(), Some(first), "who comes later knows it at once");

    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let bucket = jetstream::new(plain).get_key_value("splinter-settings").await.unwrap();
    bucket.put("policy", "garbage".into()).await.unwrap();
    there.choose_policy(chosen(PolicyName::Oracle, None)).await.unwrap();
    there.choose_policy(chosen(PolicyName::Edge, Some(PolicyName::Oracle))).await.unwrap();
    // Another entry of the bucket is none of ours, and changes arrive in order.
    bucket.put("other", "garbage".into()).await.unwrap();
    let second = chosen(PolicyName::Edge, None);
    let changes = async {
        while choices.now() != Some(second) {
            assert_eq!(choices.now(), Some(first), "a bad choice was taken");
            tokio::task::yield_now().await;
        }
    };
    let (chose, followed) =
        tokio::join!(there.choose_policy(second), tokio::time::timeout(PATIENCE, changes));
    chose.unwrap();
    followed.unwrap();

    there.forget_policy_choice().await.unwrap();
    until(None).await.unwrap();
    there.forget_policy_choice().await.unwrap();
    assert_eq!(there.policy_choice().await.unwrap(), None);
}

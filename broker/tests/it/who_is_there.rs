//! Presence: each second, gone after three; registered with the NATS services framework.

use std::time::Duration;

use broker::{Bus, Identity, PresenceUpdate};
use futures::StreamExt;
use schemas::{InstanceId, NodeId, ServiceKind, ServiceState, UnixMillis};
use testkit::{FaultProxy, TestServer};

use crate::PATIENCE;

fn identity(instance: &str) -> Identity {
    Identity {
        service: ServiceKind::CloudExecutor,
        instance: InstanceId::new(instance).unwrap(),
        node: NodeId::new("server").unwrap(),
    }
}

async fn announce(bus: &Bus, instance: &str) -> broker::Announcement {
    let update = || PresenceUpdate { credits: 3, capacity: 4, ..PresenceUpdate::default() };
    bus.announce(identity(instance), "1.2.3", update).await.unwrap()
}

fn soon() -> UnixMillis {
    UnixMillis::now().after(PATIENCE)
}

#[tokio::test]
async fn an_instance_is_seen_withdraws_and_is_removed() {
    let server = TestServer::start().await.unwrap();
    let (watcher, there) = (server.connect("watcher").await.unwrap(), server.connect("there").await.unwrap());
    let announcement = announce(&there, "one").await;
    let presences = watcher.watch_presences().await.unwrap();
    let seen = presences.snapshot();
    assert_eq!((seen.len(), seen[0].credits, seen[0].state), (1, 3, ServiceState::Ready));
    let draining =
        |all: &[schemas::Presence]| all.first().is_some_and(|one| one.state == ServiceState::Draining);
    // Its work ends when everybody has seen that it is leaving.
    announcement.leave(async { drop(presences.wait_until(soon(), draining).await.unwrap()) }).await;
    presences.wait_until(soon(), <[_]>::is_empty).await.unwrap();
}

#[tokio::test]
async fn an_instance_that_fell_silent_is_gone_after_its_lifetime() {
    let server = TestServer::start().await.unwrap();
    let proxy = FaultProxy::start(server.port()).await.unwrap();
    let (watcher, there) = (server.connect("watcher").await.unwrap(), proxy.connect("there").await.unwrap());
    let presences = watcher.watch_presences().await.unwrap();
    let _announcement = announce(&there, "one").await;
    presences.wait_until(soon(), |all| all.len() == 1).await.unwrap();
    proxy.black_hole();
    let within = UnixMillis::now().after(Duration::from_secs(5));
    presences.wait_until(within, <[_]>::is_empty).await.unwrap();
    proxy.heal();
    presences.wait_until(soon(), |all| all.len() == 1).await.unwrap();
}

#[tokio::test]
async fn presences_come_back_after_the_broker_was_killed() {
    let mut server = TestServer::start().await.unwrap();
    let (watcher, there) = (server.connect("watcher").await.unwrap(), server.connect("there").await.unwrap());
    let presences = watcher.watch_presences().await.unwrap();
    let _announcement = announce(&there, "one").await;
    presences.wait_until(soon(), |all| all.len() == 1).await.unwrap();
    server.stop();
    presences.wait_until(soon(), <[_]>::is_empty).await.unwrap();
    server.restart().await.unwrap();
    presences.wait_until(UnixMillis::now().after(2 * PATIENCE), |all| all.len() == 1).await.unwrap();
}

#[tokio::test]
async fn the_services_framework_lists_every_instance() {
    let server = TestServer::start().await.unwrap();
    let there = server.connect("there").await.unwrap();
    let _one = announce(&there, "one").await;
    let _two = announce(&there, "two").await;
    let plain = async_nats::ConnectOptions::new().connect(server.url()).await.unwrap();
    let mut replies = plain.subscribe("replies").await.unwrap();
    plain.publish_with_reply("$SRV.INFO", "replies", "".into()).await.unwrap();
    let mut names = Vec::new();
    while names.len() < 2 {
        let reply = tokio::time::timeout(PATIENCE, replies.next()).await.unwrap().unwrap();
        let info: serde_json::Value = serde_json::from_slice(&reply.payload).unwrap();
        names.push((info["name"].to_string(), info["version"].to_string()));
    }
    assert_eq!(names[0], ("\"splinter-cloud-executor\"".into(), "\"1.2.3\"".into()));
    let one = InstanceId::new("one").unwrap();
    let asked = there.presence_of(ServiceKind::CloudExecutor, &one, PATIENCE).await.unwrap();
    assert_eq!((asked.credits, asked.capacity), (3, 4));
    let nobody = there.presence_of(ServiceKind::Gateway, &one, PATIENCE).await;
    assert!(nobody.is_err(), "{nobody:?}");
    let info = plain.request("splinter.v1.info.cloud-executor.one", "".into()).await.unwrap();
    let presence: schemas::Presence = serde_json::from_slice(&info.payload).unwrap();
    assert_eq!(presence.instance.as_str(), "one");
}

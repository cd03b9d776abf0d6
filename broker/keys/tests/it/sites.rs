//! The way between sites: both sides' certificates, the site's key, and what is stored at the edge.

use std::fs;
use std::time::Duration;

use broker::server::LocalServer;
use broker::subjects;
use keys::{Authority, Member, Place, Request, Rotation};
use schemas::{InstanceId, NodeId, ServiceKind};
use testkit::wait_for;
use time::OffsetDateTime;

use crate::deployment::{Broker, CLOUD, Deployment, Folder, GATEWAY, JOINED, PATIENCE};

/// The hub refuses the edge, or the edge the hub: one of them says why, and neither has joined.
async fn refused(folder: Folder, why: &[&str]) {
    let (hub, edge) = (folder.start(Place::Hub).await.unwrap(), folder.start(Place::Edge).await.unwrap());
    wait_for(PATIENCE, || async {
        let logs = hub.log() + &edge.log();
        if why.iter().any(|why| logs.contains(why)) { Ok(()) } else { Err(logs) }
    })
    .await
    .unwrap();
    // The edge tries again each second, in vain: nobody at the hub finds what the edge stores.
    let deployment = Deployment { folder, hub, edge };
    let admin = deployment.connect(Place::Hub, Member::Admin).await.unwrap();
    assert!(admin.policy_choice().await.is_err());
    let own = deployment.connect(Place::Edge, Member::Admin).await.unwrap();
    own.policy_choice().await.expect("the site itself goes on");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let folder = Folder::make().unwrap();
    let other = Authority::make().unwrap();
    let other = Authority::read(&other.certificate, &other.key).unwrap();
    folder.put_certificate(Place::Edge, &other.issue("edge", &[]).unwrap());
    // The hub names whom it trusts, and the edge has nothing of theirs to show.
    refused(folder, &["didn't provide a certificate"]).await;
}

#[tokio::test]
async fn a_certificate_that_only_claims_our_authority_is_refused() {
    let folder = Folder::make().unwrap();
    let ours = fs::read_to_string(folder.file("ca/ca.pem")).unwrap();
    let other = Authority::make().unwrap();
    let forger = Authority::read(&ours, &other.key).unwrap();
    folder.put_certificate(Place::Edge, &forger.issue("edge", &[]).unwrap());
    refused(folder, &["certificate signed by unknown authority", "failed to verify certificate"]).await;
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused_by_the_other_side() {
    let now = OffsetDateTime::now_utc();
    let day = |days| now + time::Duration::days(days);
    for place in Place::ALL {
        for (time, why) in [((day(-9), day(-1)), "is after"), ((day(1), day(9)), "is before")] {
            let folder = Folder::make().unwrap();
            let issued = folder.authority().issue_for(place.name(), &["127.0.0.1".into()], time).unwrap();
            folder.put_certificate(place, &issued);
            refused(folder, &[why]).await;
        }
    }
}

#[tokio::test]
async fn a_site_without_a_certificate_is_refused() {
    let folder = Folder::make().unwrap();
    let configuration = folder.file("edge/nats.conf");
    let text = fs::read_to_string(&configuration).unwrap();
    let without =
        text.replace("\"cert_file\":\"edge.pem\",", "").replace("\"key_file\":\"edge-key.pem\",", "");
    // The port for clients needs one; the way to the hub is the last line.
    let remote = without.lines().find(|line| line.starts_with("leafnodes")).unwrap();
    let before: Vec<&str> = text.lines().filter(|line| !line.starts_with("leafnodes")).collect();
    let text = format!("{}\n{remote}\n", before.join("\n"));
    assert!(remote.contains("ca_file") && !remote.contains("cert_file"), "{remote}");
    fs::write(&configuration, text).unwrap();
    refused(folder, &["didn't provide a certificate", "certificate required"]).await;
}

#[tokio::test]
async fn a_hub_that_another_authority_vouches_for_is_refused_by_the_edge() {
    let folder = Folder::make().unwrap();
    let other = Authority::make().unwrap();
    fs::write(folder.file("edge/ca.pem"), &other.certificate).unwrap();
    refused(folder, &["certificate signed by unknown authority", "failed to verify certificate"]).await;
}

#[tokio::test]
async fn a_hub_by_another_name_is_refused_by_the_edge() {
    let folder = Folder::make().unwrap();
    let issued = folder.authority().issue("edge", &[]).unwrap();
    folder.put_certificate(Place::Edge, &issued);
    let elsewhere = Request { hub_hosts: vec!["hub.example.org".into()], ..Request::default() };
    folder.make_again(elsewhere).unwrap();
    let configuration = folder.file("edge/nats.conf");
    // The loopback address 127.0.0.2 is in no certificate of ours.
    let text = fs::read_to_string(&configuration).unwrap().replace("hub.example.org", "127.0.0.2");
    fs::write(&configuration, text).unwrap();
    refused(folder, &["certificate is valid for", "failed to verify certificate"]).await;
}

#[tokio::test]
async fn a_site_whose_key_was_replaced_is_refused() {
    let folder = Folder::make().unwrap();
    let before = fs::read_to_string(folder.file("edge/nats.conf")).unwrap();
    folder.make_again(Request { rotate: vec![Rotation::Key(Member::Leaf)], ..Request::default() }).unwrap();
    fs::write(folder.file("edge/nats.conf"), before).unwrap();
    refused(folder, &["Authorization Violation", "authentication error"]).await;
}

/// The edge has what it needs when the hub is gone, and the hub's services find it again when it is back.
#[tokio::test]
async fn the_edge_stores_and_the_hubs_services_use_it_across_the_link() {
    let deployment = Deployment::start().await.unwrap();
    let gateway = deployment.connect(Place::Edge, GATEWAY).await.unwrap();
    let seen = gateway.watch_presences().await.unwrap();
    let cloud = deployment.connect(Place::Hub, CLOUD).await.unwrap();
    let identity = broker::Identity {
        service: ServiceKind::CloudExecutor,
        instance: InstanceId::new("c1").unwrap(),
        node: NodeId::new("rack").unwrap(),
    };
    let announced = wait_for(PATIENCE, || async {
        let update = broker::PresenceUpdate::default;
        cloud.announce(identity.clone(), "0.1.0", update).await.map_err(|error| error.to_string())
    });
    let _announced = announced.await.unwrap();
    let is_there =
        |presences: &[schemas::Presence]| presences.iter().any(|one| one.instance.as_str() == "c1");
    let until = |wanted: bool| {
        let seen = seen.clone();
        async move {
            let deadline = schemas::UnixMillis::now().after(PATIENCE);
            seen.wait_until(deadline, |presences| is_there(presences) == wanted).await.unwrap();
        }
    };
    until(true).await;
    let Deployment { folder, hub, edge } = deployment;
    let port = hub.server.port();
    let data = hub.data;
    drop(hub.server);
    until(false).await;
    // The site goes on: what it stores is its own.
    gateway.watch_fronts().await.unwrap();
    let configuration = folder.file("hub/nats.conf");
    let server = LocalServer::start_configured(&configuration, Some(port), data.path()).await.unwrap();
    let _hub = Broker { server, data };
    until(true).await;
    assert!(edge.log().matches(JOINED).count() >= 2, "{}", edge.log());
    assert!(!edge.log().contains("Violation"), "{}", edge.log());
}

#[tokio::test]
async fn an_old_key_is_worth_nothing_once_it_was_rotated() {
    let folder = Folder::make().unwrap();
    let old = folder.file("old.nk");
    fs::copy(folder.file("services/gateway.nk"), &old).unwrap();
    folder.make_again(Request { rotate: vec![Rotation::Key(GATEWAY)], ..Request::default() }).unwrap();
    let edge = folder.start(Place::Edge).await.unwrap();
    let settings = |file| broker::BrokerSettings {
        url: edge.server.url(),
        user: Some("gateway".into()),
        nkey_seed_file: Some(file),
        ..broker::BrokerSettings::default()
    };
    let begun = std::time::Instant::now();
    let error = broker::Bus::connect(&settings(old.clone()), "g").await.unwrap_err();
    let text = error.to_string();
    let key = nkeys::KeyPair::from_seed(fs::read_to_string(&old).unwrap().trim()).unwrap().public_key();
    assert!(text.contains(&key) && text.contains("gateway") && text.contains("nats.conf"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it is not tried for long");
    let bus = broker::Bus::connect(&settings(folder.file("services/gateway.nk")), "g").await.unwrap();
    bus.subscribe(subjects::infer_any()).await.unwrap();
}

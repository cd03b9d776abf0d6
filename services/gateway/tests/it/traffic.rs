//! A site that looks like a real one to those who watch: a front, presences, a scheduler's reports and receipts, all in the
//! real messages. Which requests come is made up, by a fixed rule.

use std::time::Duration;

use broker::{Announcement, Bus, Identity, PresenceUpdate, subjects};
use schemas::{
    Accuracy, ByteCount, Configuration, Cut, Digest, EdgeOutlook, EnergyEntry, EnergySource, Fallback,
    FaultKind, Front, FrontId, HardwareChanges, InstanceId, Joules, KiloHertz, LatencySummary, Measurement,
    Millis, NodeId, Outcome, Place, PlanReason, PolicyChoice, PolicyName, Qos, Receipt, RequestId,
    SchedulerReport, ServiceKind, Share, UnixMillis,
};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::site::{model, served_model};

/// Cut, clock in MHz, latency in ms, joules at edge, wire and cloud: some shape that real fronts have.
const POINTS: [(u16, u64, f64, [f64; 3]); 8] = [
    (0, 600, 212.0, [0.62, 0.55, 0.48]),
    (5, 600, 268.0, [0.74, 0.31, 0.36]),
    (8, 1000, 186.0, [1.02, 0.42, 0.40]),
    (11, 1400, 158.0, [1.42, 0.34, 0.33]),
    (15, 1400, 141.0, [1.88, 0.21, 0.25]),
    (15, 1800, 118.0, [2.41, 0.21, 0.25]),
    (19, 1800, 104.0, [3.02, 0.14, 0.12]),
    (22, 1800, 97.0, [3.62, 0.0, 0.0]),
];

fn millis(value: f64) -> Millis {
    Millis::saturating(value)
}

fn energy(joules: [f64; 3], factor: f64) -> Vec<EnergyEntry> {
    let places = [
        (Place::Edge, EnergySource::Emulated),
        (Place::Wire, EnergySource::Modelled),
        (Place::Cloud, EnergySource::Measured),
    ];
    let entries = places.into_iter().zip(joules).filter(|(_, joules)| *joules > 0.0);
    entries
        .map(|((place, source), joules)| EnergyEntry {
            place,
            source,
            joules: Joules::saturating(joules * factor),
        })
        .collect()
}

fn configuration(cut: u16, megahertz: u64) -> Configuration {
    Configuration {
        edge_frequency_khz: Some(KiloHertz::from_megahertz(megahertz)),
        ..Configuration::at(Cut(cut))
    }
}

fn measurement(cut: u16, megahertz: u64, latency: f64, joules: [f64; 3]) -> Measurement {
    Measurement {
        configuration: configuration(cut, megahertz),
        cut_name: format!("features.{cut}/Conv_output_0"),
        latency: LatencySummary {
            mean_ms: millis(latency),
            p50_ms: millis(latency),
            p95_ms: millis(latency * 1.1),
            deviation_ms: millis(3.0),
        },
        stages: Vec::new(),
        energy: energy(joules, 1.0),
        accuracy: Some(Accuracy { share: Share::saturating(0.712), pictures: 500 }),
        sent_bytes: ByteCount(40_000),
        samples: 40,
        uncertainty: None,
        provenance: None,
    }
}

pub fn front() -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 3,
        model: model(),
        digest: Digest::from_bytes([1; 32]),
        last_cut: Cut(22),
        edge: NodeId::new("camera-7").unwrap(),
        emulates: Some("raspberry-pi-4".to_owned()),
        cloud: NodeId::new("rack-2").unwrap(),
        points: POINTS
            .iter()
            .map(|&(cut, clock, latency, joules)| measurement(cut, clock, latency, joules))
            .collect(),
        tied: Vec::new(),
        suspects: Vec::new(),
        all_cloud: measurement(0, 1800, 205.0, [0.95, 0.61, 0.48]),
        all_edge: measurement(22, 1500, 121.0, [3.9, 0.0, 0.0]),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 64,
        started_at: UnixMillis::now(),
        ended_at: UnixMillis::now(),
        software: "test".to_owned(),
        content: None,
    }
}

/// A number from 0 to 1 that has nothing to see of the one that it is made from: the last steps of SplitMix64.
fn spread_out(seed: u64) -> f64 {
    let mut bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 40) as f64 / f64::from(1 << 24)
}

/// The `number`th request: mostly two points of the front, now and then another, a late one, a failed one.
pub fn receipt(front: &Front, number: u64) -> Receipt {
    // Numbers that look like chance and are the same in every run.
    let spread = |salt: u64| spread_out(number * 8 + salt);
    let wave = (number as f64 / 90.0).sin();
    let at = match (spread(1), wave > 0.0) {
        (chance, true) if chance < 0.7 => 3,
        (chance, false) if chance < 0.7 => 4,
        (chance, _) => ((chance - 0.7) / 0.3 * POINTS.len() as f64) as usize,
    };
    let (cut, clock, latency, joules) = POINTS[at.min(POINTS.len() - 1)];
    let latency = latency * (0.93 + 0.2 * spread(2));
    let outcome = match spread(3) {
        chance if chance < 0.015 => Outcome::Failed(FaultKind::Unavailable),
        _ if latency > 200.0 => Outcome::Late,
        _ => Outcome::Within,
    };
    let has_result = !matches!(outcome, Outcome::Failed(_));
    let executed = configuration(cut, clock);
    Receipt {
        id: RequestId::fresh(),
        model: model(),
        outcome,
        qos: Some(Qos::within(millis(200.0))),
        latency_ms: millis(latency),
        planned: Some(executed),
        predicted_latency_ms: None,
        predicted_energy_j: None,
        executed: has_result.then_some(executed),
        fallback: (spread(4) < 0.02).then_some(Fallback::FinishedAtHome),
        policy: Some(PolicyName::Adaptive),
        reason: Some(PlanReason::LeastEnergyWithinLimit),
        front: Some(front.id),
        edge: Some(InstanceId::new("edge1").unwrap()),
        cloud: Some(InstanceId::new("cloud1").unwrap()),
        sent_bytes: ByteCount(40_000),
        stages: Vec::new(),
        energy: if has_result { energy(joules, 0.92 + 0.16 * spread(5)) } else { Vec::new() },
        breakdown: Vec::new(),
        node: NodeId::new("camera-7").unwrap(),
        at: UnixMillis::now(),
    }
}

pub fn report(front: &Front, mbit: f64) -> SchedulerReport {
    SchedulerReport {
        scheduler: InstanceId::new("scheduler1").unwrap(),
        choice: PolicyChoice { policy: PolicyName::Adaptive, shadow: Some(PolicyName::Dynasplit) },
        regret: None,
        edges: vec![EdgeOutlook {
            edge: InstanceId::new("edge1").unwrap(),
            model: model(),
            front: front.id,
            link_base_ms: millis(4.2),
            link_mbit: Some(mbit),
            link_age_ms: Some(millis(300.0)),
            clock_khz: Some(KiloHertz::from_megahertz(1400)),
        }],
        samples: Vec::new(),
        at: UnixMillis::now(),
    }
}

/// Publishes receipts.
pub async fn publish(bus: &Bus, receipt: &Receipt) {
    let body = schemas::encode(receipt).unwrap();
    bus.publish(subjects::receipt(&receipt.model), body).await.unwrap();
}

/// Traffic that goes on until it is dropped.
pub struct Traffic {
    task: JoinHandle<()>,
    _announced: Vec<Announcement>,
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A front, two cloud executors and a tuner more, and so many requests a second.
pub async fn start(bus: &Bus, front: Front, a_second: u32) -> anyhow::Result<Traffic> {
    bus.publish_front(&front).await?;
    let announce = |service, name: &str, node: &str, credits, models: Vec<_>| {
        let identity =
            Identity { service, instance: InstanceId::new(name).unwrap(), node: NodeId::new(node).unwrap() };
        let update = PresenceUpdate { credits, capacity: 8, models, hardware: None };
        bus.announce(identity, "0.1.0", move || update.clone())
    };
    let announced = vec![
        announce(ServiceKind::CloudExecutor, "cloud1", "rack-2", 5, vec![served_model()]).await?,
        announce(ServiceKind::CloudExecutor, "cloud2", "rack-2", 0, vec![served_model()]).await?,
        announce(ServiceKind::Tuner, "tuner1", "camera-7", 1, Vec::new()).await?,
    ];
    let bus = bus.clone();
    let task = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_secs(1) / a_second);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0_u64.. {
            ticks.tick().await;
            publish(&bus, &receipt(&front, number)).await;
            if number % u64::from(a_second) == 0 {
                let report = report(&front, 90.0 + 12.0 * (number as f64 / 70.0).sin());
                let subject = subjects::metrics(ServiceKind::Scheduler, &report.scheduler);
                bus.publish(subject, schemas::encode(&report).unwrap()).await.unwrap();
            }
        }
    });
    Ok(Traffic { task, _announced: announced })
}

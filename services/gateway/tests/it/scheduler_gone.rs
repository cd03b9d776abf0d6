//! No scheduler answers: the gateway plans by the last front, by the paper's rule, and says so.

use std::time::Duration;

use broker::subjects;
use schemas::{
    ByteCount, Configuration, Cut, EnergyEntry, EnergySource, Front, FrontId, HardwareChanges, InferReply,
    InferRequest, Input, Joules, LatencySummary, Measurement, Millis, NodeId, Outcome, Place, PlanReason,
    PolicyName, Qos, UnixMillis,
};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, jpeg, model, served_model};

/// Everything on the edge: only the edge executor is there.
const LAST: Cut = Cut(4);

fn measurement(cut: Cut, latency: f64, joules: f64) -> Measurement {
    let latency = Millis::saturating(latency);
    let energy = EnergyEntry {
        place: Place::Edge,
        source: EnergySource::Measured,
        joules: Joules::saturating(joules),
    };
    Measurement {
        configuration: Configuration::at(cut),
        cut_name: "here".into(),
        latency: LatencySummary {
            mean_ms: latency,
            p50_ms: latency,
            p95_ms: latency,
            deviation_ms: Millis::ZERO,
        },
        stages: Vec::new(),
        energy: vec![energy],
        accuracy: None,
        sent_bytes: ByteCount(0),
        samples: 1,
        uncertainty: None,
        provenance: None,
    }
}

fn front() -> Front {
    Front {
        id: FrontId::fresh(),
        revision: 1,
        model: model(),
        digest: served_model().digest,
        last_cut: LAST,
        edge: NodeId::new("site").unwrap(),
        emulates: None,
        cloud: NodeId::new("rack").unwrap(),
        points: vec![measurement(Cut(1), 5.0, 2.0), measurement(LAST, 9.0, 1.0)],
        all_cloud: measurement(Cut(0), 6.0, 3.0),
        all_edge: measurement(LAST, 9.0, 1.0),
        tied: Vec::new(),
        suspects: Vec::new(),
        withheld: Vec::new(),
        hardware_changes: HardwareChanges::default(),
        search: None,
        measured: 3,
        started_at: UnixMillis(1),
        ended_at: UnixMillis(2),
        software: "test".into(),
        content: None,
    }
}

async fn infer(site: &Site, policy: Option<PolicyName>) -> anyhow::Result<InferReply> {
    let request = InferRequest {
        input: Input::Encoded { bytes: jpeg().into() },
        qos: Some(Qos::within(Millis::new(5_000.0)?)),
        policy,
    };
    let answer = site.bus.ask(subjects::infer(&model()), PATIENCE, &request).await?;
    Ok(schemas::decode(&answer.body)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_on_by_the_last_front_and_say_so() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let front = front();
    site.bus.publish_front(&front).await?;
    assert_eq!(infer(&site, None).await?.reason, Some(PlanReason::LeastEnergyWithinLimit));

    drop(site.scheduler.take());
    let reply = wait_for(PATIENCE, || async {
        let reply = infer(&site, None).await.map_err(|error| error.to_string())?;
        (reply.front == Some(front.id)).then_some(reply).ok_or_else(|| "the front has not arrived".into())
    })
    .await?;
    assert_eq!((reply.policy, reply.reason), (PolicyName::Dynasplit, Some(PlanReason::SchedulerGone)));
    assert_eq!(reply.configuration.cut, LAST);
    let receipts = site.receipts.until(reply.id).await;
    let receipt = receipts.last().unwrap();
    assert_eq!(receipt.reason, Some(PlanReason::SchedulerGone));
    assert_eq!(receipt.outcome, Outcome::Within);
    // What was asked for is kept where a front alone can keep it.
    assert_eq!(infer(&site, Some(PolicyName::Edge)).await?.policy, PolicyName::Edge);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_front_everything_runs_on_the_edge() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    drop(site.scheduler.take());
    let started = tokio::time::Instant::now();
    let reply = infer(&site, None).await?;
    assert_eq!((reply.reason, reply.configuration.cut), (Some(PlanReason::SchedulerGone), LAST));
    assert!(started.elapsed() < Duration::from_secs(5), "within its deadline");
    Ok(())
}

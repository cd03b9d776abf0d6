//! The tuner is there, gone, hangs, or cannot set the clock: requests go on, and say how they ran.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::{Endpoint, Request, Response, Serving, subjects};
use chassis::RunningService;
use schemas::{
    Configuration, Cut, EnergySource, ExecuteReply, ExecuteRequest, Fallback, Fault, FaultKind, Input,
    KiloHertz, NodeId, Place, Stage, TuneReply, TuneRequest,
};
use testkit::wait_for;

use crate::site::{PATIENCE, Site, picture, request};

const ALL_EDGE: u16 = 23;

fn node() -> NodeId {
    NodeId::new("edge").unwrap()
}

fn megahertz(megahertz: u64) -> KiloHertz {
    KiloHertz::from_megahertz(megahertz)
}

/// A tuner that plays a Raspberry Pi 4 as fast as this machine.
fn emulating() -> tuner::Settings {
    tuner::Settings { emulate: Some("raspberry-pi-4".to_owned()), slowdown: 1.0, ..Default::default() }
}

fn at(clock: u64, cut: u16, picture: &[u8]) -> ExecuteRequest<'_> {
    let configuration =
        Configuration { edge_frequency_khz: Some(megahertz(clock)), ..Configuration::at(Cut(cut)) };
    ExecuteRequest { configuration, ..request(cut, Input::Encoded { bytes: picture.into() }) }
}

impl Site {
    async fn run_at(&self, clock: u64) -> anyhow::Result<ExecuteReply<'static>> {
        Ok(self.send(at(clock, ALL_EDGE, &picture(1)), PATIENCE).await?)
    }

    async fn report(&self) -> anyhow::Result<TuneReply> {
        let answer = self.bus.ask(subjects::tune(&node()), PATIENCE, &TuneRequest::Report).await?;
        Ok(schemas::decode(&answer.body)?)
    }

    /// Serves the tuner's subject with a handler of the test's.
    async fn tuner_that<F>(
        &self,
        answers: impl Fn(TuneRequest) -> F + Send + Sync + 'static,
    ) -> anyhow::Result<Serving>
    where
        F: Future<Output = Result<Response, Fault>> + Send + 'static,
    {
        let bus = self.server.connect("stand-in").await?;
        let answer = move |request: Request| answers(schemas::decode(&request.body).unwrap());
        Ok(bus.serve(Endpoint::new(64).shared(subjects::tune(&node())), answer).await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_tuner_gone_requests_go_on_as_it_is_set_and_say_so() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let tuner = site.tuner(emulating()).await?;
    let _edge = site.edge().await?;
    let set = site.run_at(600).await?;
    assert_eq!((set.fallback, set.configuration.edge_frequency_khz), (None, Some(megahertz(600))));

    // Dropped, it falls silent as in a crash.
    drop(tuner);
    for _ in 0..3 {
        let alone = site.run_at(800).await?;
        assert_eq!(alone.fallback, Some(Fallback::HardwareAsItWas));
        assert_eq!(alone.configuration.edge_frequency_khz, Some(megahertz(600)));
    }

    let _next = site.tuner(emulating()).await?;
    wait_for(PATIENCE, || async {
        match site.run_at(800).await {
            Ok(reply) if reply.fallback.is_none() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tuner_that_hangs_holds_up_no_request_beyond_its_deadline() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = orders.clone();
    let _tuner = site
        .tuner_that(move |request| {
            counted.fetch_add(usize::from(matches!(request, TuneRequest::Apply(_))), Ordering::Relaxed);
            pending()
        })
        .await?;
    let _edge = site.edge().await?;
    let requests = 20;
    for _ in 0..requests {
        // An error would say that the deadline had passed.
        let reply = site.send(at(800, ALL_EDGE, &picture(1)), Duration::from_secs(20)).await?;
        assert_eq!(reply.fallback, Some(Fallback::HardwareAsItWas));
    }
    let orders = orders.load(Ordering::Relaxed);
    assert!(
        orders < requests / 2,
        "{orders} of {requests} requests waited for a tuner that had not answered"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_cannot_be_set_is_no_error_of_the_request() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let real = site.tuner(emulating()).await?;
    let report = site.report().await?;
    drop(real);
    let _tuner = site
        .tuner_that(move |request| {
            let answer = match request {
                TuneRequest::Report => Response::messagepack(&report),
                _ => Err(Fault::new(
                    FaultKind::Unsupported,
                    "policy0 was set to 800 MHz but reads back 1800 MHz",
                )),
            };
            async { answer }
        })
        .await?;
    let _edge = site.edge().await?;
    let reply = site.run_at(800).await?;
    assert_eq!(reply.fallback, Some(Fallback::HardwareAsItWas));
    assert_eq!(reply.configuration.edge_frequency_khz, Some(megahertz(1_800)), "as it is, not as asked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_executor_leaves_the_clock_goes_back_to_what_it_was() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _tuner = site.tuner(emulating()).await?;
    let edge = site.edge().await?;
    site.run_at(600).await?;
    let held = site.report().await?.hardware;
    assert_eq!((held.frequency_khz, held.leases.len()), (Some(megahertz(600)), 1));
    assert_eq!(held.leases[0].holder.as_str(), "edge");
    edge.leave(Duration::from_secs(5)).await;
    let left = site.report().await?.hardware;
    assert_eq!((left.frequency_khz, left.leases.len()), (Some(megahertz(1_800)), 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_says_what_each_stage_cost() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let _tuner = site.tuner(emulating()).await?;
    let (_edge, _cloud) = (site.edge().await?, site.cloud().await?);
    let reply = site.send(at(600, 9, &picture(1)), PATIENCE).await?;
    for stage in [Stage::Preprocess, Stage::Head, Stage::Encode] {
        let part = reply.breakdown.iter().find(|part| part.stage == stage).unwrap();
        let time = reply.stages.iter().find(|time| time.stage == stage && time.place == Place::Edge).unwrap();
        let seconds = time.time_ms.get() / 1e3;
        // The published power at 600 MHz: 2.95 W computing, 2.73 W of them in any case.
        assert!((part.idle_j.get() - 2.73 * seconds).abs() < 1e-9, "{part:?} in {time:?}");
        assert!((part.marginal_j.get() - 0.22 * seconds).abs() < 1e-9, "{part:?} in {time:?}");
        assert_eq!((part.place, part.source), (Place::Edge, EnergySource::Emulated));
    }
    let waiting = reply.breakdown.iter().find(|part| part.stage == Stage::Transfer).unwrap();
    assert_eq!((waiting.place, waiting.marginal_j.get()), (Place::Edge, 0.0));
    let parts: f64 = reply.breakdown.iter().map(|part| part.joules().get()).sum();
    let total = schemas::total_joules(&reply.energy).unwrap().get();
    assert!((parts - total).abs() < 1e-9, "{parts} and {total} are the same joules");
    Ok(())
}

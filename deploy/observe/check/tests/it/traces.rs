//! One trace across services: what came in is the parent, each stage a span.

use testkit::wait_for;

use crate::collector::{Collector, Seen};
use crate::site::{PATIENCE, Site};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The spans of the trace, when these are there.
async fn exported(collector: &Collector, trace: &str, names: &[&str]) -> anyhow::Result<Vec<Seen>> {
    wait_for(PATIENCE, || async {
        let spans: Vec<Seen> = collector.spans().into_iter().filter(|span| span.trace == trace).collect();
        match names.iter().find(|name| spans.iter().all(|span| span.name != **name)) {
            None => Ok(spans),
            Some(missing) => Err(format!("no span {missing} yet: {spans:#?}")),
        }
    })
    .await
}

fn one<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
    assert!(found.next().is_none(), "two {name} in {spans:#?}");
    span
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_across_gateway_and_scheduler() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let site = Site::start(Some(format!("http://{}", collector.address))).await?;
    let incoming = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(site.post("?latency_ms=15000", Some(&incoming)).await, 200);
    let executed = site.executed.lock().unwrap().clone().unwrap();

    let spans = exported(&collector, TRACE, &["request", "plan", "decide", "execute", "reply"]).await?;
    let (request, plan, decide) = (one(&spans, "request"), one(&spans, "plan"), one(&spans, "decide"));
    let (execute, reply) = (one(&spans, "execute"), one(&spans, "reply"));
    assert_eq!(
        [request, plan, decide, execute, reply].map(|span| (&*span.service, &*span.parent)),
        [
            ("splinter-gateway", PARENT),
            ("splinter-gateway", &request.id),
            ("splinter-scheduler", &plan.id),
            ("splinter-gateway", &request.id),
            ("splinter-gateway", &request.id),
        ]
    );
    assert_eq!(executed, format!("00-{TRACE}-{}-01", execute.id), "the executor's parent is the call to it");
    for (inner, outer) in [(plan, request), (decide, plan), (execute, request), (reply, request)] {
        assert!(outer.start <= inner.start && inner.end <= outer.end, "{inner:?} is not within {outer:?}");
    }
    let says = |span: &Seen, key: &str| span.attributes.iter().any(|(name, _)| name == key);
    assert!(
        says(request, "splinter.request")
            && says(request, "splinter.model")
            && says(decide, "splinter.reason")
    );
    assert!(spans.iter().all(|span| !span.failed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_nats_continues_its_trace_and_a_failure_is_marked() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let site = Site::start(Some(format!("http://{}/", collector.address))).await?;
    let trace =
        broker::TraceContext::from_headers(Some(&format!("00-{TRACE}-{PARENT}-01")), Some("vendor=1"));
    let subject = broker::subjects::infer(&crate::fronts::model("vgg16"));
    let call = broker::Call { trace, ..broker::Call::new(vec![subject], PATIENCE, b"no picture".to_vec()) };
    site.bus.call(call).await.unwrap_err();
    let spans = exported(&collector, TRACE, &["request"]).await?;
    let request = one(&spans, "request");
    assert_eq!((&*request.parent, request.failed), (PARENT, true));
    assert!(request.attributes.contains(&("error.type".into(), "bad_request".into())), "{request:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_does_not_record_is_not_recorded_and_reaches_the_executor_all_the_same()
-> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let site = Site::start(Some(format!("http://{}", collector.address))).await?;
    assert_eq!(site.post("?latency_ms=15000", Some(&format!("00-{TRACE}-{PARENT}-00"))).await, 200);
    let executed = site.executed.lock().unwrap().clone().unwrap();
    assert!(executed.starts_with(&format!("00-{TRACE}-")) && executed.ends_with("-00"), "{executed}");
    // A recorded one afterwards shows that everything before it has been exported.
    let later = "11111111111111111111111111111111";
    assert_eq!(site.post("?latency_ms=15000", Some(&format!("00-{later}-{PARENT}-01"))).await, 200);
    exported(&collector, later, &["request"]).await?;
    assert!(collector.spans().iter().all(|span| span.trace != TRACE));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_does_not_stand_in_the_way() -> anyhow::Result<()> {
    let gone = {
        let collector = Collector::start().await?;
        collector.address
    };
    let site = Site::start(Some(format!("http://{gone}"))).await?;
    assert_eq!(site.post("?latency_ms=15000", None).await, 200);
    assert!(site.executed.lock().unwrap().is_some(), "a trace is begun all the same");
    site.gateway.context.traces.finish().await;
    Ok(())
}

use schemas::{InstanceId, Millis, NodeId, ServiceKind, Stage, StageTime};

use super::*;
use crate::telemetry::TelemetrySettings;

fn parent() -> TraceContext {
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    TraceContext::from_headers(Some(header), Some("vendor=1")).unwrap()
}

fn recording(share: f64) -> Traces {
    let settings = TelemetrySettings {
        // Nobody listens on this port: spans are made and lost.
        otlp_endpoint: Some("http://127.0.0.1:9/".into()),
        trace_share: schemas::Share::new(share).unwrap(),
        ..TelemetrySettings::default()
    };
    let traces = TraceSettings::read(&settings).unwrap().unwrap();
    traces
        .record(ServiceKind::Gateway, &InstanceId::new("g1").unwrap(), &NodeId::new("site").unwrap())
        .unwrap()
}

#[test]
fn without_an_exporter_what_comes_in_is_passed_on() {
    let traces = Traces::off();
    let span = traces.begin("request", SpanKind::Server, Some(&parent()));
    assert_eq!(span.child("plan", SpanKind::Client).context(), Some(parent()));
    assert_eq!(traces.begin("request", SpanKind::Server, None).context(), None);
    let mut span = span;
    span.note("never", || -> i64 { panic!("nobody records this") });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_belongs_to_the_trace_that_came_in() {
    let traces = recording(1.0);
    let span = traces.begin("request", SpanKind::Server, Some(&parent()));
    let context = span.context().unwrap();
    assert_eq!((context.trace(), context.flags(), context.state()), (parent().trace(), 1, Some("vendor=1")));
    assert_ne!(context.span(), parent().span());
    let child = span.child("plan", SpanKind::Client).context().unwrap();
    assert_eq!(child.trace(), context.trace());
    assert_ne!(child.span(), context.span());
    let stage = StageTime {
        stage: Stage::Head,
        place: Place::Edge,
        time_ms: Millis::saturating(1.0),
        source: TimeSource::Measured,
    };
    span.stages_until_now(&[stage]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_none_records_only_what_others_began() {
    let traces = recording(0.0);
    let own = traces.begin("request", SpanKind::Server, None).context().unwrap();
    let theirs = traces.begin("request", SpanKind::Server, Some(&parent())).context().unwrap();
    assert_eq!((own.flags(), theirs.flags()), (0, 1));
}

#[test]
fn an_address_that_is_none_is_refused_by_name() {
    for endpoint in ["collector:4318", "ftp://collector", "", "http://"] {
        let settings =
            TelemetrySettings { otlp_endpoint: Some(endpoint.into()), ..TelemetrySettings::default() };
        let error = TraceSettings::read(&settings).unwrap_err();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        assert!(
            causes.into_iter().any(|cause| cause.to_string().contains("telemetry.otlp_endpoint")),
            "{endpoint}"
        );
    }
}

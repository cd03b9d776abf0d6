//! Traces: a span for each stage of a request's way, exported by OTLP where that is configured.
//!
//! A span's place in its trace travels in the headers `traceparent` and `tracestate` (see [`broker::TraceContext`]).
//! Where no exporter is configured a span is nothing but the context that came in, which is passed on.

mod export;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use broker::TraceContext;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span as SdkSpan};
use schemas::{Fault, Place, StageTime, TimeSource};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::warn;

pub use export::{TraceError, TraceSettings};
/// What a span is to those at its two ends.
pub use opentelemetry::trace::SpanKind;

/// How long the last spans may take to leave.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// Where a service's spans go. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Recorder>>);

#[derive(Debug)]
struct Recorder {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Something that takes time in a trace. It ends when it is dropped.
#[derive(Debug, Default)]
pub struct Span {
    recording: Option<Recording>,
    context: Option<TraceContext>,
}

#[derive(Debug)]
struct Recording {
    span: SdkSpan,
    recorder: Arc<Recorder>,
}

impl Traces {
    /// No traces: what comes in is passed on, and nothing is recorded.
    pub fn off() -> Self {
        Self::default()
    }

    /// A span that begins now; without a parent it begins a trace.
    pub fn begin(&self, name: &'static str, kind: SpanKind, parent: Option<&TraceContext>) -> Span {
        match &self.0 {
            Some(recorder) => recorder.begin(name, kind, parent, None),
            None => Span { recording: None, context: parent.cloned() },
        }
    }

    /// Sends what has ended, for at most three seconds. Spans that end later are lost.
    pub async fn finish(&self) {
        let Some(recorder) = self.0.clone() else { return };
        // Exporting waits on a thread of its own.
        let finishing = spawn_blocking(move || recorder.provider.shutdown_with_timeout(LAST_SPANS));
        if !matches!(timeout(LAST_SPANS * 2, finishing).await, Ok(Ok(Ok(())))) {
            warn!("the last spans may not have been exported");
        }
    }
}

impl Recorder {
    fn begin(
        self: &Arc<Self>,
        name: &'static str,
        kind: SpanKind,
        parent: Option<&TraceContext>,
        start: Option<SystemTime>,
    ) -> Span {
        let mut builder = self.tracer.span_builder(name).with_kind(kind);
        builder.start_time = start;
        let above = parent.map_or_else(Context::new, |parent| {
            Context::new().with_remote_span_context(span_context(parent))
        });
        let span = self.tracer.build_with_context(builder, &above);
        let context = trace_context(span.span_context());
        Span { recording: Some(Recording { span, recorder: self.clone() }), context }
    }
}

impl Span {
    /// What follows from it carries this.
    pub fn context(&self) -> Option<TraceContext> {
        self.context.clone()
    }

    /// A span within this one.
    pub fn child(&self, name: &'static str, kind: SpanKind) -> Self {
        match &self.recording {
            Some(Recording { recorder, .. }) => recorder.begin(name, kind, self.context.as_ref(), None),
            None => Self { recording: None, context: self.context.clone() },
        }
    }

    /// Says something about it. `value` is asked for only where spans are recorded.
    pub fn note<V: Into<Value>>(&mut self, key: &'static str, value: impl FnOnce() -> V) {
        if let Some(Recording { span, .. }) = &mut self.recording {
            span.set_attribute(KeyValue::new(key, value()));
        }
    }

    /// It ended with an error.
    pub fn fail(&mut self, fault: &Fault) {
        if let Some(Recording { span, .. }) = &mut self.recording {
            span.set_attribute(KeyValue::new("error.type", fault.kind.as_str()));
            span.set_status(Status::error(fault.message.clone()));
        }
    }

    /// Stages that came one after another, the last of which has just ended, each as a span within this one.
    pub fn stages_until_now(&self, stages: &[StageTime]) {
        let Some(Recording { recorder, .. }) = &self.recording else { return };
        let mut end = SystemTime::now();
        for stage in stages.iter().rev() {
            let start = end.checked_sub(stage.time_ms.to_duration()).unwrap_or(end);
            let (name, parent) = (stage.stage.as_str(), self.context.as_ref());
            let mut child = recorder.begin(name, SpanKind::Internal, parent, Some(start));
            child.note("splinter.place", || stage.place.as_str());
            child.note("splinter.emulated", || stage.source == TimeSource::Emulated);
            child.end_at(end);
            end = start;
        }
    }

    fn end_at(mut self, end: SystemTime) {
        if let Some(Recording { span, .. }) = &mut self.recording {
            span.end_with_timestamp(end);
        }
    }
}

/// Those stages of several that ran at one place.
pub fn stages_at(stages: &[StageTime], place: Place) -> Vec<StageTime> {
    stages.iter().filter(|stage| stage.place == place).copied().collect()
}

fn span_context(context: &TraceContext) -> SpanContext {
    // A state that is none is left out; the trace goes on without it.
    let state = context.state().and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    SpanContext::new(
        TraceId::from(context.trace()),
        SpanId::from(context.span()),
        TraceFlags::new(context.flags()),
        true,
        state,
    )
}

fn trace_context(span: &SpanContext) -> Option<TraceContext> {
    let trace = u128::from_be_bytes(span.trace_id().to_bytes());
    let id = u64::from_be_bytes(span.span_id().to_bytes());
    let context = TraceContext::new(trace, id, span.trace_flags().to_u8()).ok()?;
    Some(context.with_state(Some(&span.trace_state().header())))
}

#[cfg(test)]
mod tests;

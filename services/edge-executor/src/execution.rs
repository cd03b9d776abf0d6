//! One execution: set the clock, run the head, call the cloud, finish at home when it must.

use std::sync::Arc;

use broker::{Request, Response, TraceContext};
use bytes::Bytes;
use chassis::metrics::{EdgeExecutorMetrics, Label};
use chassis::{ComputeThread, Computed, Span, SpanKind, Traces};
use energy::breakdown;
use model_host::{Catalogue, Hosted, compute_fault};
use models::classify;
use schemas::{
    ByteCount, Codec, Configuration, Cut, DevicePower, EnergyEntry, ExecuteReply, ExecuteRequest, Fallback,
    Fault, FaultKind, InstanceId, LayerProfile, Millis, ModelName, Place, RequestId, Stage, StageEnergy,
    StageTime, Tensor, TimeSource, UnixMillis,
};
use tracing::debug;

use crate::budget;
use crate::clock::{Clock, ClockLease, Need};
use crate::cloud::{Away, Cloud, TailCall};
use crate::energy::Busy;
use crate::local::{self, Finished, Headed, Pace};

/// The label of a network that is not served here.
const UNKNOWN: Label = Label::Borrowed("unknown");

/// What executions share.
#[derive(Debug)]
pub(crate) struct Executor {
    pub catalogue: Catalogue,
    pub compute: ComputeThread,
    pub busy: Busy,
    pub clock: Clock,
    pub cloud: Cloud,
    pub counted: EdgeExecutorMetrics,
    pub traces: Traces,
}

/// The parts of a request that outlive its message's borrow.
struct Asked {
    id: RequestId,
    model: ModelName,
    configuration: Configuration,
    cloud: Option<InstanceId>,
    deadline: UnixMillis,
    hosted: Arc<Hosted>,
    body: Bytes,
}

impl Asked {
    /// What it needs of the clock.
    fn need(&self, trace: Option<TraceContext>) -> Need {
        let frequency = self.configuration.edge_frequency_khz;
        Need { id: self.id, frequency, deadline: self.deadline, trace }
    }
}

/// What has been done so far.
#[derive(Default)]
struct Progress {
    span: Span,
    /// Stages before this one are traced.
    traced: usize,
    stages: Vec<StageTime>,
    /// The joules of other places, and all joules by stage.
    energy: Vec<EnergyEntry>,
    breakdown: Vec<StageEnergy>,
    fallback: Option<Fallback>,
    cloud: Option<InstanceId>,
    sent: ByteCount,
    waited: Millis,
    profiles: Vec<LayerProfile>,
}

impl Executor {
    /// Runs one request to its answer.
    pub(crate) async fn execute(&self, request: Request) -> Result<Response, Fault> {
        let mut span = self.traces.begin("execute", SpanKind::Server, request.trace().as_ref());
        span.note("splinter.request", || request.id.to_string());
        let asked = match self.read(&request) {
            Ok(asked) => asked,
            Err(fault) => {
                span.fail(&fault);
                self.counted.failed(&UNKNOWN, &fault);
                return Err(fault);
            }
        };
        span.note("splinter.cut", || i64::from(asked.configuration.cut.0));
        let mut progress = Progress { span, ..Progress::default() };
        let ended = self.run(&asked, &mut progress).await;
        let model: Label = asked.model.to_string().into();
        match &ended {
            Ok(_) => self.counted.answered(&model, &progress.stages, &progress.energy, progress.sent.0),
            Err(fault) => {
                progress.span.fail(fault);
                self.counted.failed(&model, fault);
            }
        }
        ended
    }

    async fn run(&self, asked: &Asked, progress: &mut Progress) -> Result<Response, Fault> {
        let lease = self.lease(asked, progress).await;
        let power = lease.power;
        let frequency = lease.report.as_ref().and_then(|report| report.frequency_khz);
        let (output, cut) = if asked.configuration.cut == asked.hosted.network.last_cut() {
            (self.run_whole(asked, lease, progress).await?, asked.configuration.cut)
        } else {
            self.run_split(asked, lease, progress).await?
        };
        progress.note_energy(power);
        let is_end = cut == Cut::ALL_CLOUD || cut == asked.hosted.network.last_cut();
        let executed = Configuration {
            cut,
            // At the two ends nothing is written with a codec.
            codec: if is_end { Codec::default() } else { asked.configuration.codec },
            // Without a tuner the clock that ran is not known.
            edge_frequency_khz: frequency.filter(|_| asked.configuration.edge_frequency_khz.is_some()),
            ..asked.configuration
        };
        if let Some(fallback) = progress.fallback {
            self.counted.fell_back(fallback);
        }
        progress.answer(output, executed, &asked.hosted)
    }

    /// The clock that a request wants, with what that took.
    async fn lease(&self, asked: &Asked, progress: &mut Progress) -> ClockLease {
        let lease = self.clock.lease(asked.need(progress.span.context())).await;
        progress.note_lease(&lease);
        progress.trace();
        match (lease.changed_in, lease.as_wanted) {
            (_, false) => self.counted.hardware_changes.count(["failed".into()]),
            (Some(_), true) => self.counted.hardware_changes.count(["changed".into()]),
            (None, true) => {}
        }
        lease
    }

    fn read(&self, request: &Request) -> Result<Asked, Fault> {
        let ExecuteRequest { id, model, configuration, cloud, .. } = local::decode(&request.body)?;
        let hosted = self
            .catalogue
            .get(&model)
            .ok_or_else(|| Fault::new(FaultKind::UnknownModel, format!("{model} is not served here")))?;
        let last = hosted.network.last_cut();
        if configuration.cut > last {
            let text = format!("{model} has no cut {}: its last is {last}", configuration.cut);
            return Err(Fault::new(FaultKind::BadRequest, text));
        }
        let (deadline, body) = (request.deadline, request.body.clone());
        Ok(Asked { id, model, configuration, cloud, deadline, hosted, body })
    }

    async fn run_whole(
        &self,
        asked: &Asked,
        lease: ClockLease,
        progress: &mut Progress,
    ) -> Result<Tensor<'static>, Fault> {
        let (hosted, body, pace) = (asked.hosted.clone(), asked.body.clone(), pace(&lease));
        let done = self.compute(progress, move || local::whole(&hosted, &body, pace)).await?;
        progress.stages.extend(done.stages);
        progress.trace();
        progress.profiles.extend(done.profile);
        Ok(done.output)
    }

    /// Gives the output and the cut that really ran: the last one when it was finished at home.
    async fn run_split(
        &self,
        asked: &Asked,
        lease: ClockLease,
        progress: &mut Progress,
    ) -> Result<(Tensor<'static>, Cut), Fault> {
        let (hosted, body, pace) = (asked.hosted.clone(), asked.body.clone(), pace(&lease));
        let Headed { message, frontier, stages, profile } =
            self.compute(progress, move || local::head(&hosted, &body, pace)).await?;
        progress.stages.extend(stages);
        progress.trace();
        progress.profiles.extend(profile);
        // Others may have the clock while this frontier travels.
        let slowdown = lease.report.as_ref().and_then(|report| report.slowdown).unwrap_or(1.0);
        drop(lease);
        let home = asked.hosted.tail_time(asked.configuration.cut) * slowdown;
        let at_most = budget::for_cloud(asked.deadline.remaining(), home);
        let sent = ByteCount(message.as_ref().map_or(0, Vec::len) as u64);
        let away = match message {
            Some(message) => self.ask_cloud(asked, message, at_most, progress).await,
            None => {
                let codec = asked.configuration.codec;
                debug!(id = %asked.id, %codec, "the codec cannot write this frontier, finishing at home");
                None
            }
        };
        match away {
            Some(away) => {
                progress.note_cloud(&away, sent);
                Ok((away.output, asked.configuration.cut))
            }
            None => {
                let done = self.finish_at_home(asked, frontier, progress).await?;
                progress.stages.extend(done.stages);
                progress.trace();
                progress.fallback = Some(Fallback::FinishedAtHome);
                Ok((done.output, asked.hosted.network.last_cut()))
            }
        }
    }

    async fn ask_cloud(
        &self,
        asked: &Asked,
        message: Vec<u8>,
        at_most: std::time::Duration,
        progress: &mut Progress,
    ) -> Option<Away> {
        if at_most.is_zero() {
            return None;
        }
        let start = std::time::Instant::now();
        let (id, model, first) = (asked.id, asked.model.clone(), asked.cloud.clone());
        let digest = asked.hosted.bundle.digest().clone();
        let mut span = progress.span.child("transfer", SpanKind::Client);
        span.note("splinter.sent_bytes", || message.len() as i64);
        let trace = span.context();
        let tail = TailCall { id, model, digest, first, message, at_most, trace };
        let ended = self.cloud.run_tail(tail).await;
        progress.waited = start.elapsed().into();
        match ended {
            Ok(away) => {
                self.counted.cloud_calls.count(["answered".into()]);
                Some(away)
            }
            Err(error) => {
                self.counted.cloud_calls.count(["failed".into()]);
                span.fail(&error.to_fault());
                debug!(id = %asked.id, %error, "no tail from the cloud, finishing at home");
                progress.stages.push(StageTime {
                    stage: Stage::Transfer,
                    place: Place::Wire,
                    time_ms: progress.waited,
                    source: TimeSource::Measured,
                });
                progress.traced = progress.stages.len();
                None
            }
        }
    }

    async fn finish_at_home(
        &self,
        asked: &Asked,
        frontier: Vec<Tensor<'static>>,
        progress: &mut Progress,
    ) -> Result<Finished, Fault> {
        let lease = self.clock.lease(asked.need(progress.span.context())).await;
        let (hosted, body, pace) = (asked.hosted.clone(), asked.body.clone(), pace(&lease));
        let configuration = asked.configuration;
        self.compute(progress, move || match configuration.cut {
            Cut::ALL_CLOUD => local::whole(&hosted, &body, pace),
            _ => local::tail(&hosted, &configuration, &frontier, pace),
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        progress: &mut Progress,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let busy = self.busy.clone();
        let counted = move || {
            let _working = busy.begin();
            work()
        };
        let Computed { value, waited } =
            self.compute.submit(counted).await.map_err(|error| compute_fault(&error))?;
        progress.stages.push(at_edge(Stage::Queue, waited.into()));
        value
    }
}

fn pace(lease: &ClockLease) -> Pace {
    Pace::new(lease.report.as_ref().and_then(|report| report.slowdown))
}

fn at_edge(stage: Stage, time_ms: Millis) -> StageTime {
    StageTime { stage, place: Place::Edge, time_ms, source: TimeSource::Measured }
}

impl Progress {
    /// Traces the stages that have just ended.
    fn trace(&mut self) {
        self.span.stages_until_now(&self.stages[self.traced..]);
        self.traced = self.stages.len();
    }

    fn note_lease(&mut self, lease: &ClockLease) {
        self.stages.extend(lease.changed_in.map(|time| at_edge(Stage::HardwareChange, time.into())));
        if !lease.as_wanted {
            self.fallback = Some(Fallback::HardwareAsItWas);
        }
    }

    /// The joules of this machine: computing, and waiting for the cloud; none when its power is not known.
    fn note_energy(&mut self, power: Option<DevicePower>) {
        let Some(power) = power else { return };
        let mut own = breakdown::of_computing(&self.stages, Place::Edge, power);
        if self.waited > Millis::ZERO {
            own.push(breakdown::of_waiting(Place::Edge, self.waited, power));
        }
        self.energy.extend(breakdown::totals(&own));
        self.breakdown.extend(own);
    }

    fn note_cloud(&mut self, away: &Away, sent: ByteCount) {
        self.stages.extend_from_slice(&away.stages);
        self.energy.extend_from_slice(&away.energy);
        self.breakdown.extend_from_slice(&away.breakdown);
        self.profiles.extend(away.profile.clone());
        self.cloud = Some(away.instance.clone());
        self.sent = sent;
        // The cloud traces its own stages, and the transfer has a span.
        self.traced = self.stages.len();
    }

    fn answer(
        &mut self,
        output: Tensor<'static>,
        configuration: Configuration,
        hosted: &Hosted,
    ) -> Result<Response, Fault> {
        let _replying = self.span.child("reply", SpanKind::Internal);
        let top =
            classify(&output, hosted.bundle.labels()).map_err(|error| model_host::model_fault(&error))?;
        Response::messagepack(&ExecuteReply {
            output,
            top,
            configuration,
            fallback: self.fallback,
            cloud: self.cloud.clone(),
            sent_bytes: self.sent,
            // They are counted afterwards.
            stages: self.stages.clone(),
            energy: self.energy.clone(),
            breakdown: std::mem::take(&mut self.breakdown),
            profiles: std::mem::take(&mut self.profiles),
        })
    }
}

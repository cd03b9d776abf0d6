//! The shell: answers tune requests one after another, and announces the hardware.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use broker::{Announcement, Endpoint, Identity, PresenceUpdate, Request, Response, Serving, subjects};
use chassis::metrics::TunerMetrics;
use chassis::{RunningService, ServiceContext, Span, SpanKind};
use schemas::{
    Fault, FaultKind, HardwareReport, InstanceId, NodeId, RequestId, ServiceKind, Setting, TuneOrder,
    TuneReply, TuneRequest,
};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::device::Device;
use crate::error::TunerError;
use crate::settings::Settings;

/// Tune requests that may wait for one another. Each takes below a millisecond, and one edge executor a node asks.
const CAPACITY: u32 = 8;

/// How often the energy counters are read: often enough for a mean over a second, and a few files each time.
const SAMPLING: Duration = Duration::from_millis(250);

/// Every so many samples the whole hardware is read for the presence: each second, as often as it is announced.
const SAMPLES_A_REPORT: u32 = 4;

/// Who holds what was set without a lease.
const ANYONE: &str = "anyone";

/// A tuner that answers. Dropped, it falls silent as in a crash, and what it set stays until the next one starts.
#[derive(Debug)]
pub struct Running {
    announcement: Announcement,
    serving: Serving,
    machine: Arc<Machine>,
    _sampler: Sampler,
}

/// Starts a tuner; when this returns, it answers and is announced with the node's hardware.
///
/// Settings that make no sense are refused before anything is served.
pub async fn start(settings: Settings, context: ServiceContext) -> Result<Running, TunerError> {
    let ServiceContext { bus, node, instance, metrics, traces, .. } = context;
    let name = node.clone();
    let starting = spawn_blocking(move || Machine::new(&settings, &name)).await;
    let machine = Arc::new(starting.map_err(|_| TunerError::Interrupted)??);
    let first = machine.clone();
    let report = spawn_blocking(move || first.read()).await.map_err(|_| TunerError::Interrupted)?;
    info!(emulates = report.emulates, clock = ?report.frequency_khz, knobs = ?report.knobs, "hardware");
    let sampler = Sampler::start(machine.clone())?;

    let at = |step| move |source| TunerError::Broker { step, source };
    let answering = machine.clone();
    let counted = TunerMetrics::new(&metrics);
    let reported = counted.clone();
    metrics.read_from(&machine, move |machine| {
        if let Some(report) = machine.last_read() {
            reported.hardware(&report);
        }
    });
    let answer = move |request: Request| {
        let (machine, counted) = (answering.clone(), counted.clone());
        // Reports, which nobody's request asks for, begin no trace.
        let mut span = request
            .trace()
            .map_or_else(Span::default, |trace| traces.begin("tune", SpanKind::Server, Some(&trace)));
        span.note("splinter.request", || request.id.to_string());
        async move { answer(machine, &counted, request).await.inspect_err(|fault| span.fail(fault)) }
    };
    let endpoint = Endpoint::new(CAPACITY).shared(subjects::tune(&node));
    let serving = bus.serve(endpoint, answer).await.map_err(at("serving tune requests"))?;
    let credits = serving.credits().clone();
    metrics.follow_credits(ServiceKind::Tuner, &credits);
    let known = machine.clone();
    let update = move || PresenceUpdate { hardware: known.last_read(), ..PresenceUpdate::from(&credits) };
    let identity = Identity { service: ServiceKind::Tuner, instance, node };
    let announcement =
        bus.announce(identity, env!("CARGO_PKG_VERSION"), update).await.map_err(at("announcing itself"))?;
    Ok(Running { announcement, serving, machine, _sampler: sampler })
}

impl RunningService for Running {
    async fn leave(self, grace: Duration) {
        self.announcement.leave(self.serving.leave(grace)).await;
        let machine = self.machine;
        if spawn_blocking(move || machine.release_all()).await.is_err() {
            warn!("the original state may not be back: it will be when a tuner starts again");
        }
    }
}

async fn answer(machine: Arc<Machine>, counted: &TunerMetrics, request: Request) -> Result<Response, Fault> {
    let question = question(&request)?;
    let (task, begun, id) = (task(&question), Instant::now(), request.id);
    let done = spawn_blocking(move || machine.tune(id, question)).await;
    let reply = done.map_err(|_| TunerError::Interrupted.to_fault()).and_then(|reply| reply);
    counted.asked(task, reply.as_ref(), begun.elapsed());
    let reply = reply?;
    if request.plain { Response::json(&reply) } else { Response::messagepack(&reply) }
}

/// What is asked, in a word for metrics.
fn task(question: &TuneRequest) -> &'static str {
    match question {
        TuneRequest::SetFrequency(_) | TuneRequest::Apply(_) => "set",
        TuneRequest::Release(_) => "release",
        _ => "report",
    }
}

/// What is asked. An empty message from a plain client, such as `nats req splinter.v1.tune.<node> ''`, asks for a
/// report.
fn question(request: &Request) -> Result<TuneRequest, Fault> {
    if request.plain && request.body.is_empty() {
        return Ok(TuneRequest::Report);
    }
    schemas::decode(&request.body)
        .map_err(|error| Fault::new(FaultKind::BadRequest, format!("not a tune request: {error}")))
}

/// The device behind a lock: one order after another, each with its own read-back. Every method blocks.
#[derive(Debug)]
struct Machine {
    device: Mutex<Device>,
    /// The last report, apart so that the presence never waits for files.
    last: Mutex<Option<HardwareReport>>,
    started: Instant,
    /// How long a clock set without a lease stays.
    default_lease: Duration,
}

impl Machine {
    fn new(settings: &Settings, node: &NodeId) -> Result<Self, TunerError> {
        let device = Mutex::new(Device::new(settings, node)?);
        let default_lease = Duration::from_secs(u64::from(settings.lease_s));
        Ok(Self { device, last: Mutex::new(None), started: Instant::now(), default_lease })
    }

    /// Does what is asked, and reports the machine as it is then.
    fn tune(&self, id: RequestId, question: TuneRequest) -> Result<TuneReply, Fault> {
        let started = Instant::now();
        let mut device = lock(&self.device);
        let (mut dry_run, mut writes) = (false, Vec::new());
        let hardware = match question {
            TuneRequest::Report => {
                // So that the meter's count is of this moment, and not of the last sample.
                device.sample(self.started.elapsed());
                self.read_from(&mut device)
            }
            TuneRequest::SetFrequency(clock) => {
                writes = self.apply(id, &mut device, &self.order_of_anyone(clock)?)?;
                self.refresh_from(&mut device)
            }
            TuneRequest::Apply(order) => {
                dry_run = order.dry_run;
                writes = self.apply(id, &mut device, &order)?;
                self.refresh_from(&mut device)
            }
            TuneRequest::Release(holder) => {
                device.release(&holder, self.started.elapsed());
                self.refresh_from(&mut device)
            }
            _ => return Err(Fault::new(FaultKind::Unsupported, "this tuner does not know that request")),
        };
        let changed = !dry_run && !writes.is_empty();
        Ok(TuneReply { hardware, changed, took_ms: started.elapsed().into(), writes })
    }

    fn apply(
        &self,
        id: RequestId,
        device: &mut Device,
        order: &TuneOrder,
    ) -> Result<Vec<schemas::SettingWrite>, Fault> {
        let applied = device.apply(order, self.started.elapsed());
        applied
            .inspect_err(|error| warn!(%id, holder = %order.holder, reason = error.in_words(), "not set"))
            .map_err(|error| error.to_fault())
    }

    fn order_of_anyone(&self, clock: schemas::KiloHertz) -> Result<TuneOrder, Fault> {
        let holder = InstanceId::new(ANYONE);
        let holder = holder.map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
        let settings = vec![Setting::CpuFrequency(clock)];
        Ok(TuneOrder { holder, lease_ms: self.default_lease.into(), settings, dry_run: false })
    }

    fn read(&self) -> HardwareReport {
        self.read_from(&mut lock(&self.device))
    }

    fn read_from(&self, device: &mut Device) -> HardwareReport {
        let report = device.report(self.started.elapsed());
        *lock(&self.last) = Some(report.clone());
        report
    }

    /// The last report with what an order may have changed: sensors are not read for it.
    fn refresh_from(&self, device: &mut Device) -> HardwareReport {
        let Some(mut report) = self.last_read() else { return self.read_from(device) };
        device.refresh(&mut report, self.started.elapsed());
        *lock(&self.last) = Some(report.clone());
        report
    }

    fn last_read(&self) -> Option<HardwareReport> {
        lock(&self.last).clone()
    }

    /// Reads the meter, and brings back what nobody holds any more.
    fn sample(&self) {
        let now = self.started.elapsed();
        let mut device = lock(&self.device);
        device.sample(now);
        device.bring_back_what_ended(now);
    }

    fn release_all(&self) {
        lock(&self.device).release_all(self.started.elapsed());
    }
}

/// What a panic left behind is still the last state that was read or set.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that reads the energy counters, and now and then everything. It ends when this is dropped.
#[derive(Debug)]
struct Sampler {
    _ends_with: mpsc::Sender<()>,
}

impl Sampler {
    fn start(machine: Arc<Machine>) -> Result<Self, TunerError> {
        let (ends_with, dropped) = mpsc::channel::<()>();
        let sampling = move || {
            for sample in (1..=SAMPLES_A_REPORT).cycle() {
                if dropped.recv_timeout(SAMPLING) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                machine.sample();
                if sample == SAMPLES_A_REPORT {
                    machine.read();
                }
            }
        };
        let thread = std::thread::Builder::new().name("tuner-sampler".to_owned());
        thread.spawn(sampling).map_err(|source| TunerError::NoThread { source })?;
        Ok(Self { _ends_with: ends_with })
    }
}

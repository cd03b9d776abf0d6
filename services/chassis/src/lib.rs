//! What every Splinter service stands on.
//!
//! - [`SettingsFile`]: one TOML file with a table for each service, then `SPLINTER_<TABLE>__<KEY>` variables.
//! - [`telemetry()`]: logs, for people or as JSON.
//! - [`Metrics`]: what Prometheus reads, of every service by one scheme.
//! - [`Health`]: whether a service lives and is ready.
//! - [`Instruments`]: `/metrics`, `/livez` and `/readyz` of a process; [`Attendance`]: what is said of a service while it runs.
//! - [`Traces`]: a span for each stage of a request's way, exported by OTLP.
//! - [`live`]: the life of a service's process, from its settings to leaving in order.
//! - `--check` of every service: asks the one that runs here whether it is ready, for engines that can only run a command.
//! - [`shutdown_signal`], [`run`]: how a process ends, and with which exit code.
//! - [`ServiceContext`]: the connection and the names that a service starts with.
//! - [`ComputeThread`]: the thread on which networks run, with a bounded queue.

mod attendance;
mod check;
mod compute;
mod context;
mod exit;
mod health;
mod instruments;
mod life;
pub mod metrics;
mod settings;
mod signal;
mod telemetry;
mod traces;

pub use attendance::Attendance;
pub use check::CheckError;
pub use compute::{ComputeError, ComputeThread, Computed};
pub use context::{NodeSettings, ServiceContext};
pub use exit::run;
pub use health::{Health, HealthReport, LifeState};
pub use instruments::{Instruments, InstrumentsError};
pub use life::{RunningService, ServiceSettings, live};
pub use metrics::Metrics;
pub use settings::{Environment, ProcessEnvironment, ServiceArguments, SettingsError, SettingsFile};
pub use signal::{Signal, shutdown_signal};
pub use telemetry::{LogFormat, TelemetryError, TelemetrySettings, telemetry};
pub use traces::{Span, SpanKind, TraceError, TraceSettings, Traces, stages_at};

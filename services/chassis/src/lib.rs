//! What every Splinter service stands on.
//!
//! - [`SettingsFile`]: one TOML file with a table for each service, then `SPLINTER_<TABLE>__<KEY>` variables.
//! - [`telemetry()`]: logs, for people or as JSON.
//! - [`live`]: the life of a service's process, from its settings to leaving in order.
//! - `--check` of every service: asks the one that runs here whether it is ready, for engines that can only run a command.
//! - [`shutdown_signal`], [`run`]: how a process ends, and with which exit code.
//! - [`ServiceContext`]: the connection and the names that a service starts with.
//! - [`ComputeThread`]: the thread on which networks run, with a bounded queue.

mod check;
mod compute;
mod context;
mod exit;
mod life;
mod settings;
mod signal;
mod telemetry;

pub use check::CheckError;
pub use compute::{ComputeError, ComputeThread, Computed};
pub use context::{NodeSettings, ServiceContext};
pub use exit::run;
pub use life::{RunningService, ServiceSettings, live};
pub use settings::{Environment, ProcessEnvironment, ServiceArguments, SettingsError, SettingsFile};
pub use signal::{Signal, shutdown_signal};
pub use telemetry::{LogFormat, TelemetryError, TelemetrySettings, telemetry};

//! `splinter energy`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArguments;

/// `splinter energy`
#[derive(Debug, Subcommand)]
pub enum EnergyCommand {
    /// Measure idle and full load of this machine at each clock, and write its power model
    Calibrate(CalibrateArguments),
}

/// `splinter energy calibrate`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
  sudo splinter energy calibrate -o power.toml               every clock, five loads of 5 s each
  splinter energy calibrate -o power.toml --as-it-is         without rights to set the clock

Then, in splinter.toml:
  [tuner]
  power_model = \"power.toml\"

It reads this machine's own meter (RAPL, a power sensor of the board, a battery that discharges), chosen as the
tuner chooses it; [tuner] meter names another. Where there is none it says so and writes nothing: give the power
in [tuner] power = { active_w, waiting_w } then. Stop other programs first: what they draw is taken for idle.
Setting clocks and reading counters takes rights; docs/tuner.md says which.")]
pub struct CalibrateArguments {
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Clocks in MHz, separated by commas [default: all that the machine offers]
    #[arg(long, value_name = "MHZ", value_delimiter = ',', conflicts_with = "as_it_is")]
    pub clocks: Vec<u64>,
    /// Leave the clock as it is, and measure only that
    #[arg(long)]
    pub as_it_is: bool,
    /// Seconds to measure each load at each clock
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub seconds: f64,
    /// Settings file with the table [tuner] [default: splinter.toml where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub json: OutputArguments,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.5..=600.0).contains(&seconds) { Ok(seconds) } else { Err("use 0.5 to 600 seconds".to_owned()) }
}

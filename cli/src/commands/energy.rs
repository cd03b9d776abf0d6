//! `splinter energy`: what this machine draws, measured.

use std::time::Duration;

use anyhow::{Context, ensure};
use chassis::{NodeSettings, ProcessEnvironment, ServiceSettings, SettingsFile};
use energy::PowerModel;
use schemas::KiloHertz;
use tuner::calibration::{Bench, CalibrationPlan, calibrate};

use crate::arguments::{CalibrateArguments, EnergyCommand};
use crate::output;
use crate::render;

/// Runs one of the energy commands.
pub async fn run(command: EnergyCommand) -> anyhow::Result<()> {
    match command {
        EnergyCommand::Calibrate(arguments) => {
            let output = arguments.json.json;
            let measured = tokio::task::spawn_blocking(move || measure(&arguments)).await?;
            output::print(output, &measured?, render::power_model)
        }
    }
}

/// Measures this machine and writes its model; the machine is as it was when this returns.
fn measure(arguments: &CalibrateArguments) -> anyhow::Result<PowerModel> {
    let file = SettingsFile::load(arguments.config.as_deref(), &ProcessEnvironment)?;
    let settings = tuner::Settings::read(&file)?;
    let NodeSettings { node, .. } = file.table("node")?;
    let mut bench = Bench::open(&settings, &node).context("this machine cannot be calibrated")?;
    let clocks = clocks(arguments, &mut bench)?;
    let plan = CalibrationPlan::quarters(clocks, Duration::from_secs_f64(arguments.seconds));
    let bar = output::progress(plan.steps() as u64, "measuring power");
    let model = calibrate(&mut bench, &node, &plan, |sample| {
        bar.inc(1);
        bar.set_message(format!("{:.2} W at {:.0} % load", sample.power.get(), sample.load.get() * 100.0));
    });
    bar.finish_and_clear();
    let model = model?;
    let text = toml::to_string_pretty(&model).context("the model cannot be written as TOML")?;
    output::write_whole(&arguments.output, text.as_bytes())?;
    output::say(&format!("written to {}", arguments.output.display()));
    Ok(model)
}

fn clocks(arguments: &CalibrateArguments, bench: &mut Bench) -> anyhow::Result<Vec<KiloHertz>> {
    if arguments.as_it_is {
        return Ok(Vec::new());
    }
    if !arguments.clocks.is_empty() {
        return Ok(arguments.clocks.iter().copied().map(KiloHertz::from_megahertz).collect());
    }
    let clocks = bench.clocks();
    ensure!(
        !clocks.is_empty(),
        "the clock of this machine cannot be set (see docs/tuner.md for the rights it takes): \
         measure it as it is with --as-it-is"
    );
    Ok(clocks)
}

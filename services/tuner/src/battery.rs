//! Batteries: the power that flows into or out of them.

use schemas::{SensorKind, SensorReport};

use crate::error::TunerError;
use crate::sysfs::Sysfs;

const CLASS: &str = "class/power_supply";

/// Every battery with its power, or why it cannot be read.
pub fn sensors(sysfs: &Sysfs) -> Vec<SensorReport> {
    let is_battery =
        |name: &String| sysfs.text(format!("{CLASS}/{name}/type")).is_ok_and(|kind| kind == "Battery");
    let report = |name: String| SensorReport {
        reading: reading(sysfs, &name).map_err(|error| error.in_words()),
        kind: SensorKind::Battery,
        name,
    };
    sysfs.names(CLASS).into_iter().filter(is_battery).map(report).collect()
}

/// Drivers give either the power, or current and voltage.
fn reading(sysfs: &Sysfs, name: &str) -> Result<String, TunerError> {
    let file = |file: &str| format!("{CLASS}/{name}/{file}");
    let watts = match sysfs.text_if_there(file("power_now"))? {
        Some(_) => signed(sysfs, &file("power_now"))? / 1e6,
        None => signed(sysfs, &file("current_now"))? * signed(sysfs, &file("voltage_now"))? / 1e12,
    };
    // Some drivers count discharging as negative: the direction is in `status`.
    let status = sysfs.text_if_there(file("status"))?.unwrap_or_else(|| "Unknown".to_owned());
    Ok(format!("{:.3} W, {}", watts.abs(), status.to_lowercase()))
}

fn signed(sysfs: &Sysfs, file: &str) -> Result<f64, TunerError> {
    crate::sysfs::read_number::<i64>(&sysfs.path(file)).map(|number| number as f64)
}

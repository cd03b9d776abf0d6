//! Power and temperature sensors of the board (hwmon).
//!
//! On the kernel's own tree the devices come from the crate `sysfs-class`. Its `HwMon` exists only below
//! `/sys/class/hwmon` (any other root takes an unsafe constructor, which this workspace forbids), and its
//! temperatures are unsigned. So on another root the folder is listed here, and on both the values of a device
//! are read and parsed by the same code, with signs.

use std::path::{Path, PathBuf};

use schemas::{SensorKind, SensorReport};
use sysfs_class::{HwMon, SysClass};

use crate::error::TunerError;
use crate::sysfs::{Sysfs, folder_names, read_number};

const CLASS: &str = "class/hwmon";

/// Every power and temperature sensor with its reading, or why it cannot be read.
pub fn sensors(sysfs: &Sysfs) -> Vec<SensorReport> {
    devices(sysfs).iter().flat_map(|device| sensors_of(device)).collect()
}

fn devices(sysfs: &Sysfs) -> Vec<PathBuf> {
    if sysfs.is_kernels() {
        let mut devices: Vec<PathBuf> =
            HwMon::iter().filter_map(|device| Some(device.ok()?.path().to_owned())).collect();
        devices.sort_unstable();
        return devices;
    }
    sysfs.names(CLASS).into_iter().map(|name| sysfs.path(CLASS).join(name)).collect()
}

fn sensors_of(device: &Path) -> Vec<SensorReport> {
    let chip = std::fs::read_to_string(device.join("name"));
    let chip = chip.as_deref().map_or("unnamed", str::trim);
    folder_names(device)
        .iter()
        .filter_map(|file| {
            let (kind, channel) = kind_of(file)?;
            let label = std::fs::read_to_string(device.join(format!("{channel}_label")));
            let name = match label.as_deref().map(str::trim) {
                Ok(label) if !label.is_empty() => format!("{chip} {label}"),
                _ => format!("{chip} {channel}"),
            };
            let reading = reading(kind, &device.join(file)).map_err(|error| error.in_words());
            Some(SensorReport { name, kind, reading })
        })
        .collect()
}

/// What a file of a device measures, and its channel, such as `power1`.
fn kind_of(file: &str) -> Option<(SensorKind, &str)> {
    let channel = file.strip_suffix("_input").or_else(|| file.strip_suffix("_average"))?;
    let kind = match channel.trim_end_matches(|character: char| character.is_ascii_digit()) {
        "power" => SensorKind::HwmonPower,
        "temp" => SensorKind::HwmonTemperature,
        _ => return None,
    };
    Some((kind, channel))
}

fn reading(kind: SensorKind, file: &Path) -> Result<String, TunerError> {
    let raw: i64 = read_number(file)?;
    Ok(match kind {
        SensorKind::HwmonTemperature => format!("{:.1} °C", raw as f64 / 1e3),
        _ => format!("{:.3} W", raw as f64 / 1e6),
    })
}

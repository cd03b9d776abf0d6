//! Power and temperature sensors of the board (hwmon).
//!
//! On the kernel's own tree the devices come from the crate `sysfs-class`. Its `HwMon` exists only below
//! `/sys/class/hwmon` (any other root takes an unsafe constructor, which this workspace forbids), and its
//! temperatures are unsigned. So on another root the folder is listed here, and on both the values of a device
//! are read and parsed by the same code, with signs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use energy::PowerIntegral;
use schemas::{Joules, SensorKind, SensorReport, Watts};
use sysfs_class::{HwMon, SysClass};

use super::{EnergyMeter, Sources};
use crate::error::TunerError;
use crate::sysfs::{Sysfs, folder_names, read_number, read_text};

const CLASS: &str = "class/hwmon";

/// Labels and chips that stand for the whole board: the input rail of Jetson boards (INA3221), and ACPI power meters of
/// servers.
const WHOLE_BOARD_LABELS: [&str; 2] = ["VDD_IN", "POM_5V_IN"];
const WHOLE_BOARD_CHIP: &str = "power_meter";

/// Every power and temperature sensor with its reading, or why it cannot be read.
pub(super) fn sensors(sysfs: &Sysfs) -> Vec<SensorReport> {
    let temperatures = devices(sysfs).into_iter().flat_map(|device| temperatures(&device));
    let powers = power_sensors(sysfs).into_iter().map(|sensor| SensorReport {
        reading: sensor
            .power()
            .map(|power| format!("{:.3} W", power.get()))
            .map_err(|error| error.in_words()),
        kind: SensorKind::HwmonPower,
        name: sensor.name,
    });
    powers.chain(temperatures).collect()
}

/// A meter for each power sensor: rails may be part of one another, so they are never added up.
pub(super) fn meters(sysfs: &Sysfs) -> Vec<Box<dyn EnergyMeter>> {
    power_sensors(sysfs)
        .into_iter()
        .map(|sensor| Box::new(BoardMeter::new(sensor)) as Box<dyn EnergyMeter>)
        .collect()
}

/// The sensor that stands for the whole board, where its label or chip says so. Otherwise the owner has to name one
/// (`tuner.meter`).
pub(super) fn whole_board(sysfs: &Sysfs) -> Option<Box<dyn EnergyMeter>> {
    let stands_for_all = |sensor: &PowerSensor| {
        sensor.chip == WHOLE_BOARD_CHIP
            || sensor.label.as_deref().is_some_and(|label| WHOLE_BOARD_LABELS.contains(&label))
    };
    let sensor = power_sensors(sysfs).into_iter().find(stands_for_all)?;
    Some(Box::new(BoardMeter::new(sensor)))
}

/// The one INA of a board that has a single one: the usual shunt in the supply of a small board.
pub(super) fn only_ina(sysfs: &Sysfs) -> Option<Box<dyn EnergyMeter>> {
    let mut inas = power_sensors(sysfs).into_iter().filter(|sensor| sensor.chip.starts_with("ina"));
    match (inas.next(), inas.next()) {
        (Some(sensor), None) => Some(Box::new(BoardMeter::new(sensor))),
        _ => None,
    }
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

fn chip(device: &Path) -> String {
    read_text(&device.join("name")).unwrap_or_else(|_| "unnamed".to_owned())
}

fn label(device: &Path, channel: &str) -> Option<String> {
    read_text(&device.join(format!("{channel}_label"))).ok().filter(|label| !label.is_empty())
}

fn temperatures(device: &Path) -> Vec<SensorReport> {
    let files = folder_names(device).into_iter();
    files
        .filter_map(|file| {
            let channel = channel_of(&file, "temp", &["_input"])?;
            let name =
                format!("{} {}", chip(device), label(device, channel).unwrap_or_else(|| channel.to_owned()));
            let reading = read_number::<i64>(&device.join(&file));
            let reading = reading.map(|raw| format!("{:.1} °C", raw as f64 / 1e3));
            let reading = reading.map_err(|error| error.in_words());
            Some(SensorReport { name, kind: SensorKind::HwmonTemperature, reading })
        })
        .collect()
}

/// The channel of a file, such as `power1` of `power1_input`.
fn channel_of<'a>(file: &'a str, kind: &str, endings: &[&str]) -> Option<&'a str> {
    let channel = endings.iter().find_map(|ending| file.strip_suffix(ending))?;
    let number = channel.strip_prefix(kind)?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(channel)
}

/// A power sensor of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PowerSensor {
    name: String,
    chip: String,
    label: Option<String>,
    reads: Reads,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reads {
    /// Microwatts.
    Power(PathBuf),
    /// Millivolts and milliamperes, of chips that measure both and multiply nothing (INA3221).
    Product { voltage: PathBuf, current: PathBuf },
}

impl PowerSensor {
    fn power(&self) -> Result<Watts, TunerError> {
        let number = |path: &Path| read_number::<i64>(path).map(|number| number as f64);
        let watts = match &self.reads {
            Reads::Power(path) => number(path)? / 1e6,
            Reads::Product { voltage, current } => number(voltage)? * number(current)? / 1e6,
        };
        Ok(Watts::saturating(watts))
    }
}

fn power_sensors(sysfs: &Sysfs) -> Vec<PowerSensor> {
    devices(sysfs).iter().flat_map(|device| power_sensors_of(device)).collect()
}

fn power_sensors_of(device: &Path) -> Vec<PowerSensor> {
    let (chip, files) = (chip(device), folder_names(device));
    let sensor = |channel: &str, label: Option<String>, reads| PowerSensor {
        name: format!("{chip} {}", label.clone().unwrap_or_else(|| channel.to_owned())),
        chip: chip.clone(),
        label,
        reads,
    };
    let mut sensors: Vec<PowerSensor> = files
        .iter()
        .filter_map(|file| {
            let channel = channel_of(file, "power", &["_input", "_average"])?;
            // Where a chip gives both, the momentary one is integrated.
            let doubled = file.ends_with("_average") && files.contains(&format!("{channel}_input"));
            let reads = Reads::Power(device.join(file));
            (!doubled).then(|| sensor(channel, label(device, channel), reads))
        })
        .collect();
    if sensors.is_empty() {
        sensors = files
            .iter()
            .filter_map(|file| {
                let number = channel_of(file, "curr", &["_input"])?.strip_prefix("curr")?;
                let voltage = format!("in{number}");
                let (current, volts) = (device.join(file), device.join(format!("{voltage}_input")));
                let reads = Reads::Product { voltage: volts.clone(), current };
                volts.exists().then(|| sensor(&voltage, label(device, &voltage), reads))
            })
            .collect();
    }
    sensors
}

#[derive(Debug)]
struct BoardMeter {
    sensor: PowerSensor,
    integral: PowerIntegral,
}

impl BoardMeter {
    fn new(sensor: PowerSensor) -> Self {
        Self { sensor, integral: PowerIntegral::default() }
    }
}

impl EnergyMeter for BoardMeter {
    fn name(&self) -> &str {
        &self.sensor.name
    }

    fn sample(&mut self, _sources: Sources<'_>, at: Duration) -> Result<(), TunerError> {
        match self.sensor.power() {
            Ok(power) => self.integral.push(at, power),
            Err(error) => {
                self.integral.interrupt();
                return Err(error);
            }
        }
        Ok(())
    }

    fn count(&self) -> (Joules, Duration) {
        (self.integral.joules(), self.integral.span())
    }
}

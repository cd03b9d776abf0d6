//! Batteries: the power that flows out of them, how full they are.

use std::time::Duration;

use energy::PowerIntegral;
use schemas::{BatteryReport, Joules, SensorKind, SensorReport, Share, Watts};

use super::{EnergyMeter, Sources};
use crate::error::TunerError;
use crate::sysfs::{Sysfs, read_number};

const CLASS: &str = "class/power_supply";

/// Every battery with its power, or why it cannot be read.
pub(super) fn sensors(sysfs: &Sysfs) -> Vec<SensorReport> {
    let report = |battery: Battery| SensorReport {
        reading: battery.in_words(sysfs).map_err(|error| error.in_words()),
        kind: SensorKind::Battery,
        name: battery.name,
    };
    batteries(sysfs).into_iter().map(report).collect()
}

/// How full the machine's own battery is: the fullest of those that discharge, else of all.
pub(super) fn report(sysfs: &Sysfs) -> Option<BatteryReport> {
    let reports = batteries(sysfs).into_iter().filter(|battery| battery.feeds_machine(sysfs));
    let mut reports: Vec<BatteryReport> = reports.filter_map(|battery| battery.report(sysfs)).collect();
    reports.sort_by(|one, other| {
        one.charging.cmp(&other.charging).then(other.level.get().total_cmp(&one.level.get()))
    });
    reports.first().copied()
}

/// A meter for each battery that feeds the machine and discharges now: only then is its power the machine's.
pub(super) fn meters(sysfs: &Sysfs) -> Vec<Box<dyn EnergyMeter>> {
    let discharging = batteries(sysfs).into_iter().filter(|battery| {
        battery.feeds_machine(sysfs) && battery.status(sysfs).is_ok_and(|status| status == "discharging")
    });
    discharging
        .map(|battery| {
            let name = format!("battery {}", battery.name);
            Box::new(BatteryMeter { name, battery, integral: PowerIntegral::default() })
                as Box<dyn EnergyMeter>
        })
        .collect()
}

#[derive(Debug)]
struct Battery {
    name: String,
}

fn batteries(sysfs: &Sysfs) -> Vec<Battery> {
    let is_battery =
        |name: &String| sysfs.text(format!("{CLASS}/{name}/type")).is_ok_and(|kind| kind == "Battery");
    sysfs.names(CLASS).into_iter().filter(is_battery).map(|name| Battery { name }).collect()
}

impl Battery {
    fn file(&self, file: &str) -> String {
        format!("{CLASS}/{}/{file}", self.name)
    }

    /// That of a mouse or headset has the scope `Device`.
    fn feeds_machine(&self, sysfs: &Sysfs) -> bool {
        sysfs.text(self.file("scope")).map_or(true, |scope| scope != "Device")
    }

    fn status(&self, sysfs: &Sysfs) -> Result<String, TunerError> {
        let status = sysfs.text_if_there(self.file("status"))?;
        Ok(status.unwrap_or_else(|| "Unknown".to_owned()).to_lowercase())
    }

    /// Drivers give either the power, or current and voltage. Some count discharging as negative: the direction is in
    /// `status`.
    fn power(&self, sysfs: &Sysfs) -> Result<Watts, TunerError> {
        let signed = |file| read_number::<i64>(&sysfs.path(self.file(file))).map(|number| number as f64);
        let watts = match sysfs.text_if_there(self.file("power_now"))? {
            Some(_) => signed("power_now")? / 1e6,
            None => signed("current_now")? * signed("voltage_now")? / 1e12,
        };
        Ok(Watts::saturating(watts.abs()))
    }

    fn in_words(&self, sysfs: &Sysfs) -> Result<String, TunerError> {
        Ok(format!("{:.3} W, {}", self.power(sysfs)?.get(), self.status(sysfs)?))
    }

    /// `None` where the level cannot be read: an unknown level is not an empty battery.
    fn report(&self, sysfs: &Sysfs) -> Option<BatteryReport> {
        let number = |file| sysfs.number(self.file(file)).ok().map(|number| number as f64);
        let of = |now, full| Some(number(now)? / number(full).filter(|full| *full > 0.0)?);
        let level = number("capacity")
            .map(|percent| percent / 100.0)
            .or_else(|| of("energy_now", "energy_full"))
            .or_else(|| of("charge_now", "charge_full"))?;
        let charging = self.status(sysfs).ok()? != "discharging";
        Some(BatteryReport { level: Share::saturating(level), charging })
    }
}

#[derive(Debug)]
struct BatteryMeter {
    name: String,
    battery: Battery,
    integral: PowerIntegral,
}

impl EnergyMeter for BatteryMeter {
    fn name(&self) -> &str {
        &self.name
    }

    fn sample(&mut self, sources: Sources<'_>, at: Duration) -> Result<(), TunerError> {
        let sysfs = sources.sysfs;
        let power = self.battery.status(sysfs).and_then(|status| {
            if status == "discharging" {
                return self.battery.power(sysfs);
            }
            let text = format!("the battery is {status}: what flows is not what the machine draws");
            Err(TunerError::InWords { text })
        });
        match power {
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

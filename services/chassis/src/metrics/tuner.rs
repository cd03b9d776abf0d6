use std::time::Duration;

use schemas::{Fault, HardwareReport, TuneReply};

use super::family::{Counters, Declaring, Gauges, Histograms, Span};
use super::{Metrics, Unit};

/// The tuner's metrics.
#[derive(Debug, Clone)]
pub struct TunerMetrics {
    orders: Counters<2>,
    duration: Histograms<1>,
    writes: Counters<0>,
    leases: Gauges<0>,
    overdue: Gauges<0>,
    clock: Gauges<0>,
    cores: Gauges<0>,
    power: Gauges<1>,
    metered: Counters<1>,
    meter_readable: Gauges<0>,
    battery: Gauges<0>,
}

impl TunerMetrics {
    /// Declares them.
    pub fn new(metrics: &Metrics) -> Self {
        let declare = Declaring { metrics, prefix: "splinter_tuner" };
        let none = Unit::None;
        Self {
            orders: declare.counters(
                "orders",
                none,
                ["task", "outcome"],
                "Requests by what was asked (report, set, release): changed, unchanged, or the kind of the error",
            ),
            duration: declare.times(
                "order_duration",
                Span::Stage,
                ["task"],
                "Time of one request, setting and reading back included",
            ),
            writes: declare.counters("writes", none, [], "Settings that were written to the hardware"),
            leases: declare.gauges("leases", none, [], "Knobs that somebody holds"),
            overdue: declare.gauges(
                "leases_overdue",
                none,
                [],
                "Knobs whose lease has ended and whose original state could not be brought back yet",
            ),
            clock: declare.gauges("clock", Unit::Hertz, [], "The processor's clock, where it is held"),
            cores: declare.gauges("cores", none, [], "Processor cores that are online"),
            power: declare.gauges(
                "active_power",
                Unit::Watts,
                ["source"],
                "Power while computing, as measured, modelled or emulated; absent where nothing knows it",
            ),
            metered: declare.counters(
                "metered_energy",
                Unit::Joules,
                ["meter"],
                "Joules that the machine's meter has counted; absent without a meter",
            ),
            meter_readable: declare.gauges(
                "meter_readable",
                none,
                [],
                "1 while an energy meter can be read, 0 where none can; absent where the machine is emulated",
            ),
            battery: declare.gauges("battery_charge", Unit::Ratio, [], "How full the battery is; absent without one"),
        }
    }

    /// Counts a request. `task` is `report`, `set` or `release`.
    pub fn asked(&self, task: &'static str, ended: Result<&TuneReply, &Fault>, took: Duration) {
        let outcome = match ended {
            Ok(reply) if reply.changed => "changed",
            Ok(_) => "unchanged",
            Err(fault) => fault.kind.as_str(),
        };
        self.orders.count([task.into(), outcome.into()]);
        self.duration.observe([task.into()], took.as_secs_f64());
        if let Some(reply) = ended.ok().filter(|reply| reply.changed) {
            self.writes.add([], reply.writes.len() as f64);
        }
    }

    /// Says how the machine is.
    pub fn hardware(&self, report: &HardwareReport) {
        for gauges in [&self.clock, &self.battery, &self.meter_readable] {
            gauges.clear();
        }
        self.power.clear();
        let overdue = report.leases.iter().filter(|lease| lease.remaining_ms.get() <= 0.0).count();
        self.leases.set([], (report.leases.len() - overdue) as f64);
        self.overdue.set([], overdue as f64);
        self.cores.set([], f64::from(report.cores));
        if let Some(clock) = report.frequency_khz {
            self.clock.set([], clock.0 as f64 * 1e3);
        }
        if let Some(power) = report.power {
            self.power.set([power.source.as_str().into()], power.active_w.get());
        }
        if let Some(battery) = report.battery {
            self.battery.set([], battery.level.get());
        }
        if report.emulates.is_none() {
            self.meter_readable.set([], f64::from(u8::from(report.meter.is_some())));
        }
        if let Some(meter) = &report.meter {
            self.metered.follow([meter.name.clone().into()], meter.joules.get());
        }
    }
}

//! What three machines report.

use schemas::{HardwareReport, KnobSupport, SensorKind};

use crate::trees::{INTEL, PI, Sets, Tree, VIRTUAL, device};

fn reading(report: &HardwareReport, name: &str) -> String {
    let sensor = report.sensors.iter().find(|sensor| sensor.name == name);
    sensor.unwrap_or_else(|| panic!("no sensor {name:?} in {:?}", report.sensors)).reading.clone().unwrap()
}

#[test]
fn a_raspberry_pi_4() {
    let report = Tree::of(PI).device().now();
    assert_eq!((report.cores, report.emulates, report.slowdown), (4, None, None));
    assert_eq!(report.frequencies_khz.len(), 13);
    // The governor moves the clock: it is not set to anything.
    assert_eq!((report.frequency_khz, report.governor.as_deref()), (None, Some("ondemand")));
    assert_eq!(report.knobs[0].support, KnobSupport::Supported);
    assert_eq!(report.power, None, "nothing here measures power");
    assert_eq!(report.sensors.len(), 1);
    assert_eq!(report.sensors[0].reading.as_deref(), Ok("48.2 °C"));
}

#[test]
fn an_intel_laptop() {
    let report = Tree::of(INTEL).device().now();
    assert_eq!(report.cores, 2);
    let clocks: Vec<u64> = report.frequencies_khz.iter().map(|clock| clock.0 / 1000).collect();
    assert_eq!(clocks, [400, 1100, 1900, 2700, 3500], "the span that both policies have");
    assert_eq!(reading(&report, "package-0"), "5.000 J counted, wraps at 262143 J");
    assert_eq!(reading(&report, "dram"), "1.000 J counted, wraps at 65713 J");
    assert_eq!(reading(&report, "acpitz temp1"), "-2.5 °C");
    assert_eq!(reading(&report, "coretemp Package id 0"), "61.0 °C");
    assert_eq!(reading(&report, "ina231 power1"), "4.125 W");
    assert_eq!(reading(&report, "BAT0"), "15.000 W, discharging");
    let packages = report.sensors.iter().filter(|sensor| sensor.name == "package-0").count();
    assert_eq!(packages, 1, "the mmio interface shows the same package again");
    let rapl = report.sensors.iter().filter(|sensor| sensor.kind == SensorKind::Rapl).count();
    assert_eq!(rapl, 4);
}

#[test]
fn a_virtual_machine() {
    let report = Tree::of(VIRTUAL).device().now();
    assert_eq!(report.cores, 3);
    let KnobSupport::Unsupported(reason) = &report.knobs[0].support else { panic!("{report:?}") };
    assert!(reason.contains("virtual machine"), "{reason}");
    assert!(report.frequencies_khz.is_empty() && report.sensors.is_empty());
    assert_eq!((report.frequency_khz, report.governor, report.power), (None, None, None));
}

/// Whatever this machine is: the kernel's own tree goes through `sysfs-class`, and must be readable.
#[test]
fn this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        tuner::Settings { state_dir: Some(folder.path().to_owned()), ..tuner::Settings::default() };
    let mut device = device(&settings);
    let report = device.now();
    assert!(report.cores >= 1);
    assert!(report.knobs.iter().any(|knob| knob.knob == schemas::Knob::CpuFrequency));
    assert_eq!(report.frequencies_khz.is_empty(), report.knobs[0].support != KnobSupport::Supported);
}

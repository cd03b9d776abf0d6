//! The emulated Raspberry Pi 4.

use chassis::ServiceSettings;
use schemas::{EnergySource, FaultKind, KnobSupport, Watts};
use tuner::{DeclaredPower, Settings};

use crate::trees::{PI, Sets, Tree, VIRTUAL, device, megahertz};

fn emulating(tree: &Tree, name: &str) -> Settings {
    Settings { emulate: Some(name.to_owned()), ..tree.settings() }
}

#[test]
fn it_begins_at_its_highest_clock_and_labels_everything() {
    let report = device(&emulating(&Tree::of(VIRTUAL), "raspberry-pi-4")).now();
    assert_eq!(report.emulates.as_deref(), Some("raspberry-pi-4"));
    let clocks: Vec<u64> = report.frequencies_khz.iter().map(|clock| clock.0 / 1000).collect();
    assert_eq!(clocks, [600, 800, 1000, 1200, 1400, 1600, 1800]);
    assert_eq!((report.frequency_khz, report.slowdown), (Some(megahertz(1800)), Some(10.0)));
    let power = report.power.unwrap();
    assert_eq!((power.active_w.get(), power.waiting_w.get()), (4.41, 3.53));
    assert_eq!(power.source, EnergySource::Emulated);
    assert!(report.governor.unwrap().contains("emulated"));
    assert_eq!(report.knobs[0].support, KnobSupport::Supported);
    assert_eq!(report.cores, 3, "the cores are this machine's own");
}

#[test]
fn setting_its_clock_changes_time_and_power_and_nothing_of_this_machine() {
    let tree = Tree::of(PI);
    let settings = Settings { slowdown: 2.0, ..emulating(&tree, "raspberry-pi-4") };
    let mut device = device(&settings);
    assert!(device.set_clock(megahertz(600)).unwrap());
    assert!(!device.set_clock(megahertz(600)).unwrap());
    let report = device.now();
    assert_eq!((report.frequency_khz, report.slowdown), (Some(megahertz(600)), Some(6.0)));
    assert_eq!(report.power.unwrap().active_w.get(), 2.95);
    assert_eq!(tree.policy0("scaling_governor"), "ondemand");
}

#[test]
fn it_has_no_other_clocks() {
    let mut device = device(&emulating(&Tree::of(PI), "raspberry-pi-4"));
    // The real tree offers 700 MHz, the emulated device does not.
    let fault = device.set_clock(megahertz(700)).unwrap_err().to_fault();
    assert_eq!(fault.kind, FaultKind::BadRequest);
    assert!(fault.message.contains("600 MHz, 800 MHz"), "{fault}");
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let tree = Tree::of(VIRTUAL);
    let refused = |settings: Settings| settings.check().unwrap_err().to_string();
    let unknown = refused(emulating(&tree, "raspberry-pi-40"));
    assert!(unknown.contains("tuner.emulate") && unknown.contains("use raspberry-pi-4"), "{unknown}");
    for slowdown in [0.0, 0.99, -1.0, f64::NAN, f64::INFINITY, 1000.1] {
        let error = refused(Settings { slowdown, ..tree.settings() });
        assert!(error.contains("tuner.slowdown"), "{error}");
    }
    let power = DeclaredPower { active_w: Watts::saturating(9.0), waiting_w: Watts::saturating(5.0) };
    let error = refused(Settings { power: Some(power), ..emulating(&tree, "raspberry-pi-4") });
    assert!(error.contains("tuner.power"), "{error}");
}

#[test]
fn a_declared_power_is_modelled() {
    let power = DeclaredPower { active_w: Watts::saturating(9.0), waiting_w: Watts::saturating(5.0) };
    let settings = Settings { power: Some(power), ..Tree::of(VIRTUAL).settings() };
    let power = device(&settings).now().power.unwrap();
    assert_eq!((power.active_w.get(), power.waiting_w.get()), (9.0, 5.0));
    assert_eq!(power.source, EnergySource::Modelled);
}

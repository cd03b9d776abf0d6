//! Energy meters: sums, wraps, integrals, and files that cannot be read.

use std::time::Duration;

use schemas::{EnergySource, Share};
use tuner::meters::Counter;
use tuner::{Device, Settings};

use crate::trees::{INTEL, JETSON, PI, Sets, Tree, VIRTUAL, device, server};

fn counter(microjoules: u64) -> Counter {
    Counter { microjoules, greatest: 1_000_000 }
}

fn quarter(number: u64) -> Duration {
    Duration::from_millis(250 * number)
}

/// Enough samples to look for a meter and read it once.
fn begin(device: &mut Device) {
    device.sample(Duration::ZERO);
}

#[test]
fn a_counter_wraps_at_its_range() {
    assert_eq!(counter(700_000).since(counter(200_000)).get(), 0.5);
    assert_eq!(counter(100_000).since(counter(900_000)).get(), 0.2);
    assert_eq!(counter(5).since(counter(5)).get(), 0.0);
}

#[test]
fn the_power_is_the_mean_of_the_last_second_across_wraps() {
    let tree = Tree::of(&[
        ("class/powercap/intel-rapl:0/name", "package-0\n"),
        ("class/powercap/intel-rapl:0/energy_uj", "0\n"),
        ("class/powercap/intel-rapl:0/max_energy_range_uj", "4000000\n"),
    ]);
    let mut device = tree.device();
    let mut joules = 0.0;
    // 3 W for 2 s, then 2 W for 2 s. The counter starts again twice on the way.
    for number in 0..=16 {
        let microjoules = (joules * 1e6) as u64 % 4_000_000;
        tree.write("class/powercap/intel-rapl:0/energy_uj", &microjoules.to_string());
        device.sample(quarter(number));
        joules += if number < 8 { 0.75 } else { 0.5 };
        if number == 8 {
            assert_eq!(device.now().power.unwrap().active_w.get(), 3.0);
        }
    }
    assert_eq!(device.now().power.unwrap().active_w.get(), 2.0);
    let meter = device.meter().unwrap();
    assert_eq!((meter.joules.get(), meter.span_ms.get(), meter.resolution_ms.get()), (10.0, 4_000.0, 250.0));
    assert_eq!(meter.name, "rapl package-0");
}

#[test]
fn counters_that_stand_still_are_no_power() {
    let tree = server(2, true);
    let mut device = tree.device();
    (0..8).for_each(|number| device.sample(quarter(number)));
    let report = device.now();
    assert_eq!((report.power, report.meter), (None, None));
    assert!(device.meter().unwrap_err().to_string().contains("counts nothing"));
}

#[test]
fn packages_and_memory_add_up_and_their_parts_do_not() {
    let tree = Tree::of(INTEL);
    let mut device = tree.device();
    begin(&mut device);
    assert_eq!(device.now().power, None, "one reading is no power");
    // 6 J of the package, of it 5 in the cores, 1 of the memory, 20 of the platform: 7 W.
    for (zone, microjoules) in [("0", 11_000_000), ("0:0", 9_000_000), ("0:1", 2_000_000), ("1", 29_000_000)]
    {
        tree.write(&format!("class/powercap/intel-rapl:{zone}/energy_uj"), &microjoules.to_string());
    }
    device.sample(Duration::from_secs(1));
    let power = device.now().power.unwrap();
    assert_eq!((power.active_w.get(), power.waiting_w.get()), (7.0, 7.0));
    assert_eq!(power.source, EnergySource::Attributed);
}

#[test]
fn every_package_of_a_server_counts_once() {
    for (memory, watts) in [(false, 200.0), (true, 220.0)] {
        let tree = server(4, memory);
        let mut device = tree.device();
        begin(&mut device);
        for package in 0..2 {
            let set = |zone: &str, microjoules: u64| {
                let file = format!("class/powercap/intel-rapl:{package}{zone}/energy_uj");
                tree.write(&file, &microjoules.to_string());
            };
            set("", 101_000_000);
            set(":0", 81_000_000);
            if memory {
                set(":1", 11_000_000);
            }
        }
        device.sample(Duration::from_secs(1));
        assert_eq!(device.now().power.unwrap().active_w.get(), watts, "memory: {memory}");
    }
}

#[test]
fn a_counter_that_cannot_be_read_is_no_power_rather_than_less() {
    let tree = Tree::of(INTEL);
    let mut device = tree.device();
    begin(&mut device);
    tree.remove("class/powercap/intel-rapl:0:1/energy_uj");
    device.sample(Duration::from_secs(1));
    let report = device.now();
    assert_eq!((report.power, report.meter), (None, None));
    let memory = report.sensors.iter().find(|sensor| sensor.name == "dram").unwrap();
    assert!(memory.reading.as_ref().unwrap_err().contains("energy_uj"), "{memory:?}");
    assert!(device.meter().unwrap_err().to_string().contains("energy_uj"));
}

#[test]
fn a_permission_that_lacks_is_explained() {
    let denied = |path: &str| tuner::TunerError::Read {
        path: path.into(),
        source: std::io::Error::from(std::io::ErrorKind::PermissionDenied),
    };
    let words = denied("/sys/class/powercap/intel-rapl:0/energy_uj").in_words();
    assert!(words.contains("CVE-2020-8694") && words.contains("docs/tuner.md"), "{words}");
}

/// The input rail feeds the two others: only it is counted.
#[test]
fn a_jetsons_input_rail_is_integrated_by_trapezoid() {
    let tree = Tree::of(JETSON);
    let settings = Settings { meter_error: Share::new(0.02).unwrap(), ..tree.settings() };
    let mut device = device(&settings);
    // 6 W, rising evenly to 10 W in 2 s, read at uneven times: 16 J.
    for (at, milliamperes) in [(0, 1_200), (500, 1_400), (1_750, 1_900), (2_000, 2_000)] {
        tree.write("class/hwmon/hwmon3/curr1_input", &milliamperes.to_string());
        device.sample(Duration::from_millis(at));
    }
    let meter = device.meter().unwrap();
    assert_eq!(meter.name, "ina3221 VDD_IN");
    assert!((meter.joules.get() - 16.0).abs() < 1e-9, "{meter:?}");
    assert_eq!((meter.span_ms.get(), meter.relative_error.get()), (2_000.0, 0.02));
    let sensors = device.now().sensors;
    let reading = |name: &str| sensors.iter().find(|sensor| sensor.name == name).unwrap().reading.clone();
    assert_eq!(reading("ina3221 VDD_SOC").unwrap(), "1.500 W");
}

#[test]
fn the_owner_may_name_another_meter() {
    let tree = Tree::of(JETSON);
    let named = |name: &str| Settings { meter: Some(name.to_owned()), ..tree.settings() };
    let mut rail = device(&named("ina3221 VDD_SOC"));
    rail.sample(Duration::ZERO);
    rail.sample(Duration::from_secs(2));
    assert_eq!(rail.meter().unwrap().joules.get(), 3.0);
    let mut missing = device(&named("ina219 power1"));
    missing.sample(Duration::ZERO);
    assert!(missing.meter().unwrap_err().to_string().contains("ina219 power1"));
}

/// A laptop on the road, its counters for root only: then its battery is the meter, until it vanishes.
#[test]
fn a_battery_sensor_may_vanish_and_come_back() {
    let tree = Tree::of(&[
        ("class/power_supply/BAT0/type", "Battery\n"),
        ("class/power_supply/BAT0/status", "Discharging\n"),
        ("class/power_supply/BAT0/power_now", "10000000\n"),
        ("class/power_supply/BAT0/capacity", "42\n"),
    ]);
    let mut device = tree.device();
    device.sample(Duration::ZERO);
    device.sample(Duration::from_secs(1));
    assert_eq!(device.meter().unwrap().joules.get(), 10.0);
    assert_eq!(device.now().battery.unwrap().level.get(), 0.42);

    let gone = ["power_now", "capacity", "type"];
    gone.iter().for_each(|file| tree.remove(&format!("class/power_supply/BAT0/{file}")));
    device.sample(Duration::from_secs(2));
    let report = device.now();
    assert_eq!((report.meter, report.power, report.battery), (None, None, None), "nothing rather than less");
    assert!(device.meter().unwrap_err().to_string().contains("current_now"));

    for (file, text) in [("power_now", "20000000\n"), ("capacity", "41\n"), ("type", "Battery\n")] {
        tree.write(&format!("class/power_supply/BAT0/{file}"), text);
    }
    device.sample(Duration::from_secs(3));
    device.sample(Duration::from_secs(4));
    let meter = device.meter().unwrap();
    assert_eq!(
        (meter.joules.get(), meter.span_ms.get()),
        (30.0, 2_000.0),
        "the gap is left out, with its time"
    );
}

#[test]
fn a_charging_battery_is_no_meter_and_a_mouse_is_no_battery() {
    let tree = Tree::of(INTEL);
    let report = tree.device().now();
    let battery = report.battery.unwrap();
    assert_eq!((battery.level.get(), battery.charging), (0.5, false), "that of the mouse is full");
    tree.write("class/power_supply/BAT0/status", "Charging\n");
    assert!(tree.device().now().battery.unwrap().charging);
    let settings = Settings { meter: Some("battery BAT0".to_owned()), ..tree.settings() };
    let mut device = device(&settings);
    device.sample(Duration::ZERO);
    assert!(device.meter().is_err(), "what flows into it is not what the machine draws");
}

#[test]
fn a_machine_without_a_meter_says_what_it_lacks() {
    for tree in [Tree::of(PI), Tree::of(VIRTUAL)] {
        let mut device = tree.device();
        begin(&mut device);
        let error = device.meter().unwrap_err().to_string();
        assert!(error.contains("no energy meter") && error.contains("RAPL"), "{error}");
    }
}

#[test]
fn a_meter_that_appears_later_is_found() {
    let tree = Tree::of(VIRTUAL);
    let mut device = tree.device();
    begin(&mut device);
    tree.write("class/hwmon/hwmon0/name", "ina219\n");
    tree.write("class/hwmon/hwmon0/power1_input", "2500000\n");
    // It is looked for again every 5 s.
    (1..=30).for_each(|number| device.sample(quarter(number)));
    assert_eq!(device.now().power.unwrap().active_w.get(), 2.5);
}

//! The processor's energy counters: sums, wraps, and files that cannot be read.

use std::time::Duration;

use schemas::EnergySource;
use tuner::rapl::{Counter, PowerWindow};

use crate::trees::{INTEL, Tree, node};

fn counter(microjoules: u64) -> Counter {
    Counter { microjoules, greatest: 1_000_000 }
}

#[test]
fn a_counter_wraps_at_its_range() {
    assert_eq!(counter(700_000).since(counter(200_000)).get(), 0.5);
    assert_eq!(counter(100_000).since(counter(900_000)).get(), 0.2);
    assert_eq!(counter(5).since(counter(5)).get(), 0.0);
}

#[test]
fn the_power_is_the_mean_of_the_last_second() {
    let mut window = PowerWindow::default();
    assert_eq!(window.mean(), None);
    // 3 W for 2 s, then 2 W for 2 s, across wraps of the counter.
    let mut joules = 0.0;
    for quarter in 0..=16_u64 {
        let at = Duration::from_millis(250 * quarter);
        // The counter starts again twice on the way.
        let greatest = 4_000_000;
        window.push(at, vec![Counter { microjoules: (joules * 1e6) as u64 % greatest, greatest }]);
        joules += if quarter < 8 { 0.75 } else { 0.5 };
        if quarter == 8 {
            assert_eq!(window.mean().unwrap().get(), 3.0);
        }
    }
    assert_eq!(window.mean().unwrap().get(), 2.0);
}

#[test]
fn counters_that_stand_still_are_no_power() {
    let mut window = PowerWindow::default();
    for quarter in 0..8 {
        window.push(Duration::from_millis(250 * quarter), vec![counter(5)]);
    }
    assert_eq!(window.mean(), None);
}

#[test]
fn packages_and_memory_add_up_and_their_parts_do_not() {
    let tree = Tree::of(INTEL);
    let mut device = tree.device();
    device.sample(Duration::ZERO);
    assert_eq!(device.report(&node()).power, None, "one reading is no power");
    // 6 J of the package, of it 5 in the cores, 1 of the memory, 20 of the platform: 7 W.
    for (zone, microjoules) in [("0", 11_000_000), ("0:0", 9_000_000), ("0:1", 2_000_000), ("1", 29_000_000)]
    {
        tree.write(&format!("class/powercap/intel-rapl:{zone}/energy_uj"), &microjoules.to_string());
    }
    device.sample(Duration::from_secs(1));
    let power = device.report(&node()).power.unwrap();
    assert_eq!((power.active_w.get(), power.waiting_w.get()), (7.0, 7.0));
    assert_eq!(power.source, EnergySource::Attributed);
}

#[test]
fn a_counter_that_cannot_be_read_is_no_power_rather_than_less() {
    let tree = Tree::of(INTEL);
    let mut device = tree.device();
    device.sample(Duration::ZERO);
    tree.remove("class/powercap/intel-rapl:0:1/energy_uj");
    device.sample(Duration::from_secs(1));
    let report = device.report(&node());
    assert_eq!(report.power, None);
    let memory = report.sensors.iter().find(|sensor| sensor.name == "dram").unwrap();
    assert!(memory.reading.as_ref().unwrap_err().contains("energy_uj"), "{memory:?}");
}

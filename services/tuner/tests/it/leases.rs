//! What is set belongs to whoever holds the lease; when that ends, however it ends, the original state returns.

use std::time::Duration;

use schemas::{FaultKind, Knob, Setting, TuneOrder};
use tuner::{Device, Settings, TunerError};

use crate::trees::{INTEL, PI, PI5, Sets, Tree, device, holder, megahertz, order};

const SECOND: Duration = Duration::from_secs(1);

fn clock(megahertz: u64) -> Setting {
    Setting::CpuFrequency(schemas::KiloHertz::from_megahertz(megahertz))
}

fn quota() -> Setting {
    Setting::CpuQuota(schemas::CpuQuota::Millicores(500.try_into().unwrap()))
}

/// As the kernel shows it under the governor that is set: a plain file would keep the last speed.
fn original(tree: &Tree) -> Vec<(String, String)> {
    tree.content().into_iter().filter(|(name, _)| !name.ends_with("setspeed")).collect()
}

fn open(tree: &Tree) -> Device {
    device(&settings(tree))
}

fn settings(tree: &Tree) -> Settings {
    Settings { cgroup: Some("splinter".into()), ..tree.settings() }
}

#[test]
fn the_original_state_returns_when_a_lease_ends_by_itself() {
    let tree = Tree::of(PI5);
    let before = original(&tree);
    let mut device = open(&tree);
    device.apply(&order("me", &[clock(1_500), quota()]), Duration::ZERO).unwrap();
    device.apply(&order("me", &[clock(2_000)]), 30 * SECOND).unwrap();
    assert_ne!(original(&tree), before);
    // The later order renewed both.
    device.bring_back_what_ended(89 * SECOND);
    assert_ne!(original(&tree), before);
    device.bring_back_what_ended(90 * SECOND);
    assert_eq!(original(&tree), before);
    assert!(device.report(90 * SECOND).leases.is_empty());
    assert!(!tree.root().join("state/tuner-here.json").exists(), "nothing is left to bring back");
}

#[test]
fn an_empty_order_renews_and_a_release_ends() {
    let tree = Tree::of(PI5);
    let before = original(&tree);
    let mut device = open(&tree);
    device.apply(&order("me", &[clock(1_500)]), Duration::ZERO).unwrap();
    device.apply(&order("me", &[]), 50 * SECOND).unwrap();
    device.apply(&order("other", &[]), 55 * SECOND).unwrap();
    let leases = device.report(60 * SECOND).leases;
    assert_eq!((leases.len(), leases[0].remaining_ms.get()), (1, 50_000.0));
    device.release(&holder("other"), 60 * SECOND);
    assert_ne!(original(&tree), before, "not the other's to release");
    device.release(&holder("me"), 60 * SECOND);
    assert_eq!(original(&tree), before);
}

#[test]
fn nobody_sets_what_another_holds() {
    let tree = Tree::of(PI5);
    let mut device = open(&tree);
    device.apply(&order("me", &[clock(1_500)]), Duration::ZERO).unwrap();
    // Not even its other half.
    let refused = device.apply(&order("other", &[quota(), clock(2_000)]), 20 * SECOND).unwrap_err();
    let fault = refused.to_fault();
    assert_eq!((fault.kind, fault.retry_after_ms.unwrap().get()), (FaultKind::Overloaded, 40_000.0));
    assert!(fault.message.contains("held by me"), "{fault}");
    assert_eq!(tree.text("fs/cgroup/splinter/cpu.max"), "max 100000");
    device.apply(&order("other", &[quota()]), 20 * SECOND).unwrap();
    // When it has ended, the next one may have it, and the first original stays the original.
    device.apply(&order("other", &[clock(2_000)]), 61 * SECOND).unwrap();
    device.release_all(62 * SECOND);
    assert_eq!(tree.policy0("scaling_governor"), "ondemand");
}

#[test]
fn limits_return_whatever_they_were() {
    for megahertz in [400, 1_200, 3_500] {
        let tree = Tree::of(INTEL);
        let before = tree.content();
        let mut device = tree.device();
        device.set(&[clock(megahertz)]).unwrap();
        device.release_all(Duration::ZERO);
        assert_eq!(tree.content(), before, "{megahertz}");
    }
}

/// A tuner that is killed says nothing and brings nothing back. The next one finds its file.
#[test]
fn after_a_crash_of_the_tuner_the_next_one_brings_the_original_state_back() {
    let tree = Tree::of(PI5);
    let before = original(&tree);
    let mut crashed = open(&tree);
    crashed.set(&[clock(1_500), quota()]).unwrap();
    drop(crashed);
    assert_ne!(original(&tree), before);
    let mut next = open(&tree);
    assert_eq!(original(&tree), before);
    assert!(next.now().leases.is_empty());
}

#[test]
fn a_state_file_of_another_boot_is_thrown_away() {
    let tree = Tree::of(PI5);
    open(&tree).set(&[clock(1_500)]).unwrap();
    let file = "state/tuner-here.json";
    let mut state: serde_json::Value = serde_json::from_str(&tree.text(file)).unwrap();
    state["boot"] = "another".into();
    tree.write(file, &state.to_string());
    let set = original(&tree);
    open(&tree);
    assert_eq!(original(&tree), set, "after a reboot sysfs has forgotten everything by itself");
}

/// Whoever can write the state file must not get to write anything else through the tuner.
#[test]
fn a_hostile_state_file_writes_nowhere_else_and_keeps_no_tuner_from_starting() {
    let tree = Tree::of(PI5);
    open(&tree).set(&[clock(1_500)]).unwrap();
    let file = "state/tuner-here.json";
    let state: serde_json::Value = serde_json::from_str(&tree.text(file)).unwrap();
    tree.write("victim", "untouched");
    for hostile in ["victim", "devices/system/cpu/../../../victim"] {
        let mut forged = state.clone();
        forged["originals"][0]["target"]["file"] = tree.root().join(hostile).to_string_lossy().into();
        forged["originals"][0]["text"] = "gotcha".into();
        tree.write(file, &forged.to_string());
        open(&tree);
        assert_eq!(tree.text("victim"), "untouched", "{hostile}");
    }
    for garbage in ["", "{", "[]", "{\"boot\":\"\",\"originals\":7}", "\u{0}\u{0}"] {
        tree.write(file, garbage);
        assert!(open(&tree).set(&[clock(2_000)]).is_ok(), "{garbage:?}");
    }
}

#[test]
fn without_a_place_for_the_original_state_nothing_is_set() {
    let tree = Tree::of(PI5);
    tree.write("taken", "a file, no folder");
    let before = tree.content();
    let mut device = device(&Settings { state_dir: Some(tree.root().join("taken")), ..settings(&tree) });
    let error = device.set(&[clock(1_500)]).unwrap_err();
    assert!(matches!(error, TunerError::State { .. }), "{error}");
    assert!(error.in_words().contains("tuner.state_dir"), "{error}");
    assert_eq!(tree.content(), before);
}

/// What cannot be brought back stays known, on disk too, and is tried again.
#[test]
fn bringing_back_is_tried_until_it_works() {
    let tree = Tree::of(PI);
    let mut device = tree.device();
    device.set(&[clock(800)]).unwrap();
    let governor = "devices/system/cpu/cpufreq/policy0/scaling_governor";
    tree.remove(governor);
    std::fs::create_dir(tree.root().join(governor)).unwrap();
    device.release(&holder("me"), SECOND);
    let leases = device.report(SECOND).leases;
    assert_eq!((leases.len(), leases[0].knob), (1, Knob::CpuFrequency));
    assert_eq!(leases[0].remaining_ms.get(), 0.0);
    std::fs::remove_dir(tree.root().join(governor)).unwrap();
    tree.write(governor, "userspace\n");
    device.bring_back_what_ended(2 * SECOND);
    assert_eq!(tree.policy0("scaling_governor"), "ondemand");
    assert!(device.report(2 * SECOND).leases.is_empty());
}

#[test]
fn leases_have_a_length() {
    let mut device = open(&Tree::of(PI5));
    for milliseconds in [0.0, 0.5, 3_600_001.0, f64::MAX] {
        let lease_ms = schemas::Millis::new(milliseconds).unwrap();
        let order = TuneOrder { lease_ms, ..order("me", &[clock(1_500)]) };
        let error = device.apply(&order, Duration::ZERO).unwrap_err();
        assert_eq!(error.to_fault().kind, FaultKind::BadRequest, "{error}");
    }
    let many = vec![clock(1_500); 1_025];
    assert!(device.apply(&order("me", &many), Duration::ZERO).is_err());
}

#[test]
fn an_emulated_clock_is_leased_too() {
    let settings = Settings { emulate: Some("raspberry-pi-4".to_owned()), ..Tree::of(PI).settings() };
    let mut device = device(&settings);
    device.set(&[clock(600)]).unwrap();
    assert!(device.apply(&order("other", &[clock(800)]), SECOND).is_err());
    // All of it or nothing.
    assert!(device.set(&[clock(1_000), quota()]).is_err());
    assert_eq!(device.now().frequency_khz, Some(megahertz(600)));
    device.bring_back_what_ended(61 * SECOND);
    assert_eq!(device.report(61 * SECOND).frequency_khz, Some(megahertz(1_800)));
}

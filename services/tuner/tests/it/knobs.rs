//! Every knob on the trees of several machines: set, read back, whole or not at all, nothing written when already so.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use schemas::{CpuQuota, FaultKind, Knob, KnobReport, KnobSupport, Setting};
use tuner::{Settings, TunerError};

use crate::trees::{INTEL, JETSON, PI, PI5, Sets, Tree, VIRTUAL, device, megahertz, order, server};

fn millicores(millicores: u32) -> Setting {
    Setting::CpuQuota(CpuQuota::Millicores(millicores.try_into().unwrap()))
}

fn cores(cores: u16) -> Setting {
    Setting::OnlineCores(cores.try_into().unwrap())
}

fn usb(device: &str, on: bool) -> Setting {
    Setting::UsbPower { device: device.to_owned(), on }
}

/// A Pi 5 whose owner allows everything.
fn open_pi5(tree: &Tree) -> Settings {
    let usb_devices = vec!["1-2".to_owned(), "2-1".to_owned()];
    Settings { cgroup: Some("splinter".into()), usb_devices, ..tree.settings() }
}

fn knob(reports: &[KnobReport], knob: Knob) -> KnobReport {
    reports.iter().find(|report| report.knob == knob).unwrap().clone()
}

#[test]
fn every_knob_of_a_pi_5_is_set_and_read_back() {
    let tree = Tree::of(PI5);
    let mut device = device(&open_pi5(&tree));
    let cases: [(Setting, Knob, &str, &str); 5] = [
        (
            Setting::CpuFrequency(megahertz(2_000)),
            Knob::CpuFrequency,
            "devices/system/cpu/cpufreq/policy0/scaling_setspeed",
            "2000000",
        ),
        (cores(2), Knob::OnlineCores, "devices/system/cpu/cpu2/online", "0"),
        (millicores(1_500), Knob::CpuQuota, "fs/cgroup/splinter/cpu.max", "150000 100000"),
        // Only deauthorised: its port has no switch. The other's has one.
        (usb("1-2", false), Knob::UsbPower, "bus/usb/devices/1-2/authorized", "0"),
        (usb("2-1", false), Knob::UsbPower, "bus/usb/devices/2-0:1.0/usb2-port1/disable", "1"),
    ];
    for (setting, which, file, text) in cases {
        let writes = device.set(std::slice::from_ref(&setting)).unwrap();
        assert_eq!(tree.text(file), text, "{setting}");
        assert!(writes.iter().any(|write| write.file.ends_with(file) && write.to == text), "{writes:?}");
        assert_eq!(device.set(std::slice::from_ref(&setting)).unwrap(), [], "{setting} is already so");
        if which != Knob::OnlineCores {
            let report = knob(&device.now().knobs, which);
            assert_eq!(report.support, KnobSupport::Supported);
            assert!(report.now.contains(&setting), "{report:?}");
        }
    }
}

#[test]
fn the_lowest_cores_stay_online() {
    let tree = Tree::of(PI);
    let mut device = tree.device();
    let online = |core: u32| tree.text(&format!("devices/system/cpu/cpu{core}/online"));
    for (count, expected) in [(2, ["1", "0", "0"]), (4, ["1", "1", "1"]), (1, ["0", "0", "0"])] {
        device.set(&[cores(count)]).unwrap();
        assert_eq!([online(1), online(2), online(3)], expected, "{count}");
    }
    let error = device.set(&[cores(5)]).unwrap_err();
    assert_eq!(error.to_fault().kind, FaultKind::BadRequest);
    assert!(error.to_string().contains("the 4 that are here"), "{error}");
}

#[test]
fn a_quota_in_another_period_is_the_same_quota() {
    let tree = Tree::of(PI5);
    tree.write("fs/cgroup/splinter/cpu.max", "25000 50000\n");
    let mut device = device(&open_pi5(&tree));
    assert_eq!(device.set(&[millicores(500)]).unwrap(), [], "25 of 50 ms are half a core");
    device.set(&[millicores(250)]).unwrap();
    assert_eq!(tree.text("fs/cgroup/splinter/cpu.max"), "12500 50000");
    device.set(&[Setting::CpuQuota(CpuQuota::Unlimited)]).unwrap();
    assert_eq!(tree.text("fs/cgroup/splinter/cpu.max"), "max 50000");
    let error = device.set(&[millicores(10)]).unwrap_err();
    assert!(matches!(error, TunerError::OutOfRange { .. }), "{error}");
}

#[test]
fn clusters_share_a_clock_or_have_their_own() {
    let tree = Tree::of(JETSON);
    let mut device = tree.device();
    let clocks: Vec<u64> = device.now().frequencies_khz.iter().map(|clock| clock.0).collect();
    assert_eq!(clocks, [729_600, 1_113_600, 1_497_600], "those that both have");
    let fast = Setting::PolicyFrequency { policy: 0, clock_khz: schemas::KiloHertz(2_201_600) };
    let slow = Setting::PolicyFrequency { policy: 4, clock_khz: schemas::KiloHertz(729_600) };
    device.set(&[fast.clone(), slow.clone()]).unwrap();
    let report = device.now();
    assert_eq!(report.frequency_khz, None, "they differ");
    assert_eq!(knob(&report.knobs, Knob::CpuFrequency).now, [fast, slow]);
    let error = device.set(&[Setting::PolicyFrequency { policy: 2, clock_khz: schemas::KiloHertz(1) }]);
    assert!(error.unwrap_err().to_string().contains("policy 2"));
}

#[test]
fn a_server_is_set_through_all_its_policies() {
    let tree = server(64, false);
    let mut device = tree.device();
    assert_eq!(device.set(&[Setting::CpuFrequency(megahertz(2_000))]).unwrap().len(), 128);
    assert_eq!(device.now().frequency_khz, Some(megahertz(2_000)));
}

/// The third setting does not take: what was written before is taken back.
#[test]
fn a_failure_half_way_rolls_everything_back() {
    let tree = Tree::of(PI5);
    tree.write("devices/system/cpu/cpu3/online", "1\n");
    let broken = "devices/system/cpu/cpu2/online";
    let before = tree.content();
    let mut device = device(&open_pi5(&tree));
    // A link to /dev/null swallows what is written and reads back as nothing: this core does not come online.
    tree.remove(broken);
    std::os::unix::fs::symlink("/dev/null", tree.root().join(broken)).unwrap();
    let settings = [Setting::CpuFrequency(megahertz(1_500)), millicores(500), cores(3)];
    let error = device.set(&settings).unwrap_err();
    assert!(matches!(error, TunerError::NotApplied { .. }), "{error}");
    tree.remove(broken);
    tree.write(broken, "1\n");
    let after: Vec<_> = tree.content();
    let differing: Vec<_> = before.iter().zip(&after).filter(|(one, other)| one != other).collect();
    // Under another governor the kernel shows no speed, which a plain file cannot imitate.
    let differing: Vec<_> = differing.into_iter().filter(|(one, _)| !one.0.ends_with("setspeed")).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert!(device.now().leases.is_empty(), "what failed is not leased");
}

#[test]
fn a_dry_run_says_what_it_would_write_and_writes_nothing() {
    let tree = Tree::of(PI5);
    let mut device = device(&open_pi5(&tree));
    let before = tree.content();
    let settings = [Setting::CpuFrequency(megahertz(1_500)), millicores(500), cores(2)];
    let dry = schemas::TuneOrder { dry_run: true, ..order("me", &settings) };
    let foreseen = device.apply(&dry, std::time::Duration::ZERO).unwrap();
    assert_eq!(tree.content(), before);
    assert!(device.now().leases.is_empty() && !tree.root().join("state").exists());
    assert_eq!(device.set(&settings).unwrap(), foreseen);
}

#[test]
fn what_nobody_allowed_is_refused_with_what_would_allow_it() {
    for tree in [Tree::of(PI5), Tree::of(VIRTUAL), Tree::of(INTEL)] {
        let mut device = tree.device();
        for (setting, named) in [(millicores(500), "tuner.cgroup"), (usb("1-2", false), "tuner.usb_devices")]
        {
            let fault = device.set(&[setting]).unwrap_err().to_fault();
            assert_eq!(fault.kind, FaultKind::Unsupported);
            assert!(fault.message.contains(named), "{fault}");
        }
        let knobs = device.now().knobs;
        for unset in [Knob::CpuQuota, Knob::UsbPower] {
            assert!(matches!(knob(&knobs, unset).support, KnobSupport::Unsupported(_)));
        }
    }
}

/// A control group of this machine, if it has cgroup v2 with the cpu controller and lets us make one.
#[test]
fn a_real_control_group() {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let mount = mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (folder, kind) = (words.nth(1)?, words.next()?);
        (kind == "cgroup2").then_some(folder)
    });
    let Some(mount) = mount else {
        eprintln!("SKIPPED a_real_control_group: no cgroup v2 is mounted here");
        return;
    };
    let group = Path::new(mount).join("splinter-tuner-test");
    let made = fs::create_dir(&group);
    if made.is_err() || !group.join("cpu.max").exists() {
        eprintln!(
            "SKIPPED a_real_control_group: {mount} has no cpu controller to give, or may not be written"
        );
        if made.is_ok() {
            fs::remove_dir(&group).unwrap();
        }
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let settings = Settings {
        cgroup: Some(group.clone()),
        state_dir: Some(state.path().to_owned()),
        ..Settings::default()
    };
    let read = || fs::read_to_string(group.join("cpu.max")).unwrap().trim().to_owned();
    let before = read();
    let mut device = device(&settings);
    let set = device.set(&[millicores(500)]);
    let during = read();
    device.release_all(std::time::Duration::ZERO);
    let after = read();
    fs::remove_dir(&group).unwrap();
    assert_eq!((set.unwrap().len(), during.as_str()), (1, "50000 100000"));
    assert_eq!(after, before);
}

#[test]
fn files_that_are_already_so_are_not_touched() {
    let tree = Tree::of(PI5);
    let mut device = device(&open_pi5(&tree));
    let settings = [Setting::CpuFrequency(megahertz(1_500)), millicores(500), cores(2), usb("2-1", false)];
    device.set(&settings).unwrap();
    let times = || -> Vec<(String, i64, i64)> {
        let time = |name: String| {
            let metadata = fs::metadata(tree.root().join(&name)).unwrap();
            (name, metadata.mtime(), metadata.mtime_nsec())
        };
        tree.content().into_iter().map(|(name, _)| time(name)).collect()
    };
    let before = times();
    assert_eq!(device.set(&settings).unwrap(), []);
    assert_eq!(times(), before);
}

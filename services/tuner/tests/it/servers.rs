//! Servers as the kernel's documentation shows them (admin-guide/pm: intel_pstate, amd-pstate, cpufreq; power/powercap).

use std::time::Duration;

use schemas::{KiloHertz, KnobSupport, SensorKind};
use tuner::Device;

use crate::trees::{Sets, Tree, megahertz};

const CPU: &str = "devices/system/cpu";

/// The files that every cpufreq driver has, for each policy.
fn policies(tree: &Tree, count: u16, files: &[(&str, &str)]) {
    tree.write(&format!("{CPU}/online"), &format!("0-{}\n", count - 1));
    tree.write(&format!("{CPU}/present"), &format!("0-{}\n", count - 1));
    for policy in 0..count {
        for (file, text) in files {
            tree.write(&format!("{CPU}/cpufreq/policy{policy}/{file}"), text);
        }
    }
}

/// A powercap zone.
fn zone(tree: &Tree, folder: &str, name: &str, microjoules: u64, greatest: u64) {
    tree.write(&format!("class/powercap/{folder}/name"), &format!("{name}\n"));
    tree.write(&format!("class/powercap/{folder}/energy_uj"), &format!("{microjoules}\n"));
    tree.write(&format!("class/powercap/{folder}/max_energy_range_uj"), &format!("{greatest}\n"));
}

/// Two sockets of a Xeon under `intel_cpufreq` (intel_pstate in passive mode): generic governors, no list of clocks. Each
/// package holds its cores; memory is a domain of its own below it; both sockets lie within `psys`.
fn intel_passive() -> Tree {
    let tree = Tree::of(&[
        (&format!("{CPU}/intel_pstate/status"), "passive\n"),
        (&format!("{CPU}/intel_pstate/no_turbo"), "0\n"),
    ]);
    policies(
        &tree,
        4,
        &[
            ("scaling_driver", "intel_cpufreq\n"),
            (
                "scaling_available_governors",
                "conservative ondemand userspace powersave performance schedutil \n",
            ),
            ("scaling_governor", "schedutil\n"),
            ("scaling_setspeed", "<unsupported>\n"),
            ("scaling_min_freq", "800000\n"),
            ("scaling_max_freq", "3500000\n"),
            ("scaling_cur_freq", "1200000\n"),
            ("cpuinfo_min_freq", "800000\n"),
            ("cpuinfo_max_freq", "3500000\n"),
            ("base_frequency", "2400000\n"),
        ],
    );
    for package in 0..2 {
        zone(
            &tree,
            &format!("intel-rapl:{package}"),
            &format!("package-{package}"),
            10_000_000,
            262_143_328_850,
        );
        zone(&tree, &format!("intel-rapl:{package}:0"), "core", 7_000_000, 262_143_328_850);
        zone(&tree, &format!("intel-rapl:{package}:1"), "dram", 2_000_000, 65_712_999_613);
    }
    zone(&tree, "intel-rapl:2", "psys", 40_000_000, 262_143_328_850);
    tree.write("class/hwmon/hwmon0/name", "coretemp\n");
    tree.write("class/hwmon/hwmon0/temp1_label", "Package id 0\n");
    tree.write("class/hwmon/hwmon0/temp1_input", "54000\n");
    tree
}

/// One socket under `acpi-cpufreq`, as firmware with its own P-states gives it: a list, highest first, whose first entry is the
/// turbo's stand-in one megahertz above the nominal clock.
fn intel_acpi() -> Tree {
    let tree = Tree::of(&[]);
    policies(
        &tree,
        2,
        &[
            ("scaling_driver", "acpi-cpufreq\n"),
            ("scaling_available_frequencies", "2401000 2400000 2000000 1600000 1200000 \n"),
            (
                "scaling_available_governors",
                "conservative ondemand userspace powersave performance schedutil \n",
            ),
            ("scaling_governor", "performance\n"),
            ("scaling_setspeed", "<unsupported>\n"),
            ("scaling_min_freq", "1200000\n"),
            ("scaling_max_freq", "2401000\n"),
            ("cpuinfo_min_freq", "1200000\n"),
            ("cpuinfo_max_freq", "2401000\n"),
        ],
    );
    tree
}

/// A multi-die AMD EPYC under `amd-pstate-epp` (active mode): two governors, no list, the energy preference beside them. The
/// RAPL driver of Intel serves it: a package and its cores, no memory.
fn amd_active() -> Tree {
    let tree = Tree::of(&[(&format!("{CPU}/amd_pstate/status"), "active\n")]);
    policies(
        &tree,
        4,
        &[
            ("scaling_driver", "amd-pstate-epp\n"),
            ("scaling_available_governors", "performance powersave\n"),
            ("scaling_governor", "powersave\n"),
            ("scaling_setspeed", "<unsupported>\n"),
            ("scaling_min_freq", "400000\n"),
            ("scaling_max_freq", "3700000\n"),
            ("cpuinfo_min_freq", "400000\n"),
            ("cpuinfo_max_freq", "3700000\n"),
            ("amd_pstate_highest_perf", "255\n"),
            ("amd_pstate_max_freq", "3700000\n"),
            ("amd_pstate_lowest_nonlinear_freq", "1500000\n"),
            ("energy_performance_preference", "balance_performance\n"),
        ],
    );
    for (die, folder) in [(0, "intel-rapl:0"), (1, "intel-rapl:1")] {
        zone(&tree, folder, &format!("package-0-die-{die}"), 5_000_000, 65_532_610_987);
        zone(&tree, &format!("{folder}:0"), "core", 3_000_000, 65_532_610_987);
    }
    tree.write("class/hwmon/hwmon0/name", "k10temp\n");
    tree.write("class/hwmon/hwmon0/temp1_label", "Tctl\n");
    tree.write("class/hwmon/hwmon0/temp1_input", "61500\n");
    tree
}

/// An AMD server under `acpi-cpufreq`: three P-states.
fn amd_acpi() -> Tree {
    let tree = Tree::of(&[]);
    policies(
        &tree,
        2,
        &[
            ("scaling_driver", "acpi-cpufreq\n"),
            ("scaling_available_frequencies", "2250000 1700000 1500000 \n"),
            (
                "scaling_available_governors",
                "conservative ondemand userspace powersave performance schedutil \n",
            ),
            ("scaling_governor", "schedutil\n"),
            ("scaling_setspeed", "<unsupported>\n"),
            ("scaling_min_freq", "1500000\n"),
            ("scaling_max_freq", "2250000\n"),
            ("cpuinfo_min_freq", "1500000\n"),
            ("cpuinfo_max_freq", "2250000\n"),
            ("cpb", "1\n"),
        ],
    );
    tree
}

fn megahertz_of(device: &mut Device) -> Vec<u64> {
    device.now().frequencies_khz.iter().map(|clock: &KiloHertz| clock.0 / 1000).collect()
}

#[test]
fn intel_servers_are_set_through_the_userspace_governor() {
    for (tree, offered, clock) in [
        (intel_passive(), vec![800, 1400, 2100, 2800, 3500], 1400),
        (intel_acpi(), vec![1200, 1600, 2000, 2400, 2401], 1600),
    ] {
        let before = tree.content();
        let mut device = tree.device();
        assert_eq!(device.now().knobs[0].support, KnobSupport::Supported);
        assert_eq!(megahertz_of(&mut device), offered);
        assert!(device.set_clock(megahertz(clock)).unwrap());
        assert_eq!(tree.policy0("scaling_governor"), "userspace");
        assert_eq!(tree.policy0("scaling_setspeed"), (clock * 1000).to_string());
        assert_eq!(device.now().frequency_khz, Some(megahertz(clock)));
        assert!(!device.set_clock(megahertz(clock)).unwrap(), "it is so already");
        device.release_all(Duration::ZERO);
        // What a governor does not take is shown as unsupported again by a kernel, not by a folder of files.
        let changed: Vec<_> =
            tree.content().into_iter().zip(before).filter(|(now, was)| now != was).collect();
        assert!(changed.iter().all(|(now, _)| now.0.ends_with("scaling_setspeed")), "{changed:?}");
    }
}

#[test]
fn amd_servers_are_set_by_limits_or_by_the_userspace_governor() {
    let tree = amd_active();
    let mut device = tree.device();
    assert_eq!(megahertz_of(&mut device), [400, 1200, 2000, 2800, 3700]);
    assert!(device.set_clock(megahertz(1200)).unwrap());
    for file in ["scaling_min_freq", "scaling_max_freq"] {
        assert_eq!(tree.policy0(file), "1200000");
    }
    let report = device.now();
    assert_eq!(
        (report.frequency_khz, report.governor.as_deref()),
        (Some(megahertz(1200)), Some("powersave"))
    );
    assert_eq!(tree.policy0("energy_performance_preference"), "balance_performance", "left alone");

    let tree = amd_acpi();
    let mut device = tree.device();
    assert_eq!(megahertz_of(&mut device), [1500, 1700, 2250]);
    device.set_clock(megahertz(1700)).unwrap();
    assert_eq!(
        (tree.policy0("scaling_governor"), tree.policy0("scaling_setspeed")),
        ("userspace".into(), "1700000".into())
    );
}

#[test]
fn packages_and_memory_of_both_sockets_count_and_what_lies_within_or_around_does_not() {
    let tree = intel_passive();
    let mut device = tree.device();
    device.sample(Duration::ZERO);
    let grow = |folder: &str, microjoules: u64| {
        tree.write(&format!("class/powercap/{folder}/energy_uj"), &microjoules.to_string());
    };
    for package in 0..2 {
        grow(&format!("intel-rapl:{package}"), 110_000_000);
        grow(&format!("intel-rapl:{package}:0"), 87_000_000);
        grow(&format!("intel-rapl:{package}:1"), 12_000_000);
    }
    grow("intel-rapl:2", 340_000_000);
    device.sample(Duration::from_secs(1));
    // Twice 100 J of a package and 10 J of its memory; cores are part of packages, and psys holds them.
    assert_eq!(device.now().power.unwrap().active_w.get(), 220.0);
    let rapl = device.now().sensors.iter().filter(|sensor| sensor.kind == SensorKind::Rapl).count();
    assert_eq!(rapl, 7, "all are shown");
}

#[test]
fn every_die_of_an_amd_package_counts_once_across_a_wrap() {
    let tree = amd_active();
    zone(&tree, "intel-rapl:1", "package-0-die-1", 65_500_000_000, 65_532_610_987);
    let mut device = tree.device();
    device.sample(Duration::ZERO);
    tree.write("class/powercap/intel-rapl:0/energy_uj", "65000000");
    tree.write("class/powercap/intel-rapl:0:0/energy_uj", "53000000");
    // 32.610987 J to the end of the counter's range, and what is left of 40 J after it.
    tree.write("class/powercap/intel-rapl:1/energy_uj", "7389013");
    device.sample(Duration::from_secs(1));
    let watts = device.now().power.unwrap().active_w.get();
    assert!((watts - 100.0).abs() < 1e-9, "{watts}");
}

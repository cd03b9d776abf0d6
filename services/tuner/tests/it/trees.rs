//! Sysfs trees as machines show them, written into a temporary folder.

use std::fs;
use std::path::Path;

use std::time::Duration;

use schemas::{HardwareReport, InstanceId, KiloHertz, Millis, NodeId, Setting, SettingWrite, TuneOrder};
use tempfile::TempDir;
use tuner::{Device, Settings, TunerError};

/// A Raspberry Pi 4 under Raspberry Pi OS.
pub const PI: &[(&str, &str)] = &[
    ("devices/system/cpu/online", "0-3\n"),
    ("devices/system/cpu/present", "0-3\n"),
    ("devices/system/cpu/cpu1/online", "1\n"),
    ("devices/system/cpu/cpu2/online", "1\n"),
    ("devices/system/cpu/cpu3/online", "1\n"),
    (
        "devices/system/cpu/cpufreq/policy0/scaling_available_frequencies",
        "600000 700000 800000 900000 1000000 1100000 1200000 1300000 1400000 1500000 1600000 1700000 1800000 \n",
    ),
    (
        "devices/system/cpu/cpufreq/policy0/scaling_available_governors",
        "conservative ondemand userspace powersave performance schedutil \n",
    ),
    ("devices/system/cpu/cpufreq/policy0/scaling_governor", "ondemand\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_setspeed", "<unsupported>\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_min_freq", "600000\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_max_freq", "1800000\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_min_freq", "600000\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "1800000\n"),
    ("class/hwmon/hwmon0/name", "cpu_thermal\n"),
    ("class/hwmon/hwmon0/temp1_input", "48199\n"),
    ("class/hwmon/hwmon1/name", "rpi_volt\n"),
    ("class/hwmon/hwmon1/in0_lcrit_alarm", "0\n"),
];

/// A laptop with an Intel processor under `intel_pstate`.
pub const INTEL: &[(&str, &str)] = &[
    ("devices/system/cpu/online", "0-1\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_available_governors", "performance powersave\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_setspeed", "<unsupported>\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_min_freq", "400000\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_max_freq", "4700000\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_min_freq", "400000\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "4700000\n"),
    ("devices/system/cpu/cpufreq/policy1/scaling_available_governors", "performance powersave\n"),
    ("devices/system/cpu/cpufreq/policy1/scaling_governor", "powersave\n"),
    ("devices/system/cpu/cpufreq/policy1/scaling_setspeed", "<unsupported>\n"),
    ("devices/system/cpu/cpufreq/policy1/scaling_min_freq", "400000\n"),
    ("devices/system/cpu/cpufreq/policy1/scaling_max_freq", "3500000\n"),
    ("devices/system/cpu/cpufreq/policy1/cpuinfo_min_freq", "400000\n"),
    ("devices/system/cpu/cpufreq/policy1/cpuinfo_max_freq", "3500000\n"),
    ("class/powercap/intel-rapl/enabled", "1\n"),
    ("class/powercap/intel-rapl:0/name", "package-0\n"),
    ("class/powercap/intel-rapl:0/energy_uj", "5000000\n"),
    ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n"),
    ("class/powercap/intel-rapl:0:0/name", "core\n"),
    ("class/powercap/intel-rapl:0:0/energy_uj", "4000000\n"),
    ("class/powercap/intel-rapl:0:0/max_energy_range_uj", "262143328850\n"),
    ("class/powercap/intel-rapl:0:1/name", "dram\n"),
    ("class/powercap/intel-rapl:0:1/energy_uj", "1000000\n"),
    ("class/powercap/intel-rapl:0:1/max_energy_range_uj", "65712999613\n"),
    ("class/powercap/intel-rapl:1/name", "psys\n"),
    ("class/powercap/intel-rapl:1/energy_uj", "9000000\n"),
    ("class/powercap/intel-rapl:1/max_energy_range_uj", "262143328850\n"),
    ("class/powercap/intel-rapl-mmio:0/name", "package-0\n"),
    ("class/powercap/intel-rapl-mmio:0/energy_uj", "5000000\n"),
    ("class/hwmon/hwmon0/name", "acpitz\n"),
    ("class/hwmon/hwmon0/temp1_input", "-2500\n"),
    ("class/hwmon/hwmon1/name", "coretemp\n"),
    ("class/hwmon/hwmon1/temp1_input", "61000\n"),
    ("class/hwmon/hwmon1/temp1_label", "Package id 0\n"),
    ("class/hwmon/hwmon2/name", "ina231\n"),
    ("class/hwmon/hwmon2/power1_input", "4125000\n"),
    ("class/power_supply/AC/type", "Mains\n"),
    ("class/power_supply/BAT0/type", "Battery\n"),
    ("class/power_supply/BAT0/status", "Discharging\n"),
    ("class/power_supply/BAT0/current_now", "-1250000\n"),
    ("class/power_supply/BAT0/voltage_now", "12000000\n"),
    ("class/power_supply/BAT0/energy_now", "24000000\n"),
    ("class/power_supply/BAT0/energy_full", "48000000\n"),
    ("class/power_supply/hidpp_battery_0/type", "Battery\n"),
    ("class/power_supply/hidpp_battery_0/scope", "Device\n"),
    ("class/power_supply/hidpp_battery_0/status", "Discharging\n"),
    ("class/power_supply/hidpp_battery_0/capacity", "100\n"),
];

/// A virtual machine: no cpufreq, no sensor.
pub const VIRTUAL: &[(&str, &str)] = &[("devices/system/cpu/online", "0,2-3\n")];

/// A Raspberry Pi 5: two USB root hubs with an accelerator on one, no power sensor that the kernel shows.
pub const PI5: &[(&str, &str)] = &[
    ("devices/system/cpu/online", "0-3\n"),
    ("devices/system/cpu/present", "0-3\n"),
    ("devices/system/cpu/cpu1/online", "1\n"),
    ("devices/system/cpu/cpu2/online", "1\n"),
    ("devices/system/cpu/cpu3/online", "1\n"),
    (
        "devices/system/cpu/cpufreq/policy0/scaling_available_frequencies",
        "1500000 1600000 1700000 1800000 1900000 2000000 2100000 2200000 2300000 2400000 \n",
    ),
    (
        "devices/system/cpu/cpufreq/policy0/scaling_available_governors",
        "conservative ondemand userspace powersave performance schedutil \n",
    ),
    ("devices/system/cpu/cpufreq/policy0/scaling_governor", "ondemand\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_setspeed", "<unsupported>\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_min_freq", "1500000\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_max_freq", "2400000\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_min_freq", "1500000\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "2400000\n"),
    ("class/hwmon/hwmon0/name", "cpu_thermal\n"),
    ("class/hwmon/hwmon0/temp1_input", "51800\n"),
    ("class/hwmon/hwmon1/name", "rp1_adc\n"),
    ("class/hwmon/hwmon1/in1_input", "1471\n"),
    ("class/hwmon/hwmon1/temp1_input", "49500\n"),
    ("class/hwmon/hwmon2/name", "pwmfan\n"),
    ("class/hwmon/hwmon2/fan1_input", "2300\n"),
    ("bus/usb/devices/1-2/idVendor", "18d1\n"),
    ("bus/usb/devices/1-2/authorized", "1\n"),
    ("bus/usb/devices/2-1/authorized", "1\n"),
    ("bus/usb/devices/2-0:1.0/usb2-port1/disable", "0\n"),
    ("fs/cgroup/splinter/cpu.max", "max 100000\n"),
];

/// An NVIDIA Jetson Orin: clusters with clocks of their own, an INA3221 on the input rail and two that it feeds.
pub const JETSON: &[(&str, &str)] = &[
    ("devices/system/cpu/online", "0-7\n"),
    ("devices/system/cpu/present", "0-7\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_available_frequencies", "729600 1113600 1497600 2201600 \n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_available_governors", "ondemand userspace schedutil \n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_governor", "schedutil\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_setspeed", "<unsupported>\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_min_freq", "729600\n"),
    ("devices/system/cpu/cpufreq/policy0/scaling_max_freq", "2201600\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_min_freq", "729600\n"),
    ("devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "2201600\n"),
    ("devices/system/cpu/cpufreq/policy4/scaling_available_frequencies", "729600 1113600 1497600 \n"),
    ("devices/system/cpu/cpufreq/policy4/scaling_available_governors", "ondemand userspace schedutil \n"),
    ("devices/system/cpu/cpufreq/policy4/scaling_governor", "schedutil\n"),
    ("devices/system/cpu/cpufreq/policy4/scaling_setspeed", "<unsupported>\n"),
    ("devices/system/cpu/cpufreq/policy4/scaling_min_freq", "729600\n"),
    ("devices/system/cpu/cpufreq/policy4/scaling_max_freq", "1497600\n"),
    ("devices/system/cpu/cpufreq/policy4/cpuinfo_min_freq", "729600\n"),
    ("devices/system/cpu/cpufreq/policy4/cpuinfo_max_freq", "1497600\n"),
    ("class/hwmon/hwmon3/name", "ina3221\n"),
    ("class/hwmon/hwmon3/in1_label", "VDD_IN\n"),
    ("class/hwmon/hwmon3/in1_input", "5000\n"),
    ("class/hwmon/hwmon3/curr1_input", "1200\n"),
    ("class/hwmon/hwmon3/in2_label", "VDD_CPU_GPU_CV\n"),
    ("class/hwmon/hwmon3/in2_input", "5000\n"),
    ("class/hwmon/hwmon3/curr2_input", "400\n"),
    ("class/hwmon/hwmon3/in3_label", "VDD_SOC\n"),
    ("class/hwmon/hwmon3/in3_input", "5000\n"),
    ("class/hwmon/hwmon3/curr3_input", "300\n"),
];

/// A tree in a temporary folder.
pub struct Tree {
    folder: TempDir,
}

/// A server with two packages of an AMD or Intel processor: as many policies as cores, counters of both packages, of
/// their cores, and (Intel) of their memory.
pub fn server(cores: usize, memory: bool) -> Tree {
    let tree = Tree::of(&[]);
    tree.write("devices/system/cpu/online", &format!("0-{}\n", cores - 1));
    tree.write("devices/system/cpu/present", &format!("0-{}\n", cores - 1));
    for core in 0..cores {
        if core > 0 {
            tree.write(&format!("devices/system/cpu/cpu{core}/online"), "1\n");
        }
        for (file, text) in [
            ("scaling_available_governors", "performance powersave\n"),
            ("scaling_governor", "performance\n"),
            ("scaling_setspeed", "<unsupported>\n"),
            ("scaling_min_freq", "1500000\n"),
            ("scaling_max_freq", "3700000\n"),
            ("cpuinfo_min_freq", "1500000\n"),
            ("cpuinfo_max_freq", "3700000\n"),
        ] {
            tree.write(&format!("devices/system/cpu/cpufreq/policy{core}/{file}"), text);
        }
    }
    for package in 0..2 {
        let mut zones = vec![
            (format!("intel-rapl:{package}"), format!("package-{package}")),
            (format!("intel-rapl:{package}:0"), "core".to_owned()),
        ];
        if memory {
            zones.push((format!("intel-rapl:{package}:1"), "dram".to_owned()));
        }
        for (folder, name) in zones {
            tree.write(&format!("class/powercap/{folder}/name"), &format!("{name}\n"));
            tree.write(&format!("class/powercap/{folder}/energy_uj"), "1000000\n");
            tree.write(&format!("class/powercap/{folder}/max_energy_range_uj"), "65532610987\n");
        }
    }
    tree
}

impl Tree {
    pub fn of(files: &[(&str, &str)]) -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        for (file, text) in files {
            tree.write(file, text);
        }
        tree
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a file at once, as the kernel's files change: no reader sees it empty.
    pub fn replace(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        let aside = path.with_extension("aside");
        fs::write(&aside, text).unwrap();
        fs::rename(aside, path).unwrap();
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.root().join(file)).unwrap();
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.root().join(file)).unwrap().trim().to_owned()
    }

    /// A file of the first cpufreq policy.
    pub fn policy0(&self, file: &str) -> String {
        self.text(&format!("devices/system/cpu/cpufreq/policy0/{file}"))
    }

    pub fn settings(&self) -> Settings {
        let state_dir = Some(self.root().join("state"));
        Settings { sysfs_root: self.root().to_owned(), state_dir, ..Settings::default() }
    }

    pub fn device(&self) -> Device {
        device(&self.settings())
    }

    /// Every file of the tree but the tuner's own, with what it says.
    pub fn content(&self) -> Vec<(String, String)> {
        fn walk(folder: &Path, root: &Path, all: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    walk(&path, root, all);
                } else if !name.starts_with("state") {
                    all.push((name, fs::read_to_string(&path).unwrap().trim().to_owned()));
                }
            }
        }
        let mut all = Vec::new();
        walk(self.root(), self.root(), &mut all);
        all.sort();
        all
    }
}

pub fn node() -> NodeId {
    NodeId::new("here").unwrap()
}

pub fn device(settings: &Settings) -> Device {
    Device::new(settings, &node()).unwrap()
}

pub fn megahertz(megahertz: u64) -> KiloHertz {
    KiloHertz::from_megahertz(megahertz)
}

pub fn holder(name: &str) -> InstanceId {
    InstanceId::new(name).unwrap()
}

/// An order for a minute.
pub fn order(who: &str, settings: &[Setting]) -> TuneOrder {
    let lease_ms = Millis::new(60_000.0).unwrap();
    TuneOrder { holder: holder(who), lease_ms, settings: settings.to_vec(), dry_run: false }
}

/// What these tests do most: set things, as the same holder, at the beginning of time.
pub trait Sets {
    fn set(&mut self, settings: &[Setting]) -> Result<Vec<SettingWrite>, TunerError>;

    /// Whether the clock had to be changed.
    fn set_clock(&mut self, clock: KiloHertz) -> Result<bool, TunerError> {
        Ok(!self.set(&[Setting::CpuFrequency(clock)])?.is_empty())
    }

    fn now(&mut self) -> HardwareReport;
}

impl Sets for Device {
    fn set(&mut self, settings: &[Setting]) -> Result<Vec<SettingWrite>, TunerError> {
        self.apply(&order("me", settings), Duration::ZERO)
    }

    fn now(&mut self) -> HardwareReport {
        self.report(Duration::ZERO)
    }
}

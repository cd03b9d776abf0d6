//! Sysfs trees as machines show them, written into a temporary folder.

use std::fs;
use std::path::Path;

use schemas::NodeId;
use tempfile::TempDir;
use tuner::{Device, Settings};

/// A Raspberry Pi 4 under Raspberry Pi OS.
pub const PI: &[(&str, &str)] = &[
    ("devices/system/cpu/online", "0-3\n"),
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
];

/// A virtual machine: no cpufreq, no sensor.
pub const VIRTUAL: &[(&str, &str)] = &[("devices/system/cpu/online", "0,2-3\n")];

/// A tree in a temporary folder.
pub struct Tree {
    folder: TempDir,
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
        Settings { sysfs_root: self.root().to_owned(), ..Settings::default() }
    }

    pub fn device(&self) -> Device {
        Device::new(&self.settings()).unwrap()
    }
}

pub fn node() -> NodeId {
    NodeId::new("here").unwrap()
}

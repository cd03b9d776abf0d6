//! Everything that can be set on this machine. Each knob says what it would write, and reads back whether it holds; who
//! writes is `orders`.

pub mod cores;
pub mod cpufreq;
pub mod quota;
pub mod usb;

use schemas::{Knob, KnobReport, KnobSupport, Setting};

use crate::error::TunerError;
use crate::gpu::Gpus;
use crate::settings::Settings;
use crate::sysfs::Sysfs;
use crate::transaction::{Target, Write};
use cpufreq::CpuClock;
use quota::ControlGroup;
use usb::UsbDevice;

/// The knobs of this machine.
#[derive(Debug)]
pub struct Knobs {
    sysfs: Sysfs,
    /// Found again with each full report: cores that go offline take their policies with them.
    clock: Result<CpuClock, String>,
    group: Option<ControlGroup>,
    usb: Vec<UsbDevice>,
    /// Graphics processors.
    pub gpus: Gpus,
}

impl Knobs {
    /// The knobs under the settings' root.
    pub fn find(settings: &Settings) -> Self {
        let sysfs = Sysfs::new(&settings.sysfs_root);
        let group = settings.cgroup.as_ref().map(|group| {
            // An absolute path stays what it is.
            ControlGroup::in_folder(&sysfs.path("fs/cgroup").join(group))
        });
        let usb = settings.usb_devices.iter().filter_map(|name| UsbDevice::new(name)).collect();
        let clock = CpuClock::find(&sysfs).map_err(|error| error.in_words());
        Self { sysfs, clock, group, usb, gpus: Gpus::find() }
    }

    /// Looks again for what may have come or gone.
    pub fn refresh(&mut self) {
        self.clock = CpuClock::find(&self.sysfs).map_err(|error| error.in_words());
    }

    /// The processor's clock, where it can be set.
    pub fn clock(&self) -> Option<&CpuClock> {
        self.clock.as_ref().ok()
    }

    /// What must be written for a setting; nothing when it is already so.
    pub fn plan(&self, setting: &Setting) -> Result<Vec<Write>, TunerError> {
        match setting {
            Setting::CpuFrequency(clock) => self.needed_clock()?.plan(None, *clock),
            Setting::PolicyFrequency { policy, clock_khz } => {
                self.needed_clock()?.plan(Some(*policy), *clock_khz)
            }
            Setting::OnlineCores(cores) => cores::plan(&self.sysfs, *cores),
            Setting::CpuQuota(quota) => self.needed_group()?.plan(*quota),
            Setting::UsbPower { device, on } => self.needed_usb(device)?.plan(&self.sysfs, *on),
            Setting::GpuPowerLimit { gpu, limit_w } => self.gpus.plan_power_limit(*gpu, *limit_w),
            Setting::GpuClock { gpu, clock_khz } => self.gpus.plan_clock(*gpu, *clock_khz),
            other => Err(TunerError::unsupported(format!("this tuner does not know how to set {other}"))),
        }
    }

    /// Reads back whether a setting holds.
    pub fn verify(&self, setting: &Setting) -> Result<(), TunerError> {
        match setting {
            Setting::CpuFrequency(clock) => self.needed_clock()?.verify(None, *clock),
            Setting::PolicyFrequency { policy, clock_khz } => {
                self.needed_clock()?.verify(Some(*policy), *clock_khz)
            }
            Setting::OnlineCores(cores) => cores::verify(&self.sysfs, *cores),
            Setting::CpuQuota(quota) => self.needed_group()?.verify(*quota),
            Setting::UsbPower { device, on } => self.needed_usb(device)?.verify(&self.sysfs, *on),
            Setting::GpuPowerLimit { gpu, limit_w } => self.gpus.verify_power_limit(*gpu, *limit_w),
            Setting::GpuClock { gpu, clock_khz } => self.gpus.verify_clock(*gpu, *clock_khz),
            other => Err(TunerError::unsupported(format!("this tuner cannot read back {other}"))),
        }
    }

    /// Every knob: whether it can be set, and how it is set.
    pub fn report(&self) -> Vec<KnobReport> {
        let clock = match &self.clock {
            Ok(clock) => report(Knob::CpuFrequency, clock.check_permission(), clock.now()),
            Err(reason) => unsupported(Knob::CpuFrequency, reason.clone()),
        };
        let (sysfs, cores) = (&self.sysfs, Knob::OnlineCores);
        let cores = report(cores, cores::check_permission(sysfs), Ok(cores::now(sysfs)));
        let quota = match self.needed_group() {
            Ok(group) => report(Knob::CpuQuota, group.check_permission(), group.now().map(|now| vec![now])),
            Err(error) => unsupported(Knob::CpuQuota, error.in_words()),
        };
        let mut reports = vec![clock, cores, quota, self.usb_report()];
        reports.extend(self.gpus.knobs());
        reports
    }

    /// How the knobs are set, read afresh; whether they can be is taken from an earlier report.
    pub fn refresh_report(&self, reports: &mut [KnobReport]) {
        for report in reports.iter_mut().filter(|report| report.support == KnobSupport::Supported) {
            let now = match report.knob {
                Knob::CpuFrequency => self.clock().and_then(|clock| clock.now().ok()),
                Knob::OnlineCores => Some(cores::now(&self.sysfs)),
                Knob::CpuQuota => self.group.as_ref().and_then(|group| Some(vec![group.now().ok()?])),
                Knob::UsbPower => Some(self.usb.iter().filter_map(|usb| usb.now(&self.sysfs).ok()).collect()),
                knob => Some(self.gpus.now(knob)),
            };
            report.now = now.unwrap_or_default();
        }
    }

    /// Whether this is something these knobs write: nothing else is ever brought back from a state file.
    pub fn may_restore(&self, target: &Target) -> bool {
        let Some(path) = target.file() else { return true };
        let dotted = path.components().any(|part| matches!(part, std::path::Component::ParentDir));
        let usb = self.usb.iter().flat_map(UsbDevice::files).any(|file| self.sysfs.path(file) == path);
        let group = self.group.as_ref().is_some_and(|group| group.file() == path);
        !dotted && (path.starts_with(self.sysfs.path("devices/system/cpu")) || usb || group)
    }

    fn usb_report(&self) -> KnobReport {
        let reason = "no device is named in tuner.usb_devices: add its place, such as \"1-1.2\"";
        if self.usb.is_empty() {
            return unsupported(Knob::UsbPower, reason.to_owned());
        }
        let permission = self.usb.iter().try_for_each(|usb| usb.check_permission(&self.sysfs));
        let now = self.usb.iter().map(|usb| usb.now(&self.sysfs)).collect();
        report(Knob::UsbPower, permission, now)
    }

    fn needed_clock(&self) -> Result<&CpuClock, TunerError> {
        self.clock.as_ref().map_err(|reason| TunerError::InWords { text: reason.clone() })
    }

    fn needed_group(&self) -> Result<&ControlGroup, TunerError> {
        self.group.as_ref().ok_or_else(|| {
            let text = "no control group is named: set tuner.cgroup to the edge executor's (cgroup v2)";
            TunerError::unsupported(text.to_owned())
        })
    }

    fn needed_usb(&self, device: &str) -> Result<&UsbDevice, TunerError> {
        self.usb.iter().find(|usb| usb.name() == device).ok_or_else(|| {
            let text = format!("the USB device {device:?} is not one of tuner.usb_devices: add it there");
            TunerError::unsupported(text)
        })
    }
}

pub(crate) fn unsupported(knob: Knob, reason: String) -> KnobReport {
    KnobReport { knob, support: KnobSupport::Unsupported(reason), now: Vec::new() }
}

pub(crate) fn report(
    knob: Knob,
    permission: Result<(), TunerError>,
    now: Result<Vec<Setting>, TunerError>,
) -> KnobReport {
    let reason = |error: TunerError| KnobSupport::Unsupported(error.in_words());
    let support = permission.map_or_else(reason, |()| KnobSupport::Supported);
    KnobReport { knob, support, now: now.unwrap_or_default() }
}

//! The power of USB devices, such as an accelerator on a stick.
//!
//! Where the hub can switch a port (`disable` of the port, kernel 6.0 and later), power is really cut. Otherwise the
//! device is only deauthorised (`authorized`): the kernel lets go of it, its drivers stop, the port keeps its supply.

use schemas::Setting;

use crate::error::TunerError;
use crate::sysfs::Sysfs;
use crate::transaction::Write;

const DEVICES: &str = "bus/usb/devices";

/// A place where a device is plugged in, as the kernel names it: bus, then the ports on the way, `1-1.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbDevice {
    name: String,
}

impl UsbDevice {
    /// Takes a name such as `1-1.2`; `None` for anything else, as it becomes part of a path.
    pub fn new(name: &str) -> Option<Self> {
        let (bus, ports) = name.split_once('-')?;
        let number =
            |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        (number(bus) && ports.split('.').all(number)).then(|| Self { name: name.to_owned() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this process may switch it; nothing is written.
    pub fn check_permission(&self, sysfs: &Sysfs) -> Result<(), TunerError> {
        sysfs.check_writable(self.switch(sysfs)?.file)
    }

    /// Whether it is on, as a setting.
    pub fn now(&self, sysfs: &Sysfs) -> Result<Setting, TunerError> {
        let switch = self.switch(sysfs)?;
        let on = sysfs.text(&switch.file)? == switch.on;
        Ok(Setting::UsbPower { device: self.name.clone(), on })
    }

    /// What must be written to switch it.
    pub fn plan(&self, sysfs: &Sysfs, on: bool) -> Result<Vec<Write>, TunerError> {
        let switch = self.switch(sysfs)?;
        let wanted = if on { switch.on } else { switch.off };
        if sysfs.text(&switch.file)? == wanted {
            return Ok(Vec::new());
        }
        Ok(vec![Write::file(sysfs.path(switch.file), wanted)])
    }

    /// Reads back whether it is as wanted.
    pub fn verify(&self, sysfs: &Sysfs, on: bool) -> Result<(), TunerError> {
        let switch = self.switch(sysfs)?;
        let (wanted, now) = (if on { switch.on } else { switch.off }, sysfs.text(&switch.file)?);
        if now == wanted {
            return Ok(());
        }
        Err(TunerError::NotApplied { what: switch.file, asked: wanted.to_owned(), read_back: now })
    }

    /// The files that may switch it, whether they are there or not.
    pub fn files(&self) -> [String; 2] {
        [self.port_file(), format!("{DEVICES}/{}/authorized", self.name)]
    }

    /// The port's own switch lies below the hub: for `1-1.2`, `1-1:1.0/1-1-port2`; for `1-2`, on the root hub,
    /// `1-0:1.0/usb1-port2`.
    fn port_file(&self) -> String {
        let (interface, port) = match self.name.rsplit_once('.') {
            Some((hub, port)) => (format!("{hub}:1.0"), format!("{hub}-port{port}")),
            None => {
                let (bus, port) = self.name.split_once('-').unwrap_or_default();
                (format!("{bus}-0:1.0"), format!("usb{bus}-port{port}"))
            }
        };
        format!("{DEVICES}/{interface}/{port}/disable")
    }

    fn switch(&self, sysfs: &Sysfs) -> Result<Switch, TunerError> {
        let [port, authorized] = self.files();
        if sysfs.is_there(&port) {
            return Ok(Switch { file: port, on: "0", off: "1" });
        }
        if sysfs.is_there(&authorized) {
            return Ok(Switch { file: authorized, on: "1", off: "0" });
        }
        let folder = sysfs.path(DEVICES);
        let reason = format!("no device is plugged in at {} (see {})", self.name, folder.display());
        Err(TunerError::unsupported(reason))
    }
}

struct Switch {
    file: String,
    on: &'static str,
    off: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_places_are_taken() {
        for good in ["1-1", "2-1.4", "10-1.2.3"] {
            assert_eq!(UsbDevice::new(good).unwrap().name(), good);
        }
        for bad in ["", "1", "usb1", "1-", "-1", "1-1:1.0", "1-../../x", "1-1.", "1-1/authorized", "1234-1"] {
            assert_eq!(UsbDevice::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_ports_switch_lies_below_its_hub() {
        let port = |name: &str| UsbDevice::new(name).unwrap().port_file();
        assert_eq!(port("1-2"), "bus/usb/devices/1-0:1.0/usb1-port2/disable");
        assert_eq!(port("1-1.2"), "bus/usb/devices/1-1:1.0/1-1-port2/disable");
        assert_eq!(port("1-1.2.4"), "bus/usb/devices/1-1.2:1.0/1-1.2-port4/disable");
    }
}

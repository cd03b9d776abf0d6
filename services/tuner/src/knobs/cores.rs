//! How many cores are online (CPU hotplug). The lowest-numbered ones stay: the kernel keeps the first one on.

use std::num::NonZeroU16;

use schemas::Setting;

use crate::error::TunerError;
use crate::sysfs::Sysfs;
use crate::transaction::Write;

const CPUS: &str = "devices/system/cpu";

/// Cores of one machine at most: what the largest kernels are built for.
const GREATEST_CORE: u32 = 8192;

/// Online cores as the kernel lists them; where it does not, those this process may use.
pub fn online(sysfs: &Sysfs) -> u32 {
    let listed = sysfs.text(format!("{CPUS}/online")).ok().and_then(|list| numbers_of(&list));
    listed.map_or_else(
        || {
            std::thread::available_parallelism()
                .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
        },
        |cores| u32::try_from(cores.len()).unwrap_or(u32::MAX),
    )
}

/// How many are online, as a setting.
pub fn now(sysfs: &Sysfs) -> Vec<Setting> {
    let cores = u16::try_from(online(sysfs)).ok().and_then(NonZeroU16::new);
    cores.map(Setting::OnlineCores).into_iter().collect()
}

/// Whether this process may take a core off; nothing is written.
pub fn check_permission(sysfs: &Sysfs) -> Result<(), TunerError> {
    let switchable = cores(sysfs)?.into_iter().find(|core| core.online_file.is_some());
    let switchable = switchable.and_then(|core| core.online_file).ok_or_else(|| {
        let text = "no core can be taken offline: a virtual machine, or a kernel without CPU hotplug";
        TunerError::unsupported(text.to_owned())
    })?;
    sysfs.check_writable(switchable)
}

/// What must be written so that this many are online.
pub fn plan(sysfs: &Sysfs, wanted: NonZeroU16) -> Result<Vec<Write>, TunerError> {
    let cores = cores(sysfs)?;
    if usize::from(wanted.get()) > cores.len() {
        let text = format!("{wanted} cores are more than the {} that are here", cores.len());
        return Err(TunerError::OutOfRange { problem: text });
    }
    let mut writes = Vec::new();
    for (index, core) in cores.into_iter().enumerate() {
        let on = index < usize::from(wanted.get());
        // A core without the file is always on.
        let Some(file) = core.online_file else { continue };
        let value = if on { "1" } else { "0" };
        if sysfs.text(&file)? != value {
            writes.push(Write::file(sysfs.path(file), value));
        }
    }
    Ok(writes)
}

/// Reads back whether this many are online.
pub fn verify(sysfs: &Sysfs, wanted: NonZeroU16) -> Result<(), TunerError> {
    let mut on = 0_usize;
    for core in cores(sysfs)? {
        let is_on = core.online_file.map_or(Ok(true), |file| sysfs.text(file).map(|text| text == "1"))?;
        on += usize::from(is_on);
    }
    if on == usize::from(wanted.get()) {
        return Ok(());
    }
    let what = "the number of online cores".to_owned();
    Err(TunerError::NotApplied { what, asked: wanted.to_string(), read_back: on.to_string() })
}

struct Core {
    /// Its switch; the first core often has none.
    online_file: Option<String>,
}

fn cores(sysfs: &Sysfs) -> Result<Vec<Core>, TunerError> {
    let list = sysfs.text(format!("{CPUS}/present"))?;
    let unreadable = || TunerError::Unparsable {
        path: sysfs.path(format!("{CPUS}/present")),
        text: list.chars().take(64).collect(),
        expected: "a list of cores such as 0-3",
    };
    let core = |number: u32| {
        let file = format!("{CPUS}/cpu{number}/online");
        Core { online_file: sysfs.is_there(&file).then_some(file) }
    };
    Ok(numbers_of(&list).ok_or_else(unreadable)?.into_iter().map(core).collect())
}

/// The numbers that a list such as `0-3,5` holds; `None` when it is no such list.
pub fn numbers_of(list: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last < first || last > GREATEST_CORE {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_read() {
        for (list, expected) in [
            ("0", Some(vec![0])),
            ("0-3", Some(vec![0, 1, 2, 3])),
            ("0,2-3", Some(vec![0, 2, 3])),
            ("", None),
            ("3-0", None),
            ("0-4294967295", None),
            ("all", None),
        ] {
            assert_eq!(numbers_of(list), expected, "{list:?}");
        }
    }
}

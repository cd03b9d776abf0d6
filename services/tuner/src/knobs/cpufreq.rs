//! The processor's clock through cpufreq: what it can be, what it is set to, setting it and reading it back.
//!
//! Frequencies are parsed into numbers and compared as numbers. (The paper's program looked for "800" in
//! "1800000", and left the old clock where it should have set a new one.)
//!
//! A machine with several policies (clusters, or one a core) is set as one with the clocks that every policy has; each
//! policy can also be set by itself.

use std::path::Path;

use schemas::{KiloHertz, Setting};

use crate::error::TunerError;
use crate::sysfs::{Sysfs, parse_number};
use crate::transaction::Write;

const POLICIES: &str = "devices/system/cpu/cpufreq";

/// A processor without a list of clocks takes any within its limits; this many are offered, evenly spaced.
const OFFERED_OF_A_SPAN: u64 = 5;

/// The step in which processors without a list are set (one ratio of the usual 100 MHz base clock).
const SPAN_STEP: u64 = 100_000;

/// The clocks a processor can be set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clocks {
    /// These and no others, ascending.
    Listed(Vec<KiloHertz>),
    /// Any between these two, inclusive.
    Span {
        /// The lowest.
        least: KiloHertz,
        /// The highest.
        greatest: KiloHertz,
    },
}

impl Clocks {
    /// Whether the processor can be set to this clock.
    pub fn allow(&self, clock: KiloHertz) -> bool {
        match self {
            Self::Listed(clocks) => clocks.contains(&clock),
            Self::Span { least, greatest } => (*least..=*greatest).contains(&clock),
        }
    }

    /// Clocks to choose from, ascending: all that are listed, or a few evenly spaced ones of a span.
    pub fn offered(&self) -> Vec<KiloHertz> {
        match self {
            Self::Listed(clocks) => clocks.clone(),
            Self::Span { least, greatest } => {
                let last = OFFERED_OF_A_SPAN - 1;
                let width = greatest.0.saturating_sub(least.0);
                let between = (1..last).map(|step| {
                    let exact = least.0 + width / last * step;
                    KiloHertz((exact / SPAN_STEP * SPAN_STEP).clamp(least.0, greatest.0))
                });
                let mut clocks: Vec<KiloHertz> =
                    std::iter::once(*least).chain(between).chain([*greatest]).collect();
                clocks.dedup();
                clocks
            }
        }
    }

    /// The clocks that both have; `None` when there are none.
    fn shared_with(self, other: Self) -> Option<Self> {
        let shared = match (self, other) {
            (Self::Listed(mut clocks), other) | (other, Self::Listed(mut clocks)) => {
                clocks.retain(|clock| other.allow(*clock));
                Self::Listed(clocks)
            }
            (
                Self::Span { least, greatest },
                Self::Span { least: others_least, greatest: others_greatest },
            ) => Self::Span { least: least.max(others_least), greatest: greatest.min(others_greatest) },
        };
        let some = match &shared {
            Self::Listed(clocks) => !clocks.is_empty(),
            Self::Span { least, greatest } => least <= greatest,
        };
        some.then_some(shared)
    }

    fn in_words(&self) -> String {
        match self {
            Self::Listed(clocks) => clocks.iter().map(KiloHertz::to_string).collect::<Vec<_>>().join(", "),
            Self::Span { least, greatest } => format!("{least} to {greatest}"),
        }
    }
}

/// How a clock is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Governor `userspace` and `scaling_setspeed`.
    Userspace,
    /// Both limits, `scaling_min_freq` and `scaling_max_freq`, at the clock; the governor stays.
    Limits,
}

/// How one policy is set, as its files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyState {
    /// `scaling_governor`.
    pub governor: String,
    /// `scaling_min_freq`.
    pub least: KiloHertz,
    /// `scaling_max_freq`.
    pub greatest: KiloHertz,
    /// `scaling_setspeed`; `None` where the file is missing or, under another governor, says `<unsupported>`.
    pub setspeed: Option<KiloHertz>,
}

impl PolicyState {
    /// The clock this policy is held at; `None` when a governor moves it.
    pub fn held_at(&self) -> Option<KiloHertz> {
        if self.governor == "userspace" {
            // The kernel keeps the speed within the limits whatever was asked for.
            return self.setspeed.map(|speed| speed.clamp(self.least.min(self.greatest), self.greatest));
        }
        (self.least == self.greatest).then_some(self.least)
    }

    /// What must be written, in this order, to hold the clock; nothing when it is already held so.
    pub fn writes_for(&self, clock: KiloHertz, way: Way) -> Vec<(&'static str, String)> {
        if self.held_at() == Some(clock) {
            return Vec::new();
        }
        let value = clock.0.to_string();
        let mut writes = Vec::new();
        match way {
            Way::Userspace => {
                if clock > self.greatest {
                    writes.push(("scaling_max_freq", value.clone()));
                }
                if clock < self.least {
                    writes.push(("scaling_min_freq", value.clone()));
                }
                if self.governor != "userspace" {
                    writes.push(("scaling_governor", "userspace".to_owned()));
                }
                writes.push(("scaling_setspeed", value));
            }
            Way::Limits => {
                // The kernel refuses limits that cross, so the one that makes room goes first.
                let files = if clock > self.greatest {
                    [("scaling_max_freq", self.greatest), ("scaling_min_freq", self.least)]
                } else {
                    [("scaling_min_freq", self.least), ("scaling_max_freq", self.greatest)]
                };
                let differing = files.into_iter().filter(|(_, now)| *now != clock);
                writes.extend(differing.map(|(file, _)| (file, value.clone())));
            }
        }
        writes
    }
}

/// One group of cores that share a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Policy {
    number: u16,
    clocks: Clocks,
    way: Way,
}

/// The clock of a machine that has one to set.
#[derive(Debug, Clone)]
pub struct CpuClock {
    sysfs: Sysfs,
    policies: Vec<Policy>,
    /// What every policy has; `None` when they have no clock in common.
    shared: Option<Clocks>,
}

impl CpuClock {
    /// Looks for cpufreq under the root. An error says why the clock cannot be set here.
    pub fn find(sysfs: &Sysfs) -> Result<Self, TunerError> {
        let mut numbers: Vec<u16> = sysfs
            .names(POLICIES)
            .iter()
            .filter_map(|name| name.strip_prefix("policy")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        let policy = |number: u16| {
            Ok(Policy { number, clocks: clocks_of(sysfs, number)?, way: way_of(sysfs, number)? })
        };
        let policies = numbers.into_iter().map(policy).collect::<Result<Vec<Policy>, TunerError>>()?;
        let Some(first) = policies.first() else {
            let folder = sysfs.path(POLICIES);
            return Err(TunerError::unsupported(format!(
                "there is no policy in {}: a virtual machine, or a kernel without a cpufreq driver",
                folder.display()
            )));
        };
        let mut others = policies.iter().skip(1).map(|policy| policy.clocks.clone());
        let shared = others.try_fold(first.clocks.clone(), Clocks::shared_with);
        Ok(Self { sysfs: sysfs.clone(), policies, shared })
    }

    /// The clocks that the whole machine can be set to; empty when its policies have none in common.
    pub fn offered(&self) -> Vec<KiloHertz> {
        self.shared.as_ref().map_or_else(Vec::new, Clocks::offered)
    }

    /// Whether this process may set it; nothing is written.
    pub fn check_permission(&self) -> Result<(), TunerError> {
        for policy in &self.policies {
            let files: &[&str] = match policy.way {
                Way::Userspace => &["scaling_governor", "scaling_setspeed"],
                Way::Limits => &["scaling_min_freq", "scaling_max_freq"],
            };
            for file in files {
                self.sysfs.check_writable(file_of(policy.number, file))?;
            }
        }
        Ok(())
    }

    /// The governor; several, separated by commas, where the policies differ.
    pub fn governor(&self) -> Result<String, TunerError> {
        let mut governors = Vec::new();
        for policy in &self.policies {
            governors.push(self.sysfs.text(file_of(policy.number, "scaling_governor"))?);
        }
        governors.dedup();
        Ok(governors.join(", "))
    }

    /// The clock it is held at; `None` when a governor moves it, or the policies are held at different ones.
    pub fn held_at(&self) -> Result<Option<KiloHertz>, TunerError> {
        let mut held = Vec::new();
        for policy in &self.policies {
            held.push(self.state(policy.number)?.held_at());
        }
        held.dedup();
        Ok(if let [clock] = held.as_slice() { *clock } else { None })
    }

    /// What the clock is held at, as settings that would bring it about: one for all policies, or one for each that is
    /// held while they differ.
    pub fn now(&self) -> Result<Vec<Setting>, TunerError> {
        if let Some(clock) = self.held_at()? {
            return Ok(vec![Setting::CpuFrequency(clock)]);
        }
        let mut held = Vec::new();
        for policy in &self.policies {
            let clock = self.state(policy.number)?.held_at();
            held.extend(clock.map(|clock_khz| Setting::PolicyFrequency { policy: policy.number, clock_khz }));
        }
        Ok(held)
    }

    /// What must be written to hold every policy (`only` = `None`) or one of them at the clock.
    pub fn plan(&self, only: Option<u16>, clock: KiloHertz) -> Result<Vec<Write>, TunerError> {
        let mut writes = Vec::new();
        for policy in self.chosen(only, clock)? {
            for (file, value) in self.state(policy.number)?.writes_for(clock, policy.way) {
                writes.push(Write::file(self.sysfs.path(file_of(policy.number, file)), value));
            }
        }
        Ok(writes)
    }

    /// Reads back whether the clock is held.
    pub fn verify(&self, only: Option<u16>, clock: KiloHertz) -> Result<(), TunerError> {
        for policy in self.chosen(only, clock)? {
            let now = self.state(policy.number)?;
            if now.held_at() != Some(clock) {
                return Err(TunerError::NotApplied {
                    what: format!("policy{}", policy.number),
                    asked: clock.to_string(),
                    read_back: format!("governor {}, {} to {}", now.governor, now.least, now.greatest),
                });
            }
        }
        Ok(())
    }

    fn chosen(&self, only: Option<u16>, clock: KiloHertz) -> Result<Vec<&Policy>, TunerError> {
        let (chosen, clocks): (Vec<&Policy>, Option<&Clocks>) = match only {
            None => (self.policies.iter().collect(), self.shared.as_ref()),
            Some(number) => {
                let policy = self.policies.iter().find(|policy| policy.number == number);
                let missing = || TunerError::unsupported(format!("there is no cpufreq policy {number} here"));
                let policy = policy.ok_or_else(missing)?;
                (vec![policy], Some(&policy.clocks))
            }
        };
        let clocks = clocks.ok_or_else(|| {
            let text = "its groups of cores have no clock in common: set them one by one (policy_frequency)";
            TunerError::unsupported(text.to_owned())
        })?;
        if clocks.allow(clock) {
            return Ok(chosen);
        }
        Err(TunerError::NotAClock { asked: clock, allowed: clocks.in_words() })
    }

    fn state(&self, policy: u16) -> Result<PolicyState, TunerError> {
        let setspeed = self.sysfs.text_if_there(file_of(policy, "scaling_setspeed"))?;
        Ok(PolicyState {
            governor: self.sysfs.text(file_of(policy, "scaling_governor"))?,
            least: KiloHertz(self.sysfs.number(file_of(policy, "scaling_min_freq"))?),
            greatest: KiloHertz(self.sysfs.number(file_of(policy, "scaling_max_freq"))?),
            setspeed: setspeed.and_then(|text| text.parse().ok()).map(KiloHertz),
        })
    }
}

fn file_of(policy: u16, file: &str) -> String {
    format!("{POLICIES}/policy{policy}/{file}")
}

fn clocks_of(sysfs: &Sysfs, policy: u16) -> Result<Clocks, TunerError> {
    let list = file_of(policy, "scaling_available_frequencies");
    if let Some(text) = sysfs.text_if_there(&list)? {
        let clocks = parse_clocks(&sysfs.path(&list), &text)?;
        if !clocks.is_empty() {
            return Ok(Clocks::Listed(clocks));
        }
    }
    Ok(Clocks::Span {
        least: KiloHertz(sysfs.number(file_of(policy, "cpuinfo_min_freq"))?),
        greatest: KiloHertz(sysfs.number(file_of(policy, "cpuinfo_max_freq"))?),
    })
}

/// The numbers of `scaling_available_frequencies`, ascending, each once.
fn parse_clocks(path: &Path, text: &str) -> Result<Vec<KiloHertz>, TunerError> {
    let clocks: Result<Vec<u64>, TunerError> =
        text.split_whitespace().map(|word| parse_number(path, word)).collect();
    let mut clocks: Vec<KiloHertz> = clocks?.into_iter().map(KiloHertz).collect();
    clocks.sort_unstable();
    clocks.dedup();
    Ok(clocks)
}

fn way_of(sysfs: &Sysfs, policy: u16) -> Result<Way, TunerError> {
    let governors = sysfs.text_if_there(file_of(policy, "scaling_available_governors"))?;
    let has_userspace =
        governors.is_some_and(|governors| governors.split_whitespace().any(|word| word == "userspace"));
    Ok(if has_userspace { Way::Userspace } else { Way::Limits })
}

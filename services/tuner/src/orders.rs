//! Carrying out orders: all of one or nothing of it, under a lease, and back to the original state when that ends.

use std::time::Duration;

use schemas::{InstanceId, Knob, Setting, SettingWrite, TuneOrder};
use tracing::{debug, info, warn};

use crate::device::Device;
use crate::emulation::EmulatedDevice;
use crate::error::TunerError;
use crate::originals::Original;
use crate::transaction::{self, Transaction};

/// Nobody needs a setting for longer without saying so.
const GREATEST_LEASE: Duration = Duration::from_secs(3600);

/// Settings of one order at most: every cpufreq policy of a large machine.
const GREATEST_ORDER: usize = 1024;

/// Limits that must not cross go back in the right order after at most so many rounds.
const ROUNDS: usize = 3;

impl Device {
    /// Sets what is ordered, reads it back, and leases it to the holder. Returns what was written; nothing when it is all
    /// so already. With `dry_run`, what would be written.
    ///
    /// When one setting fails, those before it are taken back.
    pub fn apply(&mut self, order: &TuneOrder, now: Duration) -> Result<Vec<SettingWrite>, TunerError> {
        let lease = order.lease_ms.to_duration();
        if !(Duration::from_millis(1)..=GREATEST_LEASE).contains(&lease) {
            let greatest_s = GREATEST_LEASE.as_secs();
            return Err(TunerError::LeaseLength { asked: order.lease_ms, greatest_s });
        }
        if order.settings.len() > GREATEST_ORDER {
            let problem =
                format!("{} settings in one order are more than {GREATEST_ORDER}", order.settings.len());
            return Err(TunerError::OutOfRange { problem });
        }
        order.settings.iter().try_for_each(|set| self.leases.check(&order.holder, set.knob(), now))?;
        if order.dry_run {
            return self.foresee(&order.settings);
        }
        let written = if self.emulated.is_some() {
            self.set_emulated(&order.settings)?
        } else {
            self.set_all(&order.settings)?
        };
        let until = now.saturating_add(lease);
        self.leases.renew(&order.holder, until, now);
        for setting in &order.settings {
            self.leases.grant(&order.holder, setting.knob(), until);
        }
        Ok(written)
    }

    /// The holder is done: what it holds is as it was when this returns, or will be tried again.
    pub fn release(&mut self, holder: &InstanceId, now: Duration) {
        self.leases.release(holder, now);
        self.bring_back_what_ended(now);
    }

    /// Every lease ends.
    pub fn release_all(&mut self, now: Duration) {
        self.leases.release_all(now);
        self.bring_back_what_ended(now);
    }

    /// Brings back the original state of every knob whose lease has ended. What fails is tried again with the next call.
    pub fn bring_back_what_ended(&mut self, now: Duration) {
        let mut ended = self.leases.ended(now);
        // What an earlier tuner or a failed order left.
        let held = self.leases.report(now);
        let left = self.originals.knobs().into_iter();
        ended.extend(left.filter(|knob| held.iter().all(|lease| lease.knob != *knob)));
        for knob in ended {
            match self.bring_back(knob) {
                Ok(true) => info!(%knob, "its original state is back"),
                Ok(false) => debug!(%knob, "was never changed"),
                Err(error) => {
                    warn!(%knob, reason = error.in_words(), "its original state cannot be brought back yet");
                    continue;
                }
            }
            self.leases.forget(knob);
        }
    }

    fn foresee(&self, settings: &[Setting]) -> Result<Vec<SettingWrite>, TunerError> {
        if self.emulated.is_some() {
            let mut copy = self.emulated.clone();
            return settings
                .iter()
                .map(|setting| emulate(&mut copy, setting))
                .filter_map(Result::transpose)
                .collect();
        }
        let mut writes = Vec::new();
        for setting in settings {
            for write in self.knobs.plan(setting)? {
                writes.push(transaction::foresee(&write, &self.knobs.gpus)?);
            }
        }
        Ok(writes)
    }

    fn set_emulated(&mut self, settings: &[Setting]) -> Result<Vec<SettingWrite>, TunerError> {
        // On a copy first: all of it or nothing.
        let mut copy = self.emulated.clone();
        let writes: Result<Vec<SettingWrite>, TunerError> = settings
            .iter()
            .map(|setting| emulate(&mut copy, setting))
            .filter_map(Result::transpose)
            .collect();
        if writes.is_ok() {
            self.emulated = copy;
        }
        writes
    }

    fn set_all(&mut self, settings: &[Setting]) -> Result<Vec<SettingWrite>, TunerError> {
        let (mut transaction, mut noted) = (Transaction::default(), Vec::new());
        let mut set =
            || settings.iter().try_for_each(|setting| self.set(setting, &mut transaction, &mut noted));
        let Err(cause) = set() else { return Ok(transaction.finish()) };
        match transaction.roll_back(&mut self.knobs.gpus) {
            None => {
                if let Err(error) = self.originals.forget(&noted) {
                    warn!(reason = error.in_words(), "the state file says more than is set");
                }
                Err(cause)
            }
            Some(left) => Err(TunerError::NotRolledBack { cause: Box::new(cause), left }),
        }
    }

    fn set(
        &mut self,
        setting: &Setting,
        transaction: &mut Transaction,
        noted: &mut Vec<Original>,
    ) -> Result<(), TunerError> {
        let writes = self.knobs.plan(setting)?;
        if writes.is_empty() {
            return Ok(());
        }
        let knob = setting.knob();
        let original = |write: &transaction::Write| {
            let text = transaction::read(&write.target, &self.knobs.gpus)?;
            Ok(Original { knob, target: write.target.clone(), text })
        };
        let originals = writes.iter().map(original).collect::<Result<Vec<_>, TunerError>>()?;
        noted.extend(self.originals.note(originals)?);
        for write in &writes {
            transaction.write(write, &mut self.knobs.gpus)?;
        }
        self.knobs.verify(setting)
    }

    /// Whether anything had to be brought back.
    fn bring_back(&mut self, knob: Knob) -> Result<bool, TunerError> {
        if let Some(emulated) = &mut self.emulated {
            return Ok(emulated.reset());
        }
        let originals = self.originals.of(knob);
        let mut last = None;
        for _ in 0..ROUNDS {
            last = None;
            for original in &originals {
                let put_back = transaction::put_back(&original.target, &original.text, &mut self.knobs.gpus);
                last = put_back.err().or(last);
            }
            if last.is_none() {
                break;
            }
        }
        match last {
            Some(error) => Err(error),
            None => {
                self.originals.forget(&originals)?;
                Ok(!originals.is_empty())
            }
        }
    }
}

fn emulate(
    device: &mut Option<EmulatedDevice>,
    setting: &Setting,
) -> Result<Option<SettingWrite>, TunerError> {
    match (device, setting) {
        (Some(device), Setting::CpuFrequency(clock)) => {
            let from = device.clock().to_string();
            let write =
                SettingWrite { file: format!("{} clock", device.name()), from, to: clock.to_string() };
            Ok(device.set(*clock)?.then_some(write))
        }
        (Some(device), other) => {
            Err(TunerError::unsupported(format!("{other}: the emulated {} has no such knob", device.name())))
        }
        (None, _) => Ok(None),
    }
}

//! Devices that this machine can play, so that a laptop or a virtual machine shows their trade-offs.
//!
//! The tuner only holds the emulated clock and says what it means (how much slower, how many watts); the edge
//! executor stretches its computing accordingly. Everything that comes of it is labelled emulated.

use schemas::{DevicePower, EnergySource, KiloHertz, Watts};

use crate::error::TunerError;

/// One clock of a device and the power it draws there.
struct Operating {
    megahertz: u64,
    active_w: f64,
    waiting_w: f64,
}

const fn operating(megahertz: u64, active_w: f64, waiting_w: f64) -> Operating {
    Operating { megahertz, active_w, waiting_w }
}

const RASPBERRY_PI_4: &str = "raspberry-pi-4";

/// The Raspberry Pi 4 of the DynaSplit paper. The power is the median of the authors' own measurements of
/// VGG16 without the TPU, whole board: active = most or all layers on the Pi, waiting = none.
const RASPBERRY_PI_4_CLOCKS: [Operating; 7] = [
    operating(600, 2.95, 2.73),
    operating(800, 3.28, 2.85),
    operating(1000, 3.42, 3.07),
    operating(1200, 3.57, 3.20),
    operating(1400, 3.71, 3.01),
    operating(1600, 4.02, 3.20),
    operating(1800, 4.41, 3.53),
];

/// A device this machine plays, at one of its clocks.
#[derive(Debug, Clone, PartialEq)]
pub struct EmulatedDevice {
    name: &'static str,
    slowdown_at_highest: f64,
    clock: KiloHertz,
}

impl EmulatedDevice {
    /// The devices there are.
    pub const NAMES: [&str; 1] = [RASPBERRY_PI_4];

    /// The device of that name at its highest clock; `None` when there is none. `slowdown` says how many times
    /// longer computing takes on it there than on this machine; at a lower clock, longer in proportion.
    pub fn named(name: &str, slowdown: f64) -> Option<Self> {
        (name == RASPBERRY_PI_4).then(|| Self {
            name: RASPBERRY_PI_4,
            slowdown_at_highest: slowdown,
            clock: highest(),
        })
    }

    /// The device's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its clocks, ascending.
    pub fn clocks(&self) -> Vec<KiloHertz> {
        RASPBERRY_PI_4_CLOCKS.iter().map(Operating::clock).collect()
    }

    /// The clock it is at.
    pub fn clock(&self) -> KiloHertz {
        self.clock
    }

    /// Sets the clock. Returns whether it was another before.
    pub fn set(&mut self, clock: KiloHertz) -> Result<bool, TunerError> {
        let clocks = self.clocks();
        if !clocks.contains(&clock) {
            let allowed: Vec<String> = clocks.iter().map(KiloHertz::to_string).collect();
            return Err(TunerError::NotAClock { asked: clock, allowed: allowed.join(", ") });
        }
        let changed = self.clock != clock;
        self.clock = clock;
        Ok(changed)
    }

    /// Sets the clock it began with. Returns whether it was another.
    pub fn reset(&mut self) -> bool {
        let changed = self.clock != highest();
        self.clock = highest();
        changed
    }

    /// How many times longer computing takes at this clock than on this machine.
    pub fn slowdown(&self) -> f64 {
        self.slowdown_at_highest * highest().0 as f64 / self.clock.0 as f64
    }

    /// The power it draws at this clock.
    pub fn power(&self) -> Option<DevicePower> {
        let operating = RASPBERRY_PI_4_CLOCKS.iter().find(|operating| operating.clock() == self.clock)?;
        Some(DevicePower {
            active_w: Watts::saturating(operating.active_w),
            waiting_w: Watts::saturating(operating.waiting_w),
            source: EnergySource::Emulated,
            idle_w: None,
            uncertainty_w: None,
        })
    }
}

impl Operating {
    const fn clock(&self) -> KiloHertz {
        KiloHertz::from_megahertz(self.megahertz)
    }
}

const fn highest() -> KiloHertz {
    RASPBERRY_PI_4_CLOCKS[RASPBERRY_PI_4_CLOCKS.len() - 1].clock()
}

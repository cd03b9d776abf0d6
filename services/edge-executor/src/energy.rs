//! The edge's joules. Pure code.

use schemas::{DevicePower, EnergyEntry, Millis, Place};

/// Joules of computing and of waiting for the cloud; none when the device's power is not known.
pub(crate) fn of_edge(power: Option<DevicePower>, computing: Millis, waiting: Millis) -> Option<EnergyEntry> {
    let power = power?;
    let joules = power.active_w * computing + power.waiting_w * waiting;
    Some(EnergyEntry { place: Place::Edge, source: power.source, joules })
}

#[cfg(test)]
mod tests {
    use schemas::{EnergySource, Watts};

    use super::*;

    #[test]
    fn computing_and_waiting_have_their_own_power() {
        let power = DevicePower {
            active_w: Watts::new(4.0).unwrap(),
            waiting_w: Watts::new(3.0).unwrap(),
            source: EnergySource::Emulated,
            idle_w: None,
            uncertainty_w: None,
        };
        let entry = of_edge(Some(power), Millis::new(100.0).unwrap(), Millis::new(200.0).unwrap()).unwrap();
        assert_eq!(entry.joules.get(), 1.0);
        assert_eq!(of_edge(None, Millis::ZERO, Millis::ZERO), None);
    }
}

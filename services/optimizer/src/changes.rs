//! What setting the edge's hardware took while configurations were measured. Pure.

use std::collections::HashMap;

use schemas::{Configuration, EdgeSetup, HardwareChanges, Millis, NodeId, nearest_rank};

/// The changes of one campaign. One is noted a request at most, so they are as bounded as the campaign's samples.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    set: HashMap<NodeId, EdgeSetup>,
    clock: Vec<f64>,
    /// With what the clock's own change took, where it changed as well.
    accelerator: Vec<(f64, bool)>,
}

impl Changes {
    /// Takes note of a configuration that ran on an edge machine, and of what setting the hardware for it took; `None` where
    /// nothing had to be set.
    pub(crate) fn note(&mut self, edge: &NodeId, ran: &Configuration, took: Option<Millis>) {
        let changed = self.set.entry(edge.clone()).or_default().follow(ran);
        let Some(took) = took.map(Millis::get) else { return };
        if changed.accelerator {
            self.accelerator.push((took, changed.clock));
        } else {
            self.clock.push(took);
        }
    }

    /// The medians, which a change that hung once does not move.
    pub(crate) fn medians(&self) -> HardwareChanges {
        let clock = median(self.clock.iter().copied());
        let of_clock = |changed| if changed { clock.unwrap_or_default() } else { 0.0 };
        let accelerator = median(self.accelerator.iter().map(|(took, changed)| took - of_clock(*changed)));
        HardwareChanges {
            clock_ms: clock.map(Millis::saturating),
            accelerator_ms: accelerator.map(Millis::saturating),
        }
    }
}

fn median(times: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = times.collect();
    sorted.sort_by(f64::total_cmp);
    nearest_rank(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use schemas::{Accelerator, Cut, KiloHertz};

    use super::*;

    fn ran(cut: u16, megahertz: u64, accelerator: Accelerator) -> Configuration {
        Configuration {
            edge_frequency_khz: Some(KiloHertz::from_megahertz(megahertz)),
            edge_accelerator: accelerator,
            ..Configuration::at(Cut(cut))
        }
    }

    #[test]
    fn changes_are_told_apart_by_what_ran_before() {
        let (pi, other) = (NodeId::new("pi").unwrap(), NodeId::new("other").unwrap());
        let mut changes = Changes::default();
        assert!(changes.medians().is_unknown());
        let mut note = |edge, ran, took: f64| {
            changes.note(edge, &ran, (took > 0.0).then(|| Millis::saturating(took)));
        };
        note(&pi, ran(3, 600, Accelerator::Cpu), 4.0);
        note(&pi, ran(3, 600, Accelerator::Cpu), 0.0);
        note(&pi, ran(3, 1_800, Accelerator::Cpu), 2.0);
        // The whole network in the cloud leaves the accelerator as it is.
        note(&pi, ran(0, 600, Accelerator::Wgpu), 3.0);
        note(&pi, ran(3, 600, Accelerator::Wgpu), 100.0);
        note(&pi, ran(3, 1_800, Accelerator::Cpu), 103.0);
        // Another machine is set on its own.
        note(&other, ran(3, 600, Accelerator::Cpu), 900.0);
        let HardwareChanges { clock_ms, accelerator_ms } = changes.medians();
        assert_eq!(clock_ms, Some(Millis::saturating(3.0)), "of 2, 3, 4 and 900");
        assert_eq!(accelerator_ms, Some(Millis::saturating(100.0)), "of 100 and 103 less the clock's 3");
    }
}

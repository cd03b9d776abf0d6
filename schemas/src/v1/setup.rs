//! How an edge machine is set, as the requests that ran on it tell.

use crate::{Accelerator, Configuration, Cut, KiloHertz};

/// How the requests that ran on an edge machine left it set. Nothing is known of a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EdgeSetup {
    clock: Option<KiloHertz>,
    accelerator: Option<Accelerator>,
}

/// What a request found set otherwise than it needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupChange {
    /// The clock; the first one that is set counts.
    pub clock: bool,
    /// The accelerator; the first one that is used does not count, as nothing is known of another before it.
    pub accelerator: bool,
}

impl EdgeSetup {
    /// Follows a configuration that ran, and says what it changed. Replies and receipts say what setting the hardware took,
    /// not what was set: this tells a change of the clock from one of the accelerator.
    ///
    /// Without a head the accelerator has no meaning, and without a clock of its own a request takes the one that is there:
    /// both stay as they were.
    pub fn follow(&mut self, ran: &Configuration) -> SetupChange {
        let before = *self;
        let accelerator = Some(ran.edge_accelerator).filter(|_| ran.cut > Cut::ALL_CLOUD);
        self.clock = ran.edge_frequency_khz.or(before.clock);
        self.accelerator = accelerator.or(before.accelerator);
        SetupChange {
            clock: self.clock != before.clock,
            accelerator: before.accelerator.is_some() && self.accelerator != before.accelerator,
        }
    }
}

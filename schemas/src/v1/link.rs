//! `splinter.v1.link.<node>`: another emulated link between the edge and the cloud, for a while.

use serde::{Deserialize, Serialize};

use crate::units::{Bandwidth, Millis};

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinkState {
    /// How fast it is, each way.
    pub bandwidth_mbit: Bandwidth,
    /// There and back.
    pub rtt_ms: Millis,
}

/// Asks an edge executor that emulates its link to emulate another one. Whoever asked renews it: an asker that is gone
/// leaves no strange link behind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinkRequest {
    /// The link to emulate: 0.001 to 1 000 000 Mbit/s, round trips of 0 to 60 000 ms. `None` goes back to the one of the
    /// settings at once.
    #[serde(default)]
    pub link: Option<LinkState>,
    /// For how long, at most 60 000 ms; then it is the one of the settings again.
    #[serde(default)]
    pub hold_ms: Millis,
}

/// The link that is emulated from now on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinkReply {
    /// The link.
    pub link: LinkState,
    /// For how long; `None` when it is the one of the settings.
    #[serde(default)]
    pub held_ms: Option<Millis>,
}

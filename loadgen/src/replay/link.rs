//! Asks an edge executor to emulate another link for a while.

use std::time::Duration;

use broker::{Bus, subjects};
use schemas::{Fault, FaultKind, LinkReply, LinkRequest, LinkState, NodeId};

use crate::error::LoadgenError;

/// How long a state is asked for; a generator that is gone leaves no strange link for longer.
pub const HOLD: Duration = Duration::from_secs(30);

/// How long an edge executor may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Has the machine's edge executor emulate this link for [`HOLD`] from now on, or that of its settings again (`None`).
///
/// # Errors
/// The edge executor refuses (it uses its real link, or the state is out of range), or does not answer within 5 s.
pub async fn emulate(bus: &Bus, edge: &NodeId, link: Option<LinkState>) -> Result<(), LoadgenError> {
    let refused = |fault: Fault| LoadgenError::Link { edge: edge.clone(), fault };
    let request = LinkRequest { link, hold_ms: HOLD.into() };
    let asked = bus.ask(subjects::link(edge), PATIENCE, &request).await;
    let answer = asked.map_err(|error| refused(error.to_fault()))?;
    let reply = schemas::decode::<LinkReply>(&answer.body);
    reply.map(drop).map_err(|error| refused(Fault::new(FaultKind::Internal, error.to_string())))
}

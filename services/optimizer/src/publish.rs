//! Publishing fronts: never over one that somebody else published meanwhile without looking at it.

use broker::Bus;
use schemas::{Fault, FaultKind, Front};
use tracing::info;

use crate::front::succeed;

/// How often somebody else may come in between. Who publishes measures for minutes before.
const ATTEMPTS: u32 = 5;

/// Publishes a front as the next revision of what is published now, with whatever of that is as young. Gives the front
/// as it was published.
pub(crate) async fn publish(bus: &Bus, front: Front) -> Result<Front, Fault> {
    let failed = |reason: String| {
        Fault::new(FaultKind::Unavailable, format!("the front was measured but not published: {reason}"))
    };
    for _ in 0..ATTEMPTS {
        let published = bus.published_front(&front.model, &front.edge, &front.cloud).await;
        let published = published.map_err(|error| failed(error.to_string()))?;
        let next = succeed(front.clone(), published.front.as_ref())
            .map_err(|conflict| Fault::new(FaultKind::Unavailable, conflict.to_string()))?;
        let next = broker::sealed(next);
        let replaced = bus.replace_front(&next, published.entry).await;
        if replaced.map_err(|error| failed(error.to_string()))?.is_some() {
            info!(model = %next.model, edge = %next.edge, revision = next.revision, "the front is published");
            return Ok(next);
        }
    }
    Err(failed(format!("{ATTEMPTS} times in a row somebody else published one meanwhile")))
}

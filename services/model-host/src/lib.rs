//! Hosts networks for the executors: finds bundles, loads and warms them, and serves requests for each.
//!
//! Bundles come from a folder and from the broker's model store; the store is looked at again every few seconds, so
//! that `splinter model add` needs no restart. A network counts as served only when it is warm. A bundle that is
//! corrupt or whose digest is wrong is logged and left out; the others are served.

mod catalogue;
mod hosted;
mod serving;

pub use catalogue::{Catalogue, HostError, HostSettings};
pub use hosted::Hosted;
pub use serving::{ExecutorSubjects, ServedNetworks};

use models::{Accelerator, ModelError};
use schemas::{Fault, FaultKind};

/// A model's error as it travels: the caller's own mistakes as bad requests, the others as ours.
pub fn model_fault(error: &ModelError) -> Fault {
    let kind = if error.is_callers_fault() { FaultKind::BadRequest } else { FaultKind::Internal };
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    Fault::new(kind, text)
}

/// A request for an accelerator that this executor has not got, as it travels.
pub fn accelerator_fault(hosted: &Hosted, accelerator: Accelerator) -> Fault {
    let has: Vec<String> = hosted.served().accelerators.iter().map(ToString::to_string).collect();
    let text =
        format!("{} does not run on {accelerator} here, it runs on {}", hosted.bundle.name(), has.join(", "));
    Fault::new(FaultKind::BadRequest, text)
}

/// A compute thread's error as it travels.
pub fn compute_fault(error: &chassis::ComputeError) -> Fault {
    let kind = match error {
        chassis::ComputeError::Full => FaultKind::Overloaded,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}

//! What a policy decides.

use schemas::{Configuration, Cut, Joules, Millis, PlanReason, PolicyName, Share};

/// Which measurement of a front was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The one at this index of [`schemas::Front::points`].
    OfFront(usize),
    /// The one at this index of [`schemas::Front::tied`]; with policy `adaptive` only.
    Tied(usize),
    /// [`schemas::Front::all_cloud`].
    AllCloud,
    /// [`schemas::Front::all_edge`].
    AllEdge,
}

/// A policy's choice, with what the front promises for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// Which measurement it is.
    pub point: Point,
    /// What to run.
    pub configuration: Configuration,
    /// Which of [`crate::State::clouds`] runs the tail; `None` when everything runs on the edge, and when the decision
    /// was made by the front alone.
    pub cloud: Option<usize>,
    /// Its latency: the mean as measured, or with policy `adaptive` the quantile predicted.
    pub latency_ms: Millis,
    /// Its joules, as measured or as predicted; `None` where unknown.
    pub energy_j: Option<Joules>,
    /// Why.
    pub reason: PlanReason,
}

/// Whether a cloud executor is there to run tails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// At least one is.
    Present,
    /// None is: everything runs on the edge.
    Absent,
}

/// Why no configuration may be chosen for a request.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The privacy floor is beyond the network.
    #[error("the least cut {least_cut} asked for is beyond the network's last cut {last_cut}")]
    LeastCutBeyondLast {
        /// The floor asked for.
        least_cut: Cut,
        /// Everything on the edge.
        last_cut: Cut,
    },
    /// The policy always does what the floor forbids.
    #[error(
        "policy cloud always sends the picture to the cloud, which the least cut {least_cut} asked for forbids: ask for another policy"
    )]
    CloudForbidden {
        /// The floor asked for.
        least_cut: Cut,
    },
    /// A policy that cannot decide here: one of a later version, or the oracle outside a simulation.
    #[error("policy {0} is not one this scheduler has")]
    PolicyNotHere(PolicyName),
    /// Nothing that may run now is likely to keep a hard limit.
    #[error("nothing is likely to be within {limit:.1} now: the best is {latency:.1}{}", energy.map_or_else(String::new, |energy| format!(" for {energy:.3}")))]
    Infeasible {
        /// The limit asked for.
        limit: Millis,
        /// The least limit that would be accepted now.
        latency: Millis,
        /// What it would cost; `None` where it is not known.
        energy: Option<Joules>,
        /// When it may be feasible: when queues have drained, or a cloud executor is taken for well again. `None` when
        /// waiting does not help.
        retry_after: Option<Millis>,
    },
    /// No configuration that is left is known to be accurate enough.
    #[error("no configuration that may run now is known to reach the accuracy of {floor} asked for{}", best_known(*best))]
    AccuracyFloorUnmet {
        /// The floor asked for.
        floor: Share,
        /// The best accuracy measured of those that may run; `None` when none was measured.
        best: Option<Share>,
        /// Whether a cloud executor was there; with it back, another configuration may reach the floor.
        cloud: Cloud,
    },
}

fn best_known(best: Option<Share>) -> String {
    match best {
        Some(best) => format!(": the best measured is {best}"),
        None => ": no accuracy was measured".to_owned(),
    }
}

//! The decisions of the online phase: which configuration runs a request, and where. Pure code: no clock, no I/O, and
//! no allocation in a decision, so that the scheduler, the gateway (when no scheduler answers) and the simulator run
//! the very same.
//!
//! # One request
//! ```text
//! front.decide(policy, qos, &state, now)  ->  Decision, or a Refusal with what would be feasible
//! state.commit(&front, &decision, now)        the work that it begins, the clock that it sets
//! state.observe(&front, &observation)         what the receipt says
//! ```
//! `now` is the reading of any monotonic clock in milliseconds: of the machine in a service, of virtual time in a
//! simulation. A [`State`] belongs to one edge machine and one front.
//!
//! # Policies
//! - `dynasplit`, the paper's rule, and the baselines `cloud`, `edge`, `latency` and `energy` look at nothing but the
//!   front ([`PreparedFront::decide_by_front`]).
//! - `adaptive`, the default, predicts what is true now ([`adaptive`] says how).
//! - `oracle` knows what each configuration will really cost; only a simulation can ([`PreparedFront::oracle`]).
//!
//! # Layout
//! - [`front`]: a front, sorted and taken apart once, into `block`s of four configurations.
//! - [`decision`]: what comes out: a choice or a refusal.
//! - `rules`: the paper's rule, the baselines, the oracle. `constraints`: floors and an absent cloud.
//! - [`adaptive`]: the default policy over a `forecast` of each configuration.
//! - [`state`], [`link`], [`learning`]: what is known now, and how it follows receipts.
//! - [`shadow`]: a second policy asked beside the one that decides.
//! - [`site`], [`plan`]: presences and fronts in, a plan for the wire out.

pub mod adaptive;
mod block;
mod candidate;
mod constraints;
mod crowding;
pub mod decision;
mod forecast;
pub mod front;
mod hardware;
pub mod learning;
pub mod link;
pub mod plan;
mod rules;
pub mod shadow;
pub mod site;
pub mod state;
mod surprise;

pub use adaptive::AdaptiveSettings;
pub use decision::{Cloud, Decision, Point, Refusal};
pub use front::PreparedFront;
pub use learning::Observation;
pub use link::Link;
pub use plan::{NoPlan, plan_by_front};
pub use rules::Truth;
pub use shadow::Comparison;
pub use state::{CloudExecutor, Sight, State};

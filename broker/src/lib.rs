//! Splinter's request layer over NATS: the one crate that speaks to the broker.
//!
//! - [`Bus`]: a connection. Calls with ACCEPT → RESULT/NACK, serving with credits, publish and subscribe.
//! - [`Announcement`], [`Presences`]: who is there, renewed each second, gone after three.
//! - [`Fronts`]: the published fronts, watched, with the last good one kept.
//! - [`PolicyChoices`]: which policies decide, followed while everything runs.
//! - [`ModelStore`]: networks in the object store, checked by digest.
//! - [`TraceContext`]: the trace that a call and a request belong to, carried in headers.
//! - [`Happening`]: what a connection counts.
//! - [`subjects`]: every subject, by functions.
//! - [`server`]: finding and starting a `nats-server`.
//!
//! # Promises
//! A call ends by its deadline with one answer or one typed error. A served request is run at most once an instance
//! while its id is remembered. Nothing waits without a limit, nothing queues without a bound.

mod bucket;
mod bus;
mod call;
mod credentials;
mod error;
mod fronts;
mod headers;
mod model_store;
mod policy_choice;
mod presence;
mod registration;
mod serve;
pub mod server;
mod settings;
pub mod subjects;
mod tally;
mod trace;

pub use bus::{Bus, Message, Subscription};
pub use call::{Answer, Call, CallError};
pub use error::BrokerError;
pub use fronts::{FrontEntry, Fronts, PublishedFront, is_intact, sealed};
pub use headers::Headers;
pub use model_store::{ModelStore, StoredFile};
pub use policy_choice::PolicyChoices;
pub use presence::{Announcement, Identity, PresenceUpdate, Presences};
pub use serve::{ContentType, Credits, Endpoint, Request, Response, Serving};
pub use settings::BrokerSettings;
pub use subjects::Subject;
pub use tally::Happening;
pub use trace::{BadTraceparent, TRACEPARENT, TRACESTATE, TraceContext};

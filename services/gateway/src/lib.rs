//! The way in: checks a request, admits it, holds its deadline, answers it and leaves a receipt.
//!
//! # In
//! - NATS `splinter.v1.infer.<model>` (queue group): a picture's bytes with the headers of [`terms::Term`]
//!   (`Splinter-Latency-Ms`, `Splinter-Limit`, …), answered in JSON; or a MessagePack [`schemas::InferRequest`],
//!   answered with a MessagePack [`schemas::InferReply`].
//! - HTTP: `POST /v1/infer/<model>`, the Open Inference Protocol under `/v2` ([`open_inference`]),
//!   `GET /metrics`; the page at `/` and its events at `GET /v1/events` ([`live::shapes`]).
//! - For the page: receipts of every gateway, and what schedulers say each second.
//!
//! # Out
//! Plans from `splinter.v1.plan.<model>`, executions on `splinter.v1.exec.edge.<model>[.<instance>]`, receipts on
//! `splinter.v1.receipt.<model>`.
//!
//! # What it promises
//! - One outcome a request, a result or a typed [`schemas::Fault`], by its deadline. A result after the latency limit
//!   is still a result and says that it is late.
//! - One receipt a request whose model name can be one, refused ones too. (A call of our own layer that is refused
//!   because this gateway is full or leaving goes on to another one and has its receipt from there.)
//! - Requests, connections, those of one client, and those who watch are bounded in number, and each in time and memory.
//! - Bad input is refused before it is passed on, as far as a header can tell; what an executor refuses comes
//!   back unchanged.
//!
//! # Deadlines
//! Default: 4 latency limits after the arrival, at least 5 s, at most 60 s. A plain NATS request without
//! `Splinter-Deadline` ends after 30 s at the latest, the request layer's own limit.
//!
//! # Layout
//! - [`admission`], [`picture`]: which requests are taken, and under what terms.
//! - [`terms`]: what may be asked for, by name.
//! - [`ingress`], [`open_inference`], [`status`]: the forms of requests, answers and errors.
//! - `pipeline`, `receipts`: a request's way and what it leaves.
//! - [`live`]: what is known of the site, for those who watch. [`tokens`], [`tls`]: who may use HTTP, and how.
//! - `service`, `http`, `events`, `metrics`: the shell. `page/` holds the files that a browser loads.

pub mod admission;
mod error;
mod events;
mod http;
pub mod ingress;
pub mod live;
mod metrics;
pub mod open_inference;
pub mod picture;
mod pipeline;
mod receipts;
mod service;
mod settings;
pub mod status;
pub mod terms;
pub mod tls;
pub mod tokens;

pub use error::Error;
pub use service::{Running, start};
pub use settings::Settings;

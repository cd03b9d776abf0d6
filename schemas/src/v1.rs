//! Version 1 of every message: pure data, MessagePack maps with the field names of these types.
//!
//! Released bytes of every message are committed under `fixtures/v1` and must decode for ever.

pub mod codec;
pub mod configuration;
pub mod description;
pub mod encoded;
pub mod energy;
pub mod execution;
pub mod fault;
pub mod front;
pub mod hardware;
pub mod inference;
pub mod link;
pub mod metrics;
pub mod optimization;
pub mod plan;
pub mod presence;
pub mod price;
pub mod receipt;
pub mod scheduling;
pub mod setup;
pub mod stage;
pub mod tensor;
pub mod tuning;

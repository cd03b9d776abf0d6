//! Training and export of the shipped network.

mod export;
mod network;
mod optimise;
mod protobuf;

pub use export::write_bundle;
pub use network::Network;
pub use optimise::{Plan, accuracy, logits, train};

//! The way in.
pub mod admission;
pub mod error;
pub mod ingress;
pub mod open_inference;
pub mod picture;
pub mod settings;
pub mod status;

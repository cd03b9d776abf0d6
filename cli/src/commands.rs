//! One module a command.

pub mod demo;
pub mod energy;
pub mod front;
pub mod infer;
pub mod keys;
pub mod model;
pub mod optimize;
pub mod policy;
pub mod top;
pub mod up;

//! Which networks are hosted, from a folder and from the model store of a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod folder;
mod site;
mod store;
